"""What an idle socket costs: thousands of users, each with one tab open, on one web node."""

import asyncio
import resource
import time
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import uvloop
from redis.asyncio import Redis

from benchmarks.processes import CpuMeter, Stage, Watched, memory
from benchmarks.servers import Server, web_node

AT_ONCE = 50
WARM_UP = 100
WATCH_SECONDS = 20
LISTENING_SECONDS = 120


class Crowd:
    """Tabs of as many users as there are cookies. They answer pings, and say nothing."""

    def __init__(self, server: Server, redis_url: str) -> None:
        self._server = server
        self._redis = Redis.from_url(redis_url)
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._open = AsyncExitStack()

    async def enter(self, cookies: list[str]) -> None:
        http = await self._open.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        sockets = await asyncio.gather(*(self._connect(http, cookie) for cookie in cookies))
        self._readers = [asyncio.create_task(socket.receive()) for socket in sockets]
        await self._until_all_listen(len(cookies))

    async def leave(self) -> None:
        for reader in self._readers:
            reader.cancel()
        await self._open.aclose()
        await self._until_all_listen(0)
        await self._redis.aclose()

    def gone(self) -> int:
        """Sockets that the server has closed, or on which it has spoken."""
        return sum(reader.done() for reader in self._readers)

    async def _connect(
        self, http: aiohttp.ClientSession, cookie: str
    ) -> aiohttp.ClientWebSocketResponse:
        async with self._gate:
            headers = {"Cookie": f"sessionid={cookie}"}
            context = http.ws_connect(self._server.url, headers=headers, compress=0)
            return await self._open.enter_async_context(context)

    async def _until_all_listen(self, users: int) -> None:
        """A tab is complete when its node listens to the user's channel."""
        deadline = time.monotonic() + LISTENING_SECONDS
        while time.monotonic() < deadline:
            listening = len(await self._redis.pubsub_channels("*__group__user.*"))
            if listening == users:
                return
            await asyncio.sleep(0.1)
        raise RuntimeError(
            f"the node listens to {listening} users, not to {users}; {self.gone()} sockets are gone"
        )


async def observe(server: Server, redis_url: str, web: Watched) -> str:
    warm_up = Crowd(server, redis_url)
    await warm_up.enter(server.cookies[:WARM_UP])
    await warm_up.leave()
    before = memory([web])["web"]
    crowd = Crowd(server, redis_url)
    began = time.monotonic()
    await crowd.enter(server.cookies)
    took = time.monotonic() - began
    after = memory([web])["web"]
    meter = CpuMeter(server.processes)
    await asyncio.sleep(WATCH_SECONDS)
    later = memory([web])["web"]
    spent, gone = meter.read(), crowd.gone()
    await crowd.leave()
    count = len(server.cookies)
    cpu = ", ".join(f"{name} {100 * s / WATCH_SECONDS:.1f} %" for name, s in spent.items())
    return "\n".join(
        [
            f"{count} idle sockets on one web node, {gone} of them lost",
            f"opened in {took:.1f} s ({count / took:.0f} a second)",
            f"memory of the node: {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after, "
            f"{later / 1e6:.0f} MB {WATCH_SECONDS} s later",
            f"memory of a socket: {(max(after, later) - before) / count / 1024:.1f} KiB",
            f"CPU while idle: {cpu}",
        ]
    )


def raise_open_files(sockets: int) -> None:
    """For this process and, by inheritance, for the node."""
    wanted = sockets + 1000
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{sockets} sockets need {wanted} open files; the limit is {hard}.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main(folder: Path, sockets: int) -> None:
    raise_open_files(sockets)
    with Stage(folder) as stage:
        server, env = web_node(stage, sockets)
        web = next(each for each in server.processes if each.name == "web")
        print(uvloop.run(observe(server, env["REDIS_URL"], web)))
