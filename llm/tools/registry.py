"""Which tools there are: ours, and those of `LLM_TOOLS`, dotted paths of LangChain tools."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import structlog
from django.conf import settings
from django.utils.module_loading import import_string
from langchain_core.tools import BaseTool

from llm.errors import ProviderError
from llm.tools.calculator import calculator
from llm.tools.current_time import current_time
from llm.tools.fetch_page import fetch_page
from llm.tools.read_attachment import read_attachment
from llm.tools.search_conversations import search_conversations

logger = structlog.get_logger(__name__)
OURS: tuple[BaseTool, ...] = (
    calculator,
    current_time,
    fetch_page,
    read_attachment,
    search_conversations,
)


def registry() -> dict[str, BaseTool]:
    return _registry(tuple(settings.LLM_TOOLS))


@cache
def _registry(paths: tuple[str, ...]) -> dict[str, BaseTool]:
    known: list[BaseTool] = [*OURS, *(import_string(path) for path in paths)]
    return {each.name: each for each in known}


def find(names: Iterable[str]) -> list[BaseTool]:
    """Raises ProviderError (model_misconfigured) for a name that nobody registered."""
    known = registry()
    wanted = list(names)
    missing = [name for name in wanted if name not in known]
    if missing:
        logger.error("tools_unknown", names=missing, known=sorted(known))
        raise ProviderError("model_misconfigured")
    return [known[name] for name in wanted]


def has_side_effects(name: str) -> bool:
    known = registry().get(name)
    return known is not None and bool(said_of(known).get("side_effects"))


def said_of(tool: BaseTool) -> dict[str, Any]:
    """What a tool says of itself: in its `metadata`, or in `@tool(extras=…)`, which takes none."""
    return {**(tool.extras or {}), **(tool.metadata or {})}
