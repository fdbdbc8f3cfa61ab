"""One browser tab. One method for each command, one for stream events.

Stream events come from the channel layer's receive task straight into `on_event`, past Channels'
dispatch, which hops through the database thread before every message. They leave through `outbox`
and one sender, in the order in which they were put.
"""

import asyncio
import contextlib
import functools
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import structlog
from channels.consumer import AsyncConsumer
from django.utils import translation
from django.utils.translation import gettext as _

from conversations.access import NotFound
from conversations.models import Generation
from conversations.submit import Refused
from streaming import metrics, protocol
from streaming.catch_up import missing_in_log, position_in, row_of, snapshot_of_row
from streaming.commands import Commands
from streaming.delivery import conversation_group, user_group
from streaming.flood import BURST, Bucket
from streaming.follow import Follow
from streaming.identity import CHECK_IDENTITY, Identity, identify
from streaming.node import Node, node
from streaming.protocol import BadCommand, Error
from streaming.snapshot import START, StreamPosition, follows

logger = structlog.get_logger(__name__)

FRAME_BYTES = 256 * 1024
LISTEN_AGAIN_SECONDS = 1
FOLLOWS_KEPT = 256


class ChatConsumer(AsyncConsumer):
    # No channel of its own: groups are listened to directly, which spares Redis one subscription
    # and this process one task for each idle tab.
    channel_layer_alias = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.base_send = scope, send
        self.node: Node = node()
        self.identity: Identity | None = None
        self.follows: dict[str, Follow] = {}
        self._groups: dict[str, Any] = {}
        self._held: set[str] = set()
        self._inbox: deque[dict[str, Any]] = deque()
        self._outbox: deque[bytes] = deque()
        self._obeying = self._sending = False
        self._close_code: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._bucket = Bucket()
        metrics.SOCKETS.inc()
        # Daphne cancels an application that it no longer wants and never calls `disconnect` on
        # shutdown, so cleaning up belongs here.
        try:
            await self._read(receive)
        finally:
            await self._clean_up()

    async def _read(self, receive: Any) -> None:
        """Count commands as they arrive, not as they are obeyed: while one waits for the database,
        those behind it pile up in memory, and a flood of slow ones would never look like one."""
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            if message["type"] == "websocket.connect" or self._admit(message):
                self._inbox.append(message)
                if not self._obeying:
                    self._obeying = True
                    self.spawn(self._obey_all())

    def _admit(self, message: dict[str, Any]) -> bool:
        if self._close_code is not None:
            return False
        if len(self._inbox) < BURST and self._bucket.take():
            return self._fits(message.get("text") or "")
        self.refuse(None, protocol.TOO_MANY, _("Too many commands at once."), retryable=True)
        self.end(protocol.CLOSE_FLOOD)
        return False

    def _fits(self, text: str) -> bool:
        if len(text) <= FRAME_BYTES and len(text.encode()) <= FRAME_BYTES:
            return True
        self.refuse(None, protocol.TOO_LARGE, f"A frame holds at most {FRAME_BYTES} bytes.")
        return False

    async def _obey_all(self) -> None:
        """One after the other, in their order; a task that lives only while there is something to
        do, for most tabs are idle."""
        try:
            while self._inbox:
                message = self._inbox.popleft()
                await getattr(self, message["type"].replace(".", "_"))(message)
        except Exception:
            logger.exception("socket_broke")
            self.end(protocol.CLOSE_RESTART)
        finally:
            self._obeying = False

    # --- The socket's life -----------------------------------------------------------------------
    async def websocket_connect(self, message: dict[str, Any]) -> None:
        # Accept first: the handshake has a time limit, the database has not.
        await self.base_send({"type": "websocket.accept"})
        self.node.sockets.add(self)
        try:
            self.identity = await self.node.in_database(identify, self.scope["headers"])
        except self.node.database_down:
            logger.exception("identity_unknown")
            return self.end(protocol.CLOSE_RESTART)
        if self.identity is None:
            return self.end(protocol.CLOSE_NO_SESSION)
        if self.node.draining:
            return self.end(protocol.CLOSE_RESTART)
        self.user = self.identity.user
        self.commands = Commands(self)
        # Before the first command, so that whoever has an answer knows that it will hear the news.
        # Should Redis be away, that is no reason to keep the tab waiting.
        try:
            await self.listen(user_group(self.user.pk), self.on_user_event)
        except self.node.unreachable:
            self.spawn(self._listen_later())
        return None

    async def _listen_later(self) -> None:
        while True:
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)
            with contextlib.suppress(*self.node.unreachable):
                return await self.listen(user_group(self.user.pk), self.on_user_event)

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        if self._close_code is not None or self.identity is None:
            return None
        text = message.get("text")
        if text is None:
            return self.refuse(None, protocol.BAD_COMMAND, "expected a text frame, got bytes")
        with translation.override(self.identity.language):
            await self._obey(text)
        return None

    async def _obey(self, text: str) -> None:
        try:
            command = protocol.decode_command(text)
        except BadCommand as error:
            return self.refuse(error.id, protocol.BAD_COMMAND, str(error))
        metrics.COMMANDS.labels(type(command).__struct_config__.tag).inc()
        try:
            await self.commands.obey(command)
        except NotFound as error:
            self.refuse(command.id, protocol.NOT_FOUND, str(error))
        except Refused as error:
            self.refuse(command.id, error.code, str(error), retryable=error.retryable)
        except (*self.node.unreachable, *self.node.database_down) as error:
            logger.warning("command_not_done", error=str(error), command=type(command).__name__)
            self.refuse_for_now(command.id)
        except Exception:
            logger.exception("command_broke", command=type(command).__name__)
            sentence = _("Something went wrong on our side. Try again.")
            self.refuse(command.id, protocol.INTERNAL, sentence, retryable=True)
        return None

    async def _clean_up(self) -> None:
        self.node.sockets.discard(self)
        metrics.SOCKETS.dec()
        for task in self._tasks:
            task.cancel()
        for group in list(self._groups):
            with contextlib.suppress(*self.node.unreachable):
                await self.unlisten(group)

    # --- What goes out ---------------------------------------------------------------------------
    def put(self, event: protocol.Event) -> None:
        self.put_frame(protocol.encode(event))

    def put_frame(self, frame: bytes) -> None:
        self._outbox.append(frame)
        self._send_soon()

    def refuse(
        self, command: str | None, code: str, sentence: str, *, retryable: bool = False
    ) -> None:
        metrics.ERRORS.labels(code).inc()
        self.put(Error(id=command, code=code, message=sentence, retryable=retryable))

    def refuse_for_now(self, command: str | None) -> None:
        metrics.ERRORS.labels(protocol.UNAVAILABLE).inc()
        sentence = _("The service is catching its breath. Your message was not lost; try again.")
        self.put(
            Error(
                id=command,
                code=protocol.UNAVAILABLE,
                message=sentence,
                retryable=True,
                retry_after=2,
            )
        )

    def end(self, code: int) -> None:
        """Close the socket, after what is in the outbox. The first code wins."""
        if self._close_code is None:
            self._close_code = code
            metrics.CLOSED.labels(str(code)).inc()
            self._send_soon()

    def _send_soon(self) -> None:
        if not self._sending:
            self._sending = True
            self.spawn(self._send_all())

    async def _send_all(self) -> None:
        try:
            while self._outbox:
                frame = self._outbox.popleft()
                await self.base_send({"type": "websocket.send", "text": frame.decode()})
            if self._close_code is not None:
                await self.base_send({"type": "websocket.close", "code": self._close_code})
        finally:
            self._sending = self._close_code is not None

    # --- What comes in from the channel layer ----------------------------------------------------
    async def listen(self, group: str, listener: Any) -> None:
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

    def on_user_event(self, frame: bytes) -> None:
        if frame == CHECK_IDENTITY:
            self.spawn(self.node.check_these([self]))
        else:
            self.put_frame(frame)

    def on_event(self, conversation: str, frame: bytes) -> None:
        if conversation in self._held:
            return None
        head = protocol.header(frame)
        if head.type == "generation.queued":
            return self.put_frame(frame)
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
        self.put_frame(frame)
        follow.sent(position, len(frame))
        follow.ended = kind in protocol.TERMINAL_TYPES

    # --- Catching up -----------------------------------------------------------------------------
    def catch_up_soon(self, follow: Follow) -> None:
        follow.behind = True
        if not follow.busy:
            follow.busy = True
            self.spawn(self._catch_up(follow))

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
                self.put_frame(snapshot_of_row(row))
            return
        if follow.position < final or not shown:
            frame = snapshot_of_row(row)
            self.put_frame(frame)
            follow.sent(final, len(frame))
        follow.ended = True

    def spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
