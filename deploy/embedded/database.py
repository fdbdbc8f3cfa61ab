"""Brings the tables up to date and makes the two users of a trial: `python -m
deploy.embedded.database`. Both in one process, because to start one takes longer than the work."""

import os

from django.core.management import execute_from_command_line

from chatsite.environment import flag


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    execute_from_command_line(["manage.py", "migrate", "--verbosity", "0"])
    if flag("DEBUG"):
        execute_from_command_line(["manage.py", "demo_users"])


if __name__ == "__main__":
    main()
