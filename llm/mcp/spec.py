"""MCP servers and their tools as plain data, without the database."""

from collections.abc import Iterable
from typing import Any

import msgspec

from llm.models import ServerTool, ToolServer
from llm.models.tool_server import SEPARATOR


class ServerSpec(msgspec.Struct, frozen=True):
    """Secrets are as they are stored: encrypted. Two that are equal can share a session."""

    name: str
    transport: str
    url: str
    command: str
    args: tuple[str, ...]
    encrypted_secrets: str
    timeout: float


class ServerToolSpec(msgspec.Struct, frozen=True):
    """`name` is what models call it, `own_name` what its server does. `asks`: it runs only if the
    user approves."""

    server: ServerSpec
    name: str
    own_name: str
    description: str
    schema: dict[str, Any]
    acts: bool
    asks: bool = False


def is_of_a_server(name: str) -> bool:
    return SEPARATOR in name


def server_spec(server: ToolServer) -> ServerSpec:
    return ServerSpec(
        name=server.name,
        transport=server.transport,
        url=server.url,
        command=server.command,
        args=tuple(server.args),
        encrypted_secrets=server.encrypted_secrets,
        timeout=server.timeout,
    )


def server_tools(names: Iterable[str]) -> tuple[ServerToolSpec, ...]:
    """Those of these names that may be used now: what an admin has switched off is no longer there,
    and a model is not to fail for it. No query where no name is one of a server."""
    wanted = {name: tuple(name.split(SEPARATOR, 1)) for name in names if is_of_a_server(name)}
    if not wanted:
        return ()
    rows = ServerTool.objects.select_related("server").filter(
        server__enabled=True,
        problem="",
        permission__in=[ServerTool.Permission.ALLOWED, ServerTool.Permission.ASK],
        server__name__in={server for server, _ in wanted.values()},
    )
    found = {row.full_name: row for row in rows}
    return tuple(_tool_spec(found[name]) for name in wanted if name in found)


def _tool_spec(tool: ServerTool) -> ServerToolSpec:
    return ServerToolSpec(
        server=server_spec(tool.server),
        name=tool.full_name,
        own_name=tool.name,
        description=tool.description,
        schema=tool.schema,
        acts=tool.acts,
        asks=tool.permission == ServerTool.Permission.ASK,
    )
