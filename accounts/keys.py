"""Keys for the API: `sk-…`, shown once, stored as a hash."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.dispatch import Signal
from django.utils import timezone

from accounts.models import ApiKey, User

PREFIX = "sk-"
SECRET_BYTES = 32
SHOWN_CHARS = 11
USED_AGAIN_AFTER = timedelta(minutes=1)
# With `owner`, a user's id.
keys_revoked = Signal()


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
    found = valid_keys().select_related("owner").filter(digest=digest_of(secret)).first()
    if found is not None and (
        found.last_used_at is None or now - found.last_used_at > USED_AGAIN_AFTER
    ):
        ApiKey.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def valid_keys() -> QuerySet[ApiKey]:
    unended = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return ApiKey.objects.filter(unended, revoked_at=None, owner__is_active=True)


def revoke_keys(keys: QuerySet[ApiKey]) -> int:
    """Returns how many there were to revoke. What is being read with them ends."""
    active = keys.filter(revoked_at=None)
    owners = set(active.order_by().values_list("owner", flat=True))
    revoked = active.update(revoked_at=timezone.now())
    for owner in owners:
        keys_revoked.send(ApiKey, owner=owner)
    return revoked


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
