from functools import cache
from typing import Any

import structlog
from django.conf import settings
from django.utils.module_loading import import_string
from langchain_core.runnables import Runnable

from llm.errors import ProviderError

logger = structlog.get_logger(__name__)


def find(slug: str) -> Runnable[Any, Any]:
    """Only what the setting names: an admin who edits a row must not be able to import anything.
    Raises ProviderError (model_misconfigured)."""
    path = settings.LLM_RUNNABLES.get(slug)
    if path is None:
        logger.error("runnable_unknown", slug=slug, known=sorted(settings.LLM_RUNNABLES))
        raise ProviderError("model_misconfigured", detail=f"LLM_RUNNABLES does not name {slug!r}.")
    try:
        return _imported(path)
    except Exception as error:
        # The import runs foreign code, which may fail in any way.
        logger.exception("runnable_not_imported", slug=slug, path=path)
        raise ProviderError("model_misconfigured", detail=f"{path}: {error}") from error


@cache
def _imported(path: str) -> Runnable[Any, Any]:
    found = import_string(path)
    if not isinstance(found, Runnable):
        raise TypeError(f"expected a LangChain runnable, got {type(found).__name__}")
    return found
