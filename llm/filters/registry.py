"""Which filters there are: ours, and the classes whose dotted paths are in `LLM_FILTERS`."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec
import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from llm.errors import ProviderError
from llm.filters.base import Filter
from llm.filters.length import MaxLength
from llm.filters.moderation import Moderation
from llm.filters.redact import Redact

logger = structlog.get_logger(__name__)
MOST_FILTERS = 10


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One filter of a model, as it stands in its row."""

    name: str
    options: dict[str, Any] = {}


def registry() -> dict[str, type[Filter]]:
    return _registry(tuple(settings.LLM_FILTERS))


@cache
def _registry(paths: tuple[str, ...]) -> dict[str, type[Filter]]:
    known: list[type[Filter]] = [Redact, Moderation, MaxLength]
    known.extend(import_string(path) for path in paths)
    return {each.name: each for each in known}


def read(raw: Any) -> list[Filter]:
    """Raises ValueError with a sentence that quotes what it got."""
    wanted = msgspec.convert(raw, list[Wanted])
    if len(wanted) > MOST_FILTERS:
        raise ValueError(f"Expected at most {MOST_FILTERS} filters, got {len(wanted)}")
    return [_make(each) for each in wanted]


def _make(wanted: Wanted) -> Filter:
    kind = registry().get(wanted.name)
    if kind is None:
        raise ValueError(f"Expected one of {', '.join(sorted(registry()))}, got {wanted.name!r}")
    try:
        return kind(msgspec.convert(wanted.options, kind.Options))
    except ValueError as error:
        raise ValueError(f"{wanted.name}: {error}") from error


def make(raw: Iterable[dict[str, Any]]) -> list[Filter]:
    """Raises ProviderError (model_misconfigured): a worker may lack the setting, and to go on
    without a filter would show what it was to keep back."""
    try:
        return read(list(raw))
    except (ValueError, ImportError) as error:
        logger.error("filters_unknown", error=str(error))
        raise ProviderError("model_misconfigured") from error
