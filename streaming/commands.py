"""What a command does. The acknowledgement always comes before the events that it causes."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from msgspec import UNSET

from accounts.models import User
from conversations.access import conversation_of, generation_of
from conversations.models import Generation, Message
from conversations.settings import DEFAULTS
from conversations.shapes import message_shape
from conversations.submit import Submitted, retry, submit
from streaming import lease, metrics, protocol
from streaming.cancel import cancel_queued
from streaming.catch_up import rows_for_resume
from streaming.delivery import conversation_group, user_group
from streaming.news import conversation_updated
from streaming.protocol import Ack, Event, MessageCreated
from streaming.queue import enqueue
from streaming.snapshot import START, StreamPosition

if TYPE_CHECKING:
    from streaming.consumers import ChatConsumer

logger = structlog.get_logger(__name__)


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
        """After the commit: tell the user's tabs, and send the work out. Should Redis go away just
        here, the sweeper sends it, and the tabs see it when they resume."""
        conversation = generation.conversation_id
        self._feed.follow(str(generation.pk), str(conversation))
        queued = protocol.Queued(
            conversation, generation.pk, generation.message_id, waiting or UNSET
        )
        mine = user_group(self._user.pk)
        try:
            await self._node.publish(
                *((mine, event) for event in news[:-1]),
                (conversation_group(conversation), queued),
                (mine, news[-1]),
            )
        except self._node.unreachable as error:
            logger.warning("not_announced", generation=str(generation.pk), error=str(error))
        # Not on this socket's time: a broker that hangs must not hold up its next command.
        self._node.spawn(self._node.in_thread(enqueue, str(generation.pk), generation.queue))

    async def cancel(self, command: protocol.Cancel) -> None:
        found = await self._node.in_database(generation_of, self._user, command.generation)
        asked = await self._node.in_database(lease.request_cancel, found.pk)
        self._socket.put(Ack(id=command.id, generation=found.pk))
        if not asked:
            return
        try:
            await self._node.announce_cancel(str(found.pk))
        except self._node.unreachable as error:
            logger.warning("cancel_not_announced", generation=str(found.pk), error=str(error))
        await cancel_queued(found, self._node)

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


def store(user: User, **message: Any) -> tuple[Submitted, list[Event]]:
    """Store a message, and say what its user's tabs are to be told: one call to the database."""
    stored = submit(user, **message)
    return stored, news_of([stored.message, stored.reply]) if stored.created else []


def store_retry(
    user: User, message: UUID, model: str | None, goes_on: bool
) -> tuple[tuple[Message, Generation, bool], list[Event]]:
    reply, generation, created = retry(user, message, model, goes_on=goes_on)
    return (reply, generation, created), news_of([reply]) if created else []


def news_of(messages: list[Message]) -> list[Event]:
    conversation = messages[0].conversation_id
    created = [MessageCreated(conversation, message_shape(message)) for message in messages]
    return [*created, conversation_updated(conversation)]
