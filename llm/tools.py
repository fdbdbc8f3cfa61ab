"""What models may call. `LLM_TOOLS` in the settings adds to it: dotted paths of LangChain tools.

A tool that changes something in the world says so: {"side_effects": True} in its `metadata`, or in
`@tool(extras=…)`, which takes no metadata. An answer in which it has run is not started again by
itself.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import structlog
from django.conf import settings
from django.utils.module_loading import import_string
from langchain_core.tools import BaseTool, ToolException, tool
from pydantic import ValidationError

from llm.errors import ProviderError
from llm.messages import as_text
from llm.parts import Progress

logger = structlog.get_logger(__name__)

TOOL_TIMEOUT_SECONDS = 60.0

_report: ContextVar[Callable[[Progress], None] | None] = ContextVar("report", default=None)


class ToolRun(msgspec.Struct, frozen=True):
    """Exactly one of `result` and `error` is set; `error` is for the model and the user."""

    result: str | None = None
    error: str | None = None


@tool(parse_docstring=True)
def current_time(timezone: str = "UTC") -> str:
    """The current date and time.

    Args:
        timezone: an IANA name such as "Europe/Berlin".
    """
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ToolException(f"There is no time zone called {timezone!r}.") from None
    return datetime.now(UTC).astimezone(zone).strftime("%A, %d %B %Y, %H:%M:%S %Z")


def registry() -> dict[str, BaseTool]:
    return _registry(tuple(settings.LLM_TOOLS))


@cache
def _registry(paths: tuple[str, ...]) -> dict[str, BaseTool]:
    known: list[BaseTool] = [current_time, *(import_string(path) for path in paths)]
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
    if known is None:
        return False
    return bool({**(known.extras or {}), **(known.metadata or {})}.get("side_effects"))


def progress(label: str, data: Any = None) -> None:
    """For tools: show the user how far it is. May be called from a thread."""
    report = _report.get()
    if report is not None:
        report(Progress(label, data))


async def run(
    allowed: Iterable[str], name: str, args: str, report: Callable[[Progress], None]
) -> ToolRun:
    """`args` is JSON text as the model wrote it. Whatever goes wrong becomes the `error`: the
    model reads it and may do better, and the answer goes on."""
    if name not in allowed:
        return ToolRun(error=f"There is no tool called {name!r}.")
    try:
        parsed = msgspec.json.decode(args or "{}", type=dict[str, Any])
    except msgspec.MsgspecError:
        return ToolRun(error="The arguments are not a JSON object.")
    loop = asyncio.get_running_loop()
    _report.set(lambda step: _call_in_loop(loop, report, step))
    try:
        async with asyncio.timeout(TOOL_TIMEOUT_SECONDS):
            return ToolRun(result=as_text(await registry()[name].ainvoke(parsed)))
    except TimeoutError:
        return ToolRun(error=f"{name} took longer than {TOOL_TIMEOUT_SECONDS:g} seconds.")
    except ToolException as error:
        return ToolRun(error=str(error) or f"{name} failed.")
    except ValidationError as error:
        return ToolRun(error=_explain(error))
    except Exception:
        # A tool is foreign code, and its failure is not the answer's.
        logger.exception("tool_failed", tool=name)
        return ToolRun(error=f"{name} failed.")


def _call_in_loop(
    loop: asyncio.AbstractEventLoop, report: Callable[[Progress], None], step: Progress
) -> None:
    loop.call_soon_threadsafe(report, step)


def _explain(error: ValidationError) -> str:
    found = "; ".join(
        f"{'.'.join(str(step) for step in each['loc'])}: {each['msg']}"
        for each in error.errors(include_input=False, include_url=False)
    )
    return f"The arguments do not fit: {found}"
