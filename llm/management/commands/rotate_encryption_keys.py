from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from llm.models import Provider, ToolServer
from llm.secrets import SecretLost, rotate

# Every column that holds what llm/secrets.py encrypted.
COLUMNS: dict[type[Provider | ToolServer], tuple[str, ...]] = {
    Provider: ("encrypted_key", "encrypted_headers"),
    ToolServer: ("encrypted_secrets",),
}


class Command(BaseCommand):
    help = "Write every stored secret again with the first of ENCRYPTION_KEYS."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        for model, columns in COLUMNS.items():
            for row in model.objects.select_for_update():
                for column in columns:
                    setattr(row, column, self.rotated(row, column))
                row.save(update_fields=columns)
        self.stdout.write("Every stored secret is encrypted with the first key now.")

    def rotated(self, row: Provider | ToolServer, column: str) -> str:
        try:
            return rotate(getattr(row, column))
        except SecretLost:
            raise CommandError(
                f"{row._meta.verbose_name} {row}: {column} fits none of ENCRYPTION_KEYS. "
                "Nothing was changed. Add the key that it was stored with; "
                "if ENCRYPTION_KEYS was empty then, that is SECRET_KEY."
            ) from None
