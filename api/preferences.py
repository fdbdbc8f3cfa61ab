"""How the user wants the pages to look, and in which language."""

from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router, Schema

from accounts.models import User
from accounts.preferences import remember
from api.auth import user_of
from conversations.submit import Refused

router = Router(tags=["me"])


class Preferences(Schema):
    """Only what is named is changed."""

    theme: Literal["system", "light", "dark"] | None = None
    text_size: Literal["small", "medium", "large", "largest"] | None = None
    language: str | None = None


class PreferencesOut(Schema):
    theme: str
    text_size: str
    language: str


@router.patch("/preferences", response=PreferencesOut)
def change(request: HttpRequest, response: HttpResponse, changes: Preferences) -> User:
    user = user_of(request)
    fields: dict[str, Any] = changes.dict(exclude_unset=True, exclude_none=True)
    check_language(fields.get("language", ""))
    for name, value in fields.items():
        setattr(user, name, value)
    user.save(update_fields=list(fields))
    remember(response, user)
    return user


def check_language(code: str) -> None:
    """Empty: the browser's."""
    if code and code not in dict(settings.LANGUAGES):
        raise Refused("invalid", _("This language is not spoken here."))
