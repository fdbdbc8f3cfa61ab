"""A real MCP server in a process of its own: `python -m tests.mcp_server stdio`, or `http PORT`."""

import asyncio
import os
import sys
from typing import Any

from mcp.server.fastmcp import Context, FastMCP
from mcp.types import ToolAnnotations

READS = ToolAnnotations(readOnlyHint=True)


def made(port: int) -> FastMCP[Any]:
    server: FastMCP[Any] = FastMCP("tests", host="127.0.0.1", port=port, log_level="ERROR")

    @server.tool(annotations=READS)
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @server.tool()
    def whoami() -> str:
        """The process, and the variables that it was given."""
        return f"{os.getpid()} {os.environ.get('GREETING')} {os.environ.get('SECRET_KEY')}"

    @server.tool()
    def fail() -> str:
        """Goes wrong."""
        raise ValueError("the kettle is empty")

    @server.tool()
    async def hang() -> str:
        """Has no end."""
        await asyncio.Event().wait()
        return "never"

    @server.tool()
    def die() -> str:
        """Ends the server."""
        os._exit(1)

    @server.tool()
    async def report(context: Context[Any, Any, Any]) -> str:
        """Says how far it is."""
        await context.report_progress(1, 2, "Half way")
        return "reported"

    server._tool_manager._tools["add"].parameters["additionalProperties"] = False
    broken = server._tool_manager.add_tool(add, name="broken", description="No schema at all.")
    broken.parameters = {"type": "object", "properties": {"a": {"type": "nonsense"}}}
    return server


if __name__ == "__main__":
    way, *port = sys.argv[1:]
    made(int(port[0]) if port else 0).run("stdio" if way == "stdio" else "streamable-http")
