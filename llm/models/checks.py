from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError


def validate_base_url(value: str) -> None:
    """Django's own check refuses names without a dot, such as `http://ollama:11434/v1`."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        # What DNS cannot name, the HTTP clients refuse with errors of their own.
        host.encode("idna")
        whole = parts.scheme in ("http", "https") and host and parts.port != 0
    except ValueError:
        whole = False
    # urlsplit drops line breaks in silence, and keeps spaces.
    whole = whole and value.isprintable() and " " not in value
    if not whole or parts.username or parts.query or parts.fragment:
        raise ValidationError(expected("an address such as http://localhost:11434/v1", value))


def expected(what: str, got: Any) -> str:
    return f"Expected {what}, got {got!r}."
