"""A server's tool as a tool like any other."""

from typing import Any

import structlog
from langchain_core.tools import BaseTool, StructuredTool, ToolException

from llm.mcp.connection import ServerFailed
from llm.mcp.pool import session
from llm.mcp.spec import ServerToolSpec
from llm.tools.progress import reporter

logger = structlog.get_logger(__name__)

SESSION_TERMINATED = 32600


def as_tool(spec: ServerToolSpec) -> BaseTool:
    async def call(**args: Any) -> str:
        return await _call(spec, args)

    return StructuredTool(
        name=spec.name,
        description=spec.description or spec.own_name,
        args_schema=spec.schema,
        coroutine=call,
        metadata={
            "side_effects": spec.acts,
            "asks": spec.asks,
            "timeout_seconds": spec.server.timeout,
        },
    )


async def _call(spec: ServerToolSpec, args: dict[str, Any]) -> str:
    """Raises ToolException, with a sentence that tells no more of the server than its name."""
    try:
        result = await _result(spec, args)
    except ServerFailed as error:
        raise ToolException(str(error)) from None
    except Exception:
        logger.exception("mcp_call_failed", tool=spec.name)
        raise ToolException(f"The MCP server {spec.server.name} did not answer.") from None
    text = "\n".join(_text(block) for block in result.content)
    if result.isError:
        raise ToolException(text or f"{spec.name} failed.")
    return text


async def _result(spec: ServerToolSpec, args: dict[str, Any]) -> Any:
    """A session may be over without anybody having noticed, such as that of a server which was
    started anew. Where the server has not seen the call, it is made again in a new session."""
    reports = _reports()
    try:
        return await _ask(spec, args, reports)
    except Exception as error:
        if not _was_over(error):
            raise
    return await _ask(spec, args, reports)


async def _ask(spec: ServerToolSpec, args: dict[str, Any], reports: Any) -> Any:
    async with session(spec.server) as found:
        return await found.call_tool(spec.own_name, args, progress_callback=reports)


def _was_over(error: Exception) -> bool:
    """The line to its process was closed before, or the server no longer knows the session: the
    library makes such an error of status 404, with a code that no server uses."""
    from anyio import ClosedResourceError
    from mcp.shared.exceptions import McpError

    if isinstance(error, McpError):
        return error.error.code == SESSION_TERMINATED
    return isinstance(error, ClosedResourceError)


def _reports() -> Any:
    """What the server reports arrives in the session's own task, which knows of no call."""
    tell = reporter()

    async def report(progress: float, total: float | None, message: str | None) -> None:
        part = f"{progress:g} / {total:g}" if total else f"{progress:g}"
        tell(message or part, {"done": progress, "total": total})

    return report


def _text(block: Any) -> str:
    """A model reads text; of all else it learns that it is there."""
    if block.type == "text":
        return str(block.text)
    if block.type == "resource":
        return str(getattr(block.resource, "text", f"[A file: {block.resource.uri}]"))
    return f"[A link: {block.uri}]" if block.type == "resource_link" else f"[{block.type}]"
