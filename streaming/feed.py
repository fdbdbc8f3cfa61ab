"""What one reader sees of the generations that it follows: every event once and in order.

Events come live from the channel layer's receive task; after a gap, and at the beginning, the rest
is read from the log, or from the database where the log cannot tell. A browser's socket and a
reader over HTTP are both readers: they differ in where the frames go.
"""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import structlog

from conversations.models import Generation
from streaming import metrics, protocol
from streaming.catch_up import missing_in_log, position_in, row_of, snapshot_of_row
from streaming.delivery import Listener, conversation_group
from streaming.follow import Follow
from streaming.snapshot import START, StreamPosition, follows

if TYPE_CHECKING:
    from streaming.node import Node

logger = structlog.get_logger(__name__)
FOLLOWS_KEPT = 256


class Feed:
    """`put` takes a frame for the reader; `end` closes it, with a close code of the protocol.
    With `only`, it follows that one generation."""

    def __init__(
        self,
        node: "Node",
        put: Callable[[bytes], None],
        end: Callable[[int], None],
        only: str | None = None,
    ) -> None:
        self.node = node
        self.put = put
        self.end = end
        self._only = only
        self.follows: dict[str, Follow] = {}
        self._groups: dict[str, Listener] = {}
        self._held: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        node.feeds.add(self)

    async def close(self) -> None:
        self.node.feeds.discard(self)
        for task in self._tasks:
            task.cancel()
        for group in list(self._groups):
            with contextlib.suppress(*self.node.unreachable):
                await self.unlisten(group)

    async def listen(self, group: str, listener: Listener) -> None:
        if group not in self._groups:
            self._groups[group] = listener
            try:
                await self.node.layer.listen(group, listener)
            except BaseException:
                self._groups.pop(group, None)
                await self.node.layer.unlisten(group, listener)
                raise

    async def unlisten(self, group: str) -> None:
        listener = self._groups.pop(group, None)
        if listener is not None:
            await self.node.layer.unlisten(group, listener)

    async def join(self, conversation: str) -> None:
        listener = functools.partial(self.on_event, conversation)
        await self.listen(conversation_group(conversation), listener)

    @contextlib.asynccontextmanager
    async def joining(self, conversation: str) -> AsyncIterator[None]:
        """Join, and hold back what arrives until the caller has read what there is: it is in the
        log too, and the acknowledgement comes first."""
        new = conversation_group(conversation) not in self._groups
        if new:
            self._held.add(conversation)
        try:
            await self.join(conversation)
            yield
        finally:
            self._held.discard(conversation)

    async def leave(self, conversation: str) -> None:
        await self.unlisten(conversation_group(conversation))
        for follow in [one for one in self.follows.values() if one.conversation == conversation]:
            del self.follows[follow.generation]

    def on_event(self, conversation: str, frame: bytes) -> None:
        if conversation in self._held:
            return None
        head = protocol.header(frame)
        if self._only is not None and head.generation != self._only:
            return None
        if head.type == "generation.queued":
            return self.put(frame)
        follow = self.follow(head.generation, conversation)
        if follow.busy or follow.paused_at is not None:
            follow.behind = True
        elif not follow.ended:
            self._pass(follow, head.type, StreamPosition(head.attempt, head.seq), frame)
        return None

    def follow(self, generation: str, conversation: str) -> Follow:
        found = self.follows.get(generation)
        if found is None:
            self._forget_the_ended()
            found = self.follows[generation] = Follow(generation, conversation)
        return found

    def _forget_the_ended(self) -> None:
        """A tab may stay open for weeks."""
        if len(self.follows) >= FOLLOWS_KEPT:
            self.follows = {key: one for key, one in self.follows.items() if not one.ended}

    def _pass(self, follow: Follow, kind: str, position: StreamPosition, frame: bytes) -> None:
        verdict = follows(follow.position, position, kind)
        if verdict == "gap":
            metrics.GAPS.inc()
            self.catch_up_soon(follow)
        elif verdict == "next":
            self.show(follow, kind, position, frame)

    def show(self, follow: Follow, kind: str, position: StreamPosition, frame: bytes) -> None:
        self.put(frame)
        follow.sent(position, len(frame))
        follow.ended = kind in protocol.TERMINAL_TYPES

    # --- Catching up -----------------------------------------------------------------------------
    def catch_up_soon(self, follow: Follow) -> None:
        follow.behind = True
        if not follow.busy:
            follow.busy = True
            self._spawn(self._catch_up(follow))

    async def _catch_up(self, follow: Follow) -> None:
        """Read until nothing has arrived while reading; from then on events are live again."""
        try:
            while follow.behind and not follow.ended and follow.paused_at is None:
                follow.behind = False
                await self.bring(follow)
        except (*self.node.unreachable, *self.node.database_down) as error:
            # The position check comes back to it.
            logger.warning("not_caught_up", generation=follow.generation, error=str(error))
        finally:
            follow.busy = False

    async def bring(self, follow: Follow) -> None:
        """Send what the client lacks of one generation, or a snapshot of its end."""
        row = await self.node.in_database(row_of, follow.generation)
        if row is None:
            follow.ended = True
            return
        try:
            frames = await missing_in_log(
                self.node.log,
                follow.generation,
                follow.conversation,
                str(row.message_id),
                follow.position,
            )
        except self.node.unreachable:
            if row.is_active:
                raise
            frames = None
        shown = 0
        for frame in frames or ():
            kind, position = position_in(frame)
            if follows(follow.position, position, kind) == "next":
                self.show(follow, kind, position, frame)
                shown += 1
            if follow.paused_at is not None:
                follow.behind = True
                return
        self._settle(follow, row, shown)

    def _settle(self, follow: Follow, row: Generation, shown: int) -> None:
        """A client that was told nothing by the log learns from the row what there is to know."""
        final = StreamPosition(row.attempt, row.seq)
        if row.is_active:
            if not shown and follow.position == START:
                self.put(snapshot_of_row(row))
            return
        if follow.position < final or not shown:
            frame = snapshot_of_row(row)
            self.put(frame)
            follow.sent(final, len(frame))
        follow.ended = True

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
