"""The events of one generation, one after the other, for whoever reads them over HTTP.

The same feed as a browser's socket has, and so the same promise: every event after a position once
and in order, or one snapshot. It costs the process no connection to Redis of its own.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import structlog
from asgiref.sync import sync_to_async
from django.db import connections

from accounts.models import User
from conversations.models import Generation
from streaming.catch_up import position_in
from streaming.delivery import user_group
from streaming.feed import Feed
from streaming.identity import CHECK_IDENTITY
from streaming.node import IDENTITY_SECONDS, Node
from streaming.protocol import CLOSE_NO_SESSION, TERMINAL_TYPES, decode_event
from streaming.snapshot import STATUS, StreamPosition

logger = structlog.get_logger(__name__)
ENDED = frozenset(STATUS.values())


class Inbox:
    """What has come and was not taken yet."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._something = asyncio.Event()
        self.closed = False

    def put(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._something.set()

    def end(self, code: int) -> None:
        """Without a last event: who reads comes back, to this process or another."""
        self.closed = True
        self._something.set()

    async def get(self, timeout: float) -> bytes | None:
        """None: nothing came in time, or nothing comes any more."""
        while not self._frames:
            if self.closed:
                return None
            self._something.clear()
            try:
                await asyncio.wait_for(self._something.wait(), timeout)
            except TimeoutError:
                return None
        return self._frames.popleft()


async def read(
    node: Node,
    generation: Generation,
    after: StreamPosition,
    silence: float,
    user: User,
    stands: Callable[[], bool],
) -> AsyncIterator[bytes | None]:
    """Frames as the protocol has them. None after each `silence` seconds without any, so that a
    line can be kept open. Ends after the terminal event, or a snapshot that holds the end; sooner
    where this process goes down, the reader is too slow, or `stands` says that the user who reads
    may no longer.

    No connection to the database is held while it waits.

    Raises what Redis raises when it is away at the beginning.
    """
    # The thread of this request has one from looking up who asks, and would keep it to the end.
    await sync_to_async(connections.close_all)()
    inbox = Inbox()
    key, conversation = str(generation.pk), str(generation.conversation_id)
    feed = Feed(node, inbox.put, inbox.end, only=key)
    watch: asyncio.Task[None] | None = None
    try:
        # Join, then read: in another order something falls in between.
        await feed.join(conversation)
        follow = feed.follow(key, conversation)
        follow.rewind(after)
        feed.catch_up_soon(follow)
        watch = asyncio.create_task(end_with(stands, user, feed, node))
        while True:
            frame = await inbox.get(silence)
            # A generation that was deleted has no last event.
            if frame is None and (inbox.closed or follow.ended):
                return
            yield frame
            if frame is None:
                continue
            kind, position = position_in(frame)
            if follow.confirm(position):
                feed.catch_up_soon(follow)
            if is_end(kind, frame):
                return
    finally:
        if watch is not None:
            watch.cancel()
        await feed.close()


async def end_with(stands: Callable[[], bool], user: User, feed: Feed, node: Node) -> None:
    """Asked when the user's tabs are asked, and every now and then; a socket is, too."""
    asked = asyncio.Event()

    def hear(frame: bytes) -> None:
        if frame == CHECK_IDENTITY:
            asked.set()

    while True:
        try:
            await feed.listen(user_group(user.pk), hear)
            with suppress(TimeoutError):
                await asyncio.wait_for(asked.wait(), IDENTITY_SECONDS)
            asked.clear()
            if not await node.in_database(stands):
                return feed.end(CLOSE_NO_SESSION)
        except (*node.unreachable, *node.database_down) as error:
            logger.warning("reader_not_checked", user=user.pk, error=str(error))
            await asyncio.sleep(1)


def is_end(kind: str, frame: bytes) -> bool:
    return kind in TERMINAL_TYPES or (kind == "snapshot" and decode_event(frame)["status"] in ENDED)
