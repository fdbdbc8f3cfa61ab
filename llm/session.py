"""One HTTP client session for each event loop."""

import asyncio
import ssl
from functools import cache
from typing import Any

import aiohttp
import certifi
import httpx2
from django.conf import settings

from llm.mcp.pool import close_all

IDLE_CONNECTION_SECONDS = 15

_sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}
_library_clients: dict[asyncio.AbstractEventLoop, httpx2.AsyncClient] = {}


def session() -> aiohttp.ClientSession:
    """The running loop's. No connection limit: how many streams run is the worker's decision."""
    loop = asyncio.get_running_loop()
    known = _sessions.get(loop)
    if known is not None and not known.closed:
        return known
    _forget_closed_loops(_sessions)
    _sessions[loop] = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, keepalive_timeout=IDLE_CONNECTION_SECONDS, ssl=ssl_context()
        ),
        timeout=timeout(settings.LLM_CONNECT_TIMEOUT),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )
    return _sessions[loop]


def timeout(connect: float) -> aiohttp.ClientTimeout:
    """The whole answer has no limit here, and a read timeout would be a timer per token that
    keep-alive comments reset."""
    return aiohttp.ClientTimeout(total=None, connect=connect, sock_read=None)


def library_client() -> httpx2.AsyncClient:
    """The running loop's client for the library's own way of streaming. The one that it would make
    itself is shared by all loops, and trusts proxies named in the environment."""
    loop = asyncio.get_running_loop()
    known = _library_clients.get(loop)
    if known is None or known.is_closed:
        _forget_closed_loops(_library_clients)
        known = _library_clients[loop] = httpx2.AsyncClient(
            verify=ssl_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(
                settings.LLM_FIRST_TOKEN_TIMEOUT, connect=settings.LLM_CONNECT_TIMEOUT
            ),
            limits=httpx2.Limits(max_connections=None, keepalive_expiry=IDLE_CONNECTION_SECONDS),
        )
    return known


async def close_session() -> None:
    """Close what the running loop holds; the next stream opens it anew."""
    await close_all()
    loop = asyncio.get_running_loop()
    if (known := _sessions.pop(loop, None)) is not None:
        await known.close()
    if (client := _library_clients.pop(loop, None)) is not None:
        await client.aclose()


def _forget_closed_loops(held: dict[asyncio.AbstractEventLoop, Any]) -> None:
    for loop in [loop for loop in held if loop.is_closed()]:
        del held[loop]


@cache
def ssl_context() -> ssl.SSLContext:
    """The machine's authorities (a private one among them) and the usual ones: slim container
    images come without any."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
