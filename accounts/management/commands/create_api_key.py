from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.keys import create_key
from accounts.models import ApiKey, User


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
        if options["days"] is not None and options["days"] < 1:
            raise CommandError(f"--days: expected 1 or more, got {options['days']}")
        ends = timezone.now() + timedelta(days=options["days"]) if options["days"] else None
        _, secret = create_key(
            owner, options["name"], options["scope"] or ApiKey.Scope.values, ends
        )
        self.stdout.write(secret)
