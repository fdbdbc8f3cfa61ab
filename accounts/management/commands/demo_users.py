"""Two log-ins to try things out with, whose passwords are printed in plain text."""

import os
import secrets
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User

PASSWORD_FILE = "demo-password"  # noqa: S105
YOUR_OWN = "(changed since; DEMO_PASSWORD=... at the start sets a new one)"


class Command(BaseCommand):
    help = "Make the users demo and admin, and print how to log in. Needs DEBUG."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "The demo users are for trying things out, with DEBUG=1 only. "
                "Here, make the first admin with: manage.py createsuperuser"
            )
        shown = {name: log_in_of(name) for name in ("demo", "admin")}
        address = settings.SITE_URL
        self.stdout.write(f"\nChatsite will be at {address}/\n")
        self.stdout.write(f"  user   demo    password   {shown['demo']}")
        self.stdout.write(f"  user   admin   password   {shown['admin']}   ({address}/admin/)\n\n")


def log_in_of(name: str) -> str:
    """Make the user if there is none, and return what to print as the password.

    A password that somebody has changed by hand stays, unless DEMO_PASSWORD asks for another.
    """
    wanted = os.environ.get("DEMO_PASSWORD", "")
    user = User.objects.filter(username=name).first()
    if user is None:
        password = wanted or random_password(settings.DATA_DIR / PASSWORD_FILE)
        make(name, password)
        return password
    if not wanted:
        kept = kept_password(settings.DATA_DIR / PASSWORD_FILE)
        return kept if kept and user.check_password(kept) else YOUR_OWN
    if not user.check_password(wanted):
        user.set_password(wanted)
        user.save(update_fields=["password"])
    return wanted


@transaction.atomic
def make(name: str, password: str) -> None:
    create = User.objects.create_superuser if name == "admin" else User.objects.create_user
    user = create(name, f"{name}@localhost", password)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)


def kept_password(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


def random_password(path: Path) -> str:
    """The one in the file, or a new one: it is kept, so that every later start can print it."""
    password = kept_password(path)
    if not password:
        password = secrets.token_urlsafe(9)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"{password}\n")
    return password
