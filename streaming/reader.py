"""The events of one generation, one after the other, for whoever reads them over HTTP.

The same feed as a browser's socket has, and so the same promise: every event after a position once
and in order, or one snapshot. It costs the process no connection to Redis of its own.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.db import connections

from conversations.models import Generation
from streaming.catch_up import position_in
from streaming.feed import Feed
from streaming.node import Node
from streaming.protocol import TERMINAL_TYPES, decode_event
from streaming.snapshot import STATUS, StreamPosition

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
    node: Node, generation: Generation, after: StreamPosition, silence: float
) -> AsyncIterator[bytes | None]:
    """Frames as the protocol has them. None after each `silence` seconds without any, so that a
    line can be kept open. Ends after the terminal event, or a snapshot that holds the end; sooner
    where this process goes down, or the reader is too slow.

    No connection to the database is held while it waits.

    Raises what Redis raises when it is away at the beginning.
    """
    # The thread of this request has one from looking up who asks, and would keep it to the end.
    await sync_to_async(connections.close_all)()
    inbox = Inbox()
    key, conversation = str(generation.pk), str(generation.conversation_id)
    feed = Feed(node, inbox.put, inbox.end, only=key)
    try:
        # Join, then read: in another order something falls in between.
        await feed.join(conversation)
        follow = feed.follow(key, conversation)
        follow.rewind(after)
        feed.catch_up_soon(follow)
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
        await feed.close()


def is_end(kind: str, frame: bytes) -> bool:
    return kind in TERMINAL_TYPES or (kind == "snapshot" and decode_event(frame)["status"] in ENDED)
