"""One call of a tool, from the text that the model wrote to a result or an error."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, ToolException
from pydantic import BaseModel, ValidationError

from llm.messages import as_text
from llm.parts import Progress
from llm.tools.progress import Report, report_to, sendable
from llm.tools.registry import said_of

logger = structlog.get_logger(__name__)

TOOL_TIMEOUT_SECONDS = 60.0
LONGEST_TOOL_SECONDS = 600.0
MAX_RESULT_CHARS = 100_000
Configure = Callable[[Report], RunnableConfig]
CUT = "\n[The rest of the result is left out.]"
# A library of a tool's may want to end the process, or lets out that something of its own was
# cancelled.
FOREIGN = (Exception, SystemExit, KeyboardInterrupt, asyncio.CancelledError)
NO_OBJECT = "The arguments are not a JSON object."


class ToolRun(msgspec.Struct, frozen=True):
    """Exactly one of `result` and `error` is set; `error` is for the model and the user."""

    result: str | None = None
    error: str | None = None


async def run(
    tool: BaseTool | None, name: str, args: str, report: Report, configure: Configure
) -> ToolRun:
    """`args` is JSON text as the model wrote it. Whatever goes wrong becomes the `error`: the
    model reads it and may do better, and the answer goes on."""
    if tool is None:
        return ToolRun(error=f"There is no tool called {name!r}.")
    parsed = parse(args)
    if parsed is None:
        return ToolRun(error=NO_OBJECT)
    try:
        return ToolRun(result=await _within_time(tool, parsed, report, configure))
    except TimeoutError:
        return ToolRun(error=f"{name} took longer than {seconds_of(tool):g} seconds.")
    except ToolException as error:
        return ToolRun(error=sendable(str(error)) or f"{name} failed.")
    except ValidationError as error:
        return ToolRun(error=_explain(error))
    except FOREIGN as error:
        if isinstance(error, asyncio.CancelledError) and _is_cancelled():
            raise
        # A tool is foreign code, and its failure is not the answer's.
        logger.exception("tool_failed", tool=name)
        return ToolRun(error=f"{name} failed.")


def parse(args: str) -> dict[str, Any] | None:
    """None where the text is no JSON object. A call without arguments may have no text at all."""
    try:
        return msgspec.json.decode(args or "{}", type=dict[str, Any])
    except msgspec.MsgspecError:
        return None


def objection(tool: BaseTool, args: str) -> str | None:
    """Why a call would fail before its tool does anything, None where it would not. What the tools
    of an MCP server take, only their server knows."""
    parsed = parse(args)
    if parsed is None:
        return NO_OBJECT
    takes = tool.tool_call_schema
    if isinstance(takes, type) and issubclass(takes, BaseModel):
        try:
            takes.model_validate(parsed)
        except ValidationError as error:
            return _explain(error)
    return None


def _is_cancelled() -> bool:
    """Whether this very call is, by whoever waits for it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def seconds_of(tool: BaseTool) -> float:
    return float(said_of(tool).get("timeout_seconds") or TOOL_TIMEOUT_SECONDS)


async def _within_time(
    tool: BaseTool, args: dict[str, Any], report: Report, configure: Configure
) -> str:
    """A tool that reports is alive: each report gives it its time again, up to a bound."""
    loop = asyncio.get_running_loop()
    seconds = seconds_of(tool)
    last = loop.time() + max(seconds, LONGEST_TOOL_SECONDS)
    running = True
    async with asyncio.timeout(seconds) as limit:

        def tell(step: Progress) -> None:
            # A thread of it may still talk when it has ended.
            if running and not limit.expired():
                limit.reschedule(min(loop.time() + seconds, last))
                report(step)

        config = configure(report_to(tell))
        try:
            return _cut(sendable(as_text(await tool.ainvoke(args, config))))
        finally:
            running = False


def _cut(text: str) -> str:
    return text if len(text) <= MAX_RESULT_CHARS else text[:MAX_RESULT_CHARS] + CUT


def _explain(error: ValidationError) -> str:
    found = "; ".join(
        f"{'.'.join(str(step) for step in each['loc'])}: {each['msg']}"
        for each in error.errors(include_input=False, include_url=False)
    )
    return f"The arguments do not fit: {found}"
