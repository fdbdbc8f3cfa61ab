import gettext
from functools import cache
from typing import Any

from django import template
from django.conf import settings
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language, to_locale

register = template.Library()


@register.simple_tag
def script_translations() -> SafeString:
    """What the page's scripts say, in the language of the page; English stands in the scripts."""
    return _element(get_language() or settings.LANGUAGE_CODE)


@cache
def _element(language: str) -> SafeString:
    catalog = catalog_of(language)
    return json_script(catalog, "translations") if catalog else SafeString("")


def catalog_of(language: str) -> dict[str, Any] | None:
    """As static/js/gettext.js reads it."""
    try:
        found = gettext.translation(
            "djangojs", str(settings.LOCALE_PATHS[0]), [to_locale(language)]
        )
    except FileNotFoundError:
        return None
    messages: dict[str, Any] = found._catalog  # type: ignore[attr-defined]
    catalog: dict[str, Any] = {}
    for key, text in messages.items():
        if isinstance(key, tuple):
            catalog.setdefault(key[0], []).insert(key[1], text)
        elif key:
            catalog[key] = text
    return {"catalog": catalog, "plural": plural_rule(messages.get("", ""))}


def plural_rule(header: str) -> str | None:
    """`nplurals=2; plural=(n > 1);` → `(n > 1)`"""
    for line in header.splitlines():
        if line.startswith("Plural-Forms:"):
            return line.partition("plural=")[2].rstrip("; ") or None
    return None
