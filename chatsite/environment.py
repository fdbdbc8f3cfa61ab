"""Reading settings from the environment: a wrong value stops the start with a sentence."""

import os
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured

# The names of all variables that were asked for here.
OURS: set[str] = set()


def text(name: str, default: str = "") -> str:
    OURS.add(name)
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool = False) -> bool:
    value = text(name).lower()
    if value in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return default if not value else value in ("1", "true", "yes", "on")
    raise ImproperlyConfigured(f"{name}: expected 1 or 0, got {value!r}")


def number(name: str, default: float, *, low: float = 0) -> float:
    value = text(name)
    if not value:
        return default
    try:
        parsed = float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}: expected a number, got {value!r}") from None
    if not low <= parsed < float("inf"):
        raise ImproperlyConfigured(f"{name}: expected a number >= {low:g}, got {value!r}")
    return parsed


def whole(name: str, default: int, *, low: int = 0) -> int:
    value = number(name, default, low=low)
    if value != int(value):
        raise ImproperlyConfigured(f"{name}: expected a whole number, got {value:g}")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list; empty entries are dropped."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def address(name: str) -> str:
    """Of an HTTP server; empty where there is none."""
    value = text(name)
    try:
        parts = urlsplit(value)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if value and not fits:
        raise ImproperlyConfigured(
            f"{name}: expected an address such as http://localhost:11434/v1, got {value!r}"
        )
    return value


def pairs(name: str) -> dict[str, str]:
    """A comma-separated list of `key=value`."""
    found = {}
    for word in words(name):
        key, separator, value = (part.strip() for part in word.partition("="))
        if not (key and separator and value):
            raise ImproperlyConfigured(f"{name}: expected key=value, got {word!r}")
        found[key] = value
    return found


def broker_url(redis_url: str) -> str:
    """Kombu's spelling of a Redis URL: it writes `redis+socket://` where redis-py writes `unix://`."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    query = dict(parse_qsl(parts.query))
    return f"redis+socket://{parts.path}?{urlencode({'virtual_host': query.get('db', '0')})}"
