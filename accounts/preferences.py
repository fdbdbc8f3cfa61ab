"""How a page looks before anybody has asked: from the user, or from the cookies of the browser that
they last used, so that signing in and out does not flash."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.models import User

THEME_COOKIE = "theme"
TEXT_SIZE_COOKIE = "text_size"
YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Look:
    """`theme` and `text_size` as User has them."""

    theme: str
    text_size: str


def look_of(request: HttpRequest) -> Look:
    user = getattr(request, "user", None)
    if isinstance(user, User) or getattr(user, "is_authenticated", False):
        return Look(user.theme, user.text_size)  # type: ignore[union-attr]
    theme = request.COOKIES.get(THEME_COOKIE, "")
    text_size = request.COOKIES.get(TEXT_SIZE_COOKIE, "")
    return Look(
        theme if theme in User.Theme else User.Theme.SYSTEM,
        text_size if text_size in User.TextSize else User.TextSize.MEDIUM,
    )


def preferences(request: HttpRequest) -> dict[str, object]:
    """A context processor."""
    return {"look": look_of(request)}


def remember(response: HttpResponse, user: User) -> None:
    """On this browser, for its pages without a user."""
    kept = {
        THEME_COOKIE: user.theme,
        TEXT_SIZE_COOKIE: user.text_size,
        settings.LANGUAGE_COOKIE_NAME: user.language,
    }
    for name, value in kept.items():
        if value:
            response.set_cookie(
                name,
                value,
                max_age=YEAR_SECONDS,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )
        else:
            response.delete_cookie(name, samesite="Lax")
