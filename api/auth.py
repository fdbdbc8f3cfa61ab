"""Who asks: a person with a session and the page's CSRF token, or a program with a key."""

from typing import cast

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.errors import AuthenticationError, HttpError
from ninja.security import HttpBearer, SessionAuth

from accounts.keys import find_key
from accounts.models import ApiKey, User

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class KeyAuth(HttpBearer):
    """`Authorization: Bearer sk-…`. Without `scope`, what the method says: reading or writing."""

    def __init__(self, scope: str | None = None) -> None:
        self.scope = scope
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> User:
        key = find_key(token)
        if key is None:
            # Not None, or the session would be asked next and answer about its CSRF token.
            raise AuthenticationError
        needed = self.scope or scope_of(request)
        if needed not in key.scopes:
            raise HttpError(403, _("This key may not do that. It needs the scope “%s”.") % needed)
        return key.owner


def scope_of(request: HttpRequest) -> str:
    return ApiKey.Scope.READ if request.method in SAFE else ApiKey.Scope.WRITE


SESSION = SessionAuth(csrf=True)
# For what spends money: `write` is not enough.
TO_CHAT = [KeyAuth(ApiKey.Scope.CHAT), SESSION]


def user_of(request: HttpRequest) -> User:
    """Behind the API's authentication there is always one."""
    return cast(User, request.auth)  # type: ignore[attr-defined]
