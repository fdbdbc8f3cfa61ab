"""One browser tab. One method for each kind of message.

Stream events come from the channel layer's receive task straight into the feed, past Channels'
dispatch, which hops through the database thread before every message. They leave through `outbox`
and one sender, in the order in which they were put.
"""

import asyncio
import contextlib
from collections import deque
from typing import Any

import structlog
from channels.consumer import AsyncConsumer
from django.utils import translation
from django.utils.translation import gettext as _

from conversations.access import NotFound
from conversations.submit import Refused
from streaming import metrics, protocol
from streaming.commands import Commands
from streaming.delivery import user_group
from streaming.feed import Feed
from streaming.flood import BURST, Bucket
from streaming.identity import CHECK_IDENTITY, Identity, identify
from streaming.node import Node, node
from streaming.protocol import BadCommand, Error

logger = structlog.get_logger(__name__)

FRAME_BYTES = 256 * 1024
LISTEN_AGAIN_SECONDS = 1


class ChatConsumer(AsyncConsumer):
    # No channel of its own: groups are listened to directly, which spares Redis one subscription
    # and this process one task for each idle tab.
    channel_layer_alias = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.base_send = scope, send
        self.node: Node = node()
        self.identity: Identity | None = None
        self.feed = Feed(self.node, self.put_frame, self.end)
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
            await self.feed.listen(user_group(self.user.pk), self.on_user_event)
        except self.node.unreachable:
            self.spawn(self._listen_later())
        return None

    async def _listen_later(self) -> None:
        while True:
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)
            with contextlib.suppress(*self.node.unreachable):
                return await self.feed.listen(user_group(self.user.pk), self.on_user_event)

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
        await self.feed.close()

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
    def on_user_event(self, frame: bytes) -> None:
        if frame == CHECK_IDENTITY:
            self.spawn(self.node.check_these([self]))
        else:
            self.put_frame(frame)

    def spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
