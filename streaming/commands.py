"""What a command does. The acknowledgement always comes before the events that it causes."""

from typing import TYPE_CHECKING

from conversations.access import conversation_of, generation_of
from conversations.models import Generation
from conversations.settings import DEFAULTS
from streaming import metrics, protocol
from streaming.catch_up import rows_for_resume
from streaming.dispatch import ask_to_stop, send_out, stop, store, store_retry
from streaming.protocol import Ack, Event
from streaming.snapshot import START, StreamPosition

if TYPE_CHECKING:
    from streaming.consumers import ChatConsumer


class Commands:
    def __init__(self, socket: "ChatConsumer") -> None:
        self._socket = socket
        self._feed = socket.feed
        self._node = socket.node
        self._user = socket.user

    async def obey(self, command: protocol.AnyCommand) -> None:
        """Raises NotFound, Refused, and what Redis and the database raise when they are away."""
        match command:
            case protocol.Submit():
                await self.submit(command)
            case protocol.Retry():
                await self.retry(command)
            case protocol.Cancel():
                await self.cancel(command)
            case protocol.Resume():
                await self.resume(command)
            case protocol.Leave():
                await self._feed.leave(str(command.conversation))
                self._socket.put(Ack(id=command.id, conversation=command.conversation))
            case protocol.Received():
                self.received(command)
            case protocol.Ping():
                self._socket.put(protocol.Pong(id=command.id))

    async def submit(self, command: protocol.Submit) -> None:
        # Without Redis nothing would answer; better to say so before anything is stored.
        waiting = await self._node.waiting()
        stored, news = await self._node.in_database(
            store,
            self._user,
            client_message_id=command.client_message_id,
            conversation=command.conversation,
            parent=command.parent,
            text=command.text,
            model=command.model,
            attachments=command.attachments,
            wishes=command.settings or DEFAULTS,
        )
        await self._feed.join(str(stored.conversation.pk))
        self._socket.put(
            Ack(
                id=command.id,
                conversation=stored.conversation.pk,
                message=stored.message.pk,
                reply=stored.reply.pk,
                generation=stored.generation.pk,
            )
        )
        if stored.created:
            await self._begin(stored.generation, news, waiting)
        else:
            self._show_from_the_start(stored.generation)

    async def retry(self, command: protocol.Retry) -> None:
        waiting = await self._node.waiting()
        (reply, generation, created), news = await self._node.in_database(
            store_retry, self._user, command.message, command.model, command.goes_on
        )
        await self._feed.join(str(generation.conversation_id))
        self._socket.put(Ack(id=command.id, reply=reply.pk, generation=generation.pk))
        if created:
            await self._begin(generation, news, waiting)
        else:
            self._show_from_the_start(generation)

    async def _begin(self, generation: Generation, news: list[Event], waiting: int) -> None:
        self._feed.follow(str(generation.pk), str(generation.conversation_id))
        await send_out(self._node, self._user, generation, news, waiting)

    async def cancel(self, command: protocol.Cancel) -> None:
        found = await self._node.in_database(generation_of, self._user, command.generation)
        asked = await ask_to_stop(self._node, found)
        self._socket.put(Ack(id=command.id, generation=found.pk))
        if asked:
            await stop(self._node, found)

    async def resume(self, command: protocol.Resume) -> None:
        metrics.RESUMES.inc()
        conversation = await self._node.in_database(
            conversation_of, self._user, command.conversation
        )
        # Join, then read, then send, then live: in another order something falls in between.
        async with self._feed.joining(str(conversation.pk)):
            await self._node.redis.ping()
            rows = await self._node.in_database(
                rows_for_resume, conversation.pk, set(command.positions)
            )
        active = [row.pk for row in rows if row.is_active]
        self._socket.put(Ack(id=command.id, conversation=conversation.pk, active=active))
        for row in rows:
            follow = self._feed.follow(str(row.pk), str(conversation.pk))
            at = StreamPosition(*command.positions.get(row.pk, START))
            # A position that nobody can have reached is not one to count from.
            follow.rewind(at if at.attempt <= row.attempt else START)
            self._feed.catch_up_soon(follow)

    def _show_from_the_start(self, generation: Generation) -> None:
        follow = self._feed.follow(str(generation.pk), str(generation.conversation_id))
        follow.rewind(START)
        self._feed.catch_up_soon(follow)

    def received(self, command: protocol.Received) -> None:
        follow = self._feed.follows.get(str(command.generation))
        if follow and follow.confirm(StreamPosition(command.attempt, command.seq)):
            self._feed.catch_up_soon(follow)
