"""Keys for the API: `sk-…`, shown once, stored as a hash."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiKey, User

PREFIX = "sk-"
SECRET_BYTES = 32
SHOWN_CHARS = 11
USED_AGAIN_AFTER = timedelta(minutes=1)


def create_key(
    owner: User,
    name: str,
    scopes: Iterable[str] = tuple(ApiKey.Scope.values),
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """The row, and the secret that nobody can find out later."""
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey.objects.create(
        owner=owner,
        name=name,
        prefix=secret[:SHOWN_CHARS],
        digest=digest_of(secret),
        scopes=sorted(scopes),
        expires_at=expires_at,
    )
    return key, secret


def find_key(secret: str) -> ApiKey | None:
    """A key that is valid now, of a user who may log in. Its use is noted, once a minute at most.

    Looked up by its hash: the secret has 256 random bits, so nothing can be learnt from the time
    that an index takes, and no slow hash is needed.
    """
    now = timezone.now()
    found = (
        ApiKey.objects.select_related("owner")
        .filter(digest=digest_of(secret), revoked_at=None, owner__is_active=True)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .first()
    )
    if found is not None and (
        found.last_used_at is None or now - found.last_used_at > USED_AGAIN_AFTER
    ):
        ApiKey.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
