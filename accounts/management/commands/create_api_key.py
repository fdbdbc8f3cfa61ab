from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.keys import create_key
from accounts.models import ApiKey, User

MOST_DAYS = 36_500
NAME_CHARS = ApiKey._meta.get_field("name").max_length or 0


class Command(BaseCommand):
    help = "Make a key for the API and print it; it cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="whose key it is: a username")
        parser.add_argument("--name", required=True, help="what it is for")
        parser.add_argument(
            "--scope",
            action="append",
            choices=ApiKey.Scope.values,
            help="what it may do; may be given several times (default: everything)",
        )
        parser.add_argument("--days", type=int, help="when it ends (default: never)")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(username=options["user"]).first()
        if owner is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        if options["days"] is not None and not 1 <= options["days"] <= MOST_DAYS:
            raise CommandError(f"--days: expected 1 to {MOST_DAYS}, got {options['days']}")
        if not 1 <= len(options["name"].strip()) <= NAME_CHARS:
            raise CommandError(f"--name: expected 1 to {NAME_CHARS} characters")
        ends = timezone.now() + timedelta(days=options["days"]) if options["days"] else None
        _, secret = create_key(
            owner, options["name"], options["scope"] or ApiKey.Scope.values, ends
        )
        self.stdout.write(secret)
