"""One session for each server, process and event loop, shared by all answers.

A session belongs to a task of its own, because the library's scopes must be left in the task that
entered them. One that failed, or whose call had no end, gets no new calls, and is closed when its
last call is over: a server that hangs in one tool must not end the calls of others.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from typing import TYPE_CHECKING

import structlog

from llm.mcp.connection import ServerFailed, connect
from llm.mcp.spec import ServerSpec

if TYPE_CHECKING:
    from mcp import ClientSession

logger = structlog.get_logger(__name__)

IDLE_SECONDS = 300.0
GOODBYE_SECONDS = 5.0

_pools: dict[asyncio.AbstractEventLoop, dict[ServerSpec, "Connection"]] = {}


class Connection:
    def __init__(self, server: ServerSpec) -> None:
        self.server = server
        self.calls = 0
        self.is_over = False
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[ClientSession] = loop.create_future()
        self._end = asyncio.Event()
        self._idle: asyncio.TimerHandle | None = None
        # In a context of its own: it outlives the answer that happens to need it first.
        self.task = asyncio.create_task(self._live(), context=Context())

    async def _live(self) -> None:
        try:
            async with connect(self.server) as session:
                await session.initialize()
                if not self.ready.done():
                    self.ready.set_result(session)
                await self._end.wait()
        except Exception as error:
            # Whatever the library and the transport below it raise: the next call tries again.
            logger.exception("mcp_session_failed", server=self.server.name)
            if not self.ready.done():
                self.ready.set_exception(failure(self.server, error))
                # Whoever waited for it may be gone.
                self.ready.exception()
        finally:
            self.is_over = True
            self.ready.cancel()

    def begin(self) -> None:
        self.calls += 1
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def finish(self) -> None:
        self.calls -= 1
        if self.calls:
            return
        if self.is_over:
            self.close()
        else:
            self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.retire)

    def retire(self) -> None:
        """Take no new calls, and close as soon as the last is over."""
        self.is_over = True
        if not self.calls:
            self.close()

    def close(self) -> None:
        self._end.set()
        if not self.ready.done():
            self.task.cancel()


@asynccontextmanager
async def session(server: ServerSpec) -> "AsyncIterator[ClientSession]":
    """Raises ServerFailed where the server cannot be reached."""
    connection = _connection(server)
    connection.begin()
    try:
        yield await asyncio.shield(connection.ready)
    except BaseException:
        # Also where it took too long: then whoever asked is cancelled.
        connection.retire()
        raise
    finally:
        connection.finish()


def _connection(server: ServerSpec) -> Connection:
    loop = asyncio.get_running_loop()
    for gone in [each for each in _pools if each.is_closed()]:
        del _pools[gone]
    pool = _pools.setdefault(loop, {})
    for over in [key for key, each in pool.items() if each.is_over]:
        del pool[over]
    if server not in pool:
        pool[server] = Connection(server)
    return pool[server]


async def close_all() -> None:
    """Of the running loop; commands that were started end with it."""
    tasks = [each.task for each in _end_all(asyncio.get_running_loop())]
    if not tasks:
        return
    _, left = await asyncio.wait(tasks, timeout=GOODBYE_SECONDS)
    for task in left:
        task.cancel()


def _end_all(loop: asyncio.AbstractEventLoop) -> list[Connection]:
    connections = list(_pools.pop(loop, {}).values())
    for connection in connections:
        connection.is_over = True
        connection.close()
    return connections


def failure(server: ServerSpec, error: BaseException) -> ServerFailed:
    if isinstance(error, ServerFailed):
        return error
    return ServerFailed(f"The MCP server {server.name} cannot be reached.")
