"""How a server is reached."""

import json
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from django.conf import settings

from llm.mcp.spec import ServerSpec
from llm.secrets import SecretLost, decrypt

if TYPE_CHECKING:
    from mcp import ClientSession

# How long a connection may be silent. The limit of a call is its own, and comes first.
SILENT_SECONDS = 3600.0


class ServerFailed(Exception):
    """Its text is a sentence that may be shown to users."""


def reason(error: ServerFailed) -> str:
    """What it was, for admins: of a group of errors, as the library raises them, the first one's
    own words."""
    cause = error.__cause__
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    if cause is None:
        return ""
    said = str(cause)
    return f"{type(cause).__name__}: {said}" if said else type(cause).__name__


def connect(server: ServerSpec) -> "AbstractAsyncContextManager[ClientSession]":
    """A session that is not yet initialised. Raises ServerFailed where there is nothing to try."""
    from langchain_mcp_adapters.sessions import create_session

    return create_session(_stdio(server) if server.transport == "stdio" else _http(server))


def _stdio(server: ServerSpec) -> Any:
    """The library gives a command a few harmless variables of the worker's environment and those of
    the server, and no others."""
    if server.command not in settings.MCP_COMMANDS:
        raise ServerFailed(f"The command of the MCP server {server.name} is not permitted.")
    return {
        "transport": "stdio",
        "command": server.command,
        "args": list(server.args),
        "env": _secrets(server),
    }


def _http(server: ServerSpec) -> Any:
    return {
        "transport": "streamable_http",
        "url": server.url,
        "headers": _secrets(server),
        "timeout": server.timeout,
        "sse_read_timeout": SILENT_SECONDS,
        "httpx_client_factory": _client,
    }


def _client(headers: Any = None, timeout: Any = None, auth: Any = None) -> Any:
    """Neither proxies nor credentials of the environment: a person typed the address in. And no
    redirects, which would take the headers along."""
    import httpx

    return httpx.AsyncClient(
        headers=headers, timeout=timeout, auth=auth, trust_env=False, follow_redirects=False
    )


def _secrets(server: ServerSpec) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(decrypt(server.encrypted_secrets) or "{}")
    except SecretLost:
        raise ServerFailed(f"The secrets of the MCP server {server.name} are lost.") from None
    return found
