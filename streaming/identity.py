"""Whose socket it is. A socket outlives requests, so its session is asked about again and again."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpRequest, parse_cookie
from django.utils import timezone, translation

from accounts.language import language_of
from accounts.models import User

CHECK_IDENTITY = b'{"type":"identity.check"}'


@dataclass(frozen=True, slots=True)
class Identity:
    user: User
    session_key: str
    auth_hash: str
    language: str


def identify(headers: Iterable[tuple[bytes, bytes]]) -> Identity | None:
    """The user of the session cookie, None where there is no valid one."""
    request = handshake(headers)
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    request.session = SessionStore(key)
    request.user = user = get_user(request)
    if not user.is_authenticated:
        return None
    language = language_of(request)
    # Reads the files of its texts, once for a process, here and not on the event loop.
    with translation.override(language):
        pass
    return Identity(user, key, user.get_session_auth_hash(), language)


def handshake(headers: Iterable[tuple[bytes, bytes]]) -> HttpRequest:
    """As much of a request as its user and their language take."""
    request = HttpRequest()
    values = {name: value.decode("latin1") for name, value in headers}
    request.COOKIES = parse_cookie(cookies_in(headers))
    request.META["HTTP_ACCEPT_LANGUAGE"] = values.get(b"accept-language", "")
    return request


def cookies_in(headers: Iterable[tuple[bytes, bytes]]) -> str:
    return b"; ".join(value for name, value in headers if name == b"cookie").decode("latin1")


def still_valid(identities: Iterable[Identity]) -> set[str]:
    """The session keys, of those given, that still stand for their active user: two queries."""
    asked = {identity.session_key: identity for identity in identities}
    sessions = Session.objects.filter(pk__in=asked, expire_date__gt=timezone.now())
    users = {
        user.pk: user.get_session_auth_hash()
        for user in User.objects.filter(
            pk__in={identity.user.pk for identity in asked.values()}, is_active=True
        )
    }
    return {
        key
        for key in sessions.values_list("pk", flat=True)
        if users.get(asked[key].user.pk) == asked[key].auth_hash
    }
