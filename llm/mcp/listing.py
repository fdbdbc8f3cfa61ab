"""What a server has, fetched for an admin to decide upon."""

import asyncio
import json
import re
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone

from llm.mcp.connection import ServerFailed, connect
from llm.mcp.pool import failure
from llm.mcp.spec import ServerSpec, server_spec
from llm.models import ServerTool, ToolServer
from llm.models.tool_server import SEPARATOR

# What every provider takes as the name of a tool.
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
MAX_TOOLS = 200
MAX_SCHEMA_BYTES = 32 * 1024
MAX_DESCRIPTION_CHARS = 4_000


class Listed(msgspec.Struct, frozen=True):
    name: str
    description: str
    schema: dict[str, Any]
    acts: bool


def fetch(server: ToolServer) -> list[ServerTool]:
    """Ask the server, and keep what it has: new tools are off, known ones keep their permission,
    and those that are gone go. Raises ServerFailed."""
    found = asyncio.run(_listed(server_spec(server)))
    with transaction.atomic():
        rows = [_keep(server, tool) for tool in found]
        server.tools.exclude(pk__in=[row.pk for row in rows]).delete()
        server.fetched_at = timezone.now()
        server.save(update_fields=["fetched_at"])
    return rows


def _keep(server: ToolServer, tool: Listed) -> ServerTool:
    problem = problem_of(f"{server.name}{SEPARATOR}{tool.name}", tool.schema)
    row, _ = ServerTool.objects.update_or_create(
        server=server,
        name=tool.name[:128],
        defaults={
            "description": tool.description[:MAX_DESCRIPTION_CHARS],
            "schema": {} if problem else tool.schema,
            "problem": problem[:500],
        },
        create_defaults={
            "description": tool.description[:MAX_DESCRIPTION_CHARS],
            "schema": {} if problem else tool.schema,
            "problem": problem[:500],
            "acts": tool.acts,
        },
    )
    return row


async def _listed(server: ServerSpec) -> list[Listed]:
    try:
        async with asyncio.timeout(server.timeout), connect(server) as session:
            await session.initialize()
            return await _all_tools(session)
    except TimeoutError:
        raise ServerFailed(
            f"The MCP server {server.name} did not answer within {server.timeout:g} seconds."
        ) from None
    except Exception as error:
        raise failure(server, error) from error


async def _all_tools(session: Any) -> list[Listed]:
    found: list[Listed] = []
    cursor = None
    while len(found) < MAX_TOOLS:
        page = await session.list_tools(cursor=cursor)
        found += [_read(tool) for tool in page.tools]
        cursor = page.nextCursor
        if not cursor:
            break
    return found[:MAX_TOOLS]


def _read(tool: Any) -> Listed:
    """A tool acts unless its server says that it only reads."""
    hints = tool.annotations
    acts = not (hints is not None and hints.readOnlyHint)
    return Listed(tool.name, tool.description or "", tool.inputSchema, acts)


def problem_of(name: str, schema: dict[str, Any]) -> str:
    """Why no model can be given it; empty where one can."""
    from jsonschema import Draft202012Validator, SchemaError

    if not NAME.fullmatch(name):
        return f"{name[:100]} is no name that models take: letters, digits, _ and -, 64 at most."
    text = json.dumps(schema)
    if len(text) > MAX_SCHEMA_BYTES:
        return f"Its schema is longer than {MAX_SCHEMA_BYTES} bytes."
    if schema.get("type") != "object":
        return f"Its schema must describe an object, and describes {schema.get('type')!r}."
    if re.search(r'"\$(ref|dynamicRef)": "(?!#)', text):
        return "Its schema refers to another document."
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"Its schema is broken at {error.json_path}: {error.message[:300]}"
    return ""
