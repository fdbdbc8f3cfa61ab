"""What must not lie readable in a database or its backups: keys of providers, headers, variables.

Fernet (AES-128-CBC with HMAC-SHA256) under a key made from each of `ENCRYPTION_KEYS`; the first one
encrypts, all of them decrypt. `manage.py rotate_encryption_keys` writes all again with the first.
"""

import base64
import hashlib
import os
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SecretLost(ValueError):
    """None of ENCRYPTION_KEYS has encrypted this."""


def encrypt(text: str) -> str:
    """Empty stays empty."""
    return _fernet(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode() if text else ""


def decrypt(token: str) -> str:
    """Raises SecretLost."""
    if not token:
        return ""
    try:
        return _fernet(tuple(settings.ENCRYPTION_KEYS)).decrypt(token).decode()
    except InvalidToken:
        raise SecretLost("No key in ENCRYPTION_KEYS fits a stored secret.") from None


def rotate(token: str) -> str:
    """The same secret under the first key. Raises SecretLost."""
    return encrypt(decrypt(token))


def from_environment(variable: str) -> str:
    """A provider's key; empty where there is none.

    Never a setting of ours: whoever may edit providers would have SECRET_KEY, or the database's
    password, sent to a server of their own.
    """
    return "" if variable in settings.OWN_VARIABLES else os.environ.get(variable, "")


@cache
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_key(text)) for text in keys])


def _key(text: str) -> bytes:
    """Any text of enough randomness, as the 32 bytes that Fernet takes."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"chatsite secrets\0" + text.encode()).digest())
