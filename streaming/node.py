"""A web process: one Redis client, one subscription, and the watches over all of its sockets.

Made with the first socket, on that socket's event loop, because not every server has a start-up
hook (Daphne has none).
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from redis.exceptions import RedisError

from conversations.models import Generation
from streaming import metrics, protocol
from streaming.database import AWAY, DatabaseThreads
from streaming.delivery import channel_of, layer
from streaming.follow import Follow
from streaming.identity import still_valid
from streaming.log import StreamLog, cancel_channel, queue_key
from streaming.redis import connect

if TYPE_CHECKING:
    from streaming.consumers import ChatConsumer
    from streaming.feed import Feed

logger = structlog.get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

DATABASE_THREADS = 4
CHECK_SECONDS = 3
TICK_SECONDS = 5
IDENTITY_SECONDS = 30
SOCKETS_IN_A_QUERY = 500
MAX_UNCONFIRMED = 1024 * 1024


class Node:
    """Everything that the sockets of one event loop share."""

    unreachable = (RedisError, OSError)
    database_down = AWAY

    def __init__(self) -> None:
        self.in_database = DatabaseThreads(DATABASE_THREADS)
        self.redis = connect()
        self.log = StreamLog(self.redis)
        self.layer = layer()
        self.sockets: set[ChatConsumer] = set()
        self.feeds: set[Feed] = set()
        self.draining = False
        self._group = f"node.{uuid.uuid4().hex}"
        self._rung_at: float | None = None
        loop = asyncio.get_running_loop()
        watches = [
            (self.check_positions, CHECK_SECONDS),
            (self.tick, TICK_SECONDS),
            (self.check_identities, IDENTITY_SECONDS),
        ]
        self._tasks = {loop.create_task(self._for_ever(*watch)) for watch in watches}

    async def in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = await sync_to_async(call, thread_sensitive=False)(*args, **kwargs)
        return result

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let work go on by itself, even should the socket that caused it close."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def publish(self, *news: tuple[str, protocol.Event]) -> None:
        """Each to its group, in this order and in one round trip."""
        pipe = self.redis.pipeline(transaction=False)
        for group, event in news:
            pipe.publish(channel_of(group), protocol.encode(event))
        await pipe.execute()

    async def announce_cancel(self, generation: str) -> None:
        await self.redis.publish(cancel_channel(), generation)

    async def waiting(self) -> int:
        """How many generations wait in the broker."""
        return int(await self.redis.llen(queue_key()))

    # --- Position check: a lost event that nothing follows shows no gap --------------------------
    async def check_positions(self) -> None:
        now = time.monotonic()
        pairs = [(feed, follow) for feed in self.feeds for follow in feed.follows.values()]
        self._close_the_slow(pairs, now)
        idle = [
            (feed, follow)
            for feed, follow in pairs
            if not (follow.ended or follow.busy) and follow.paused_at is None
        ]
        if not idle:
            return
        await self._catch_up_the_late(idle)
        quiet = [pair for pair in idle if now - pair[1].heard_at > CHECK_SECONDS]
        await self._tell_the_end(quiet)

    def _close_the_slow(self, pairs: "list[tuple[Feed, Follow]]", now: float) -> None:
        held: dict[Feed, int] = {}
        for feed, follow in pairs:
            held[feed] = held.get(feed, 0) + follow.unconfirmed
            since = None if follow.ended else follow.paused_at
            too_long = since is not None and now - since > settings.MAX_PAUSE_SECONDS
            if too_long or held[feed] > MAX_UNCONFIRMED:
                feed.end(protocol.CLOSE_TOO_SLOW)

    async def _catch_up_the_late(self, pairs: "list[tuple[Feed, Follow]]") -> None:
        generations = list({follow.generation for _, follow in pairs})
        try:
            newest = dict(zip(generations, await self.log.newest(generations), strict=True))
        except self.unreachable as error:
            logger.warning("positions_not_checked", error=str(error))
            return
        for feed, follow in pairs:
            # An event may be on its way just now; only what stays behind is late.
            if newest[follow.generation] > follow.position and self._is_quiet(follow):
                metrics.LATE.inc()
                feed.catch_up_soon(follow)

    @staticmethod
    def _is_quiet(follow: Follow) -> bool:
        return time.monotonic() - follow.heard_at > 0.5

    async def _tell_the_end(self, quiet: "list[tuple[Feed, Follow]]") -> None:
        generations = {follow.generation for _, follow in quiet}
        if not generations:
            return
        try:
            ended = await self.in_database(ended_among, generations)
        except self.database_down as error:
            logger.warning("ends_not_checked", error=str(error))
            return
        for feed, follow in quiet:
            if follow.generation in ended:
                feed.catch_up_soon(follow)

    # --- Watchdog: a line that is half open is deaf without any error ----------------------------
    async def tick(self) -> None:
        """Ring our own doorbell. Where Redis takes the ring and we do not hear it for two ticks,
        the subscription is dead: make a new one, and let the sockets come back to it."""
        try:
            # May wait behind the subscriptions of a crowd of sockets, which is no sign of deafness:
            # time counts from a ring that Redis has taken.
            await self.layer.listen(self._group, self._hear)
            await self.redis.publish(channel_of(self._group), b'{"type":"tick"}')
        except self.unreachable as error:
            logger.warning("redis_unreachable", error=str(error))
            self._rung_at = None
            return
        now = time.monotonic()
        if self._rung_at is None:
            self._rung_at = now
        elif now - self._rung_at > 2 * TICK_SECONDS - 1:
            logger.error("channel_layer_deaf", sockets=len(self.sockets))
            metrics.LAYER_DEAF.inc()
            self._rung_at = None
            await self.layer.flush()
            self.end_all(protocol.CLOSE_RESTART)

    def _hear(self, frame: bytes) -> None:
        self._rung_at = None

    # --- Identity --------------------------------------------------------------------------------
    async def check_identities(self) -> None:
        sockets = [socket for socket in self.sockets if socket.identity is not None]
        for start in range(0, len(sockets), SOCKETS_IN_A_QUERY):
            await self.check_these(sockets[start : start + SOCKETS_IN_A_QUERY])

    async def check_these(self, sockets: "list[ChatConsumer]") -> None:
        asked = [socket.identity for socket in sockets if socket.identity is not None]
        try:
            valid = await self.in_database(still_valid, asked)
        except self.database_down as error:
            logger.warning("identities_not_checked", error=str(error))
            return
        for socket in sockets:
            if socket.identity is not None and socket.identity.session_key not in valid:
                socket.end(protocol.CLOSE_NO_SESSION)

    # --- Going down ------------------------------------------------------------------------------
    def end_all(self, code: int) -> None:
        for feed in list(self.feeds):
            feed.end(code)

    async def _for_ever(self, watch: Callable[[], Coroutine[Any, Any, None]], every: float) -> None:
        """A watch that breaks is a bug that must be seen, and must not stop the others."""
        while True:
            await asyncio.sleep(every)
            try:
                await watch()
            except Exception:
                logger.exception("watch_broke", watch=watch.__qualname__)


def ended_among(generations: set[str]) -> set[str]:
    """Those that have ended; one that is gone has ended too."""
    active = Generation.objects.filter(pk__in=generations, status__in=Generation.ACTIVE)
    return generations - {str(pk) for pk in active.values_list("pk", flat=True)}


_nodes: dict[asyncio.AbstractEventLoop, Node] = {}


def node() -> Node:
    """The node of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _nodes:
        _nodes[loop] = Node()
    return _nodes[loop]


def nodes() -> list[Node]:
    return list(_nodes.values())
