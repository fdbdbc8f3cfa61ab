"""Who asks: a person with a session and the page's CSRF token, or a program with a key."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.errors import AuthenticationError, HttpError
from ninja.security import HttpBearer, SessionAuth

from accounts.keys import find_key, valid_keys
from accounts.models import ApiKey, User
from streaming.identity import Identity, still_valid

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
        request.api_key = key  # type: ignore[attr-defined]
        return key.owner


def scope_of(request: HttpRequest) -> str:
    return ApiKey.Scope.READ if request.method in SAFE else ApiKey.Scope.WRITE


class PageAuth(SessionAuth):
    """Without a session there is nothing that a CSRF token could protect: a program that forgot its
    key is told that it needs one, as it is for a GET."""

    def _get_key(self, request: HttpRequest) -> str | None:
        key: str | None = None
        if self.param_name in request.COOKIES:
            key = super()._get_key(request)
        return key


SESSION = PageAuth(csrf=True)
# For what spends money: `write` is not enough.
TO_CHAT = [KeyAuth(ApiKey.Scope.CHAT), SESSION]


def standing(request: HttpRequest) -> Callable[[], bool]:
    """Asks the database whether whoever made this request may still read what it brings."""
    key: ApiKey | None = getattr(request, "api_key", None)
    if key is not None:
        # Made anew for each question: a query keeps the time at which it was made.
        return lambda: valid_keys().filter(pk=key.pk).exists()
    user = user_of(request)
    session = Identity(user, request.session.session_key or "", user.get_session_auth_hash(), "")
    return lambda: bool(still_valid([session]))


def user_of(request: HttpRequest) -> User:
    """Behind the API's authentication there is always one."""
    return cast(User, request.auth)  # type: ignore[attr-defined]
