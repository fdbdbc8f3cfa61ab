"""The endpoint of an AG-UI client."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from ag_ui.core import RunAgentInput
from django.http import HttpRequest, HttpResponseBase
from ninja import Router

from accounts.models import User
from api import sse
from api.agui import events
from api.auth import TO_CHAT, user_of
from api.placing import parent_of
from conversations.access import NotFound, conversation_of
from conversations.models import Conversation, Generation
from streaming.dispatch import send_out, store
from streaming.node import Node, node

router = Router(tags=["generations"])


@router.post("", auth=TO_CHAT, operation_id="run_agent")
async def run_agent(request: HttpRequest, wanted: RunAgentInput) -> HttpResponseBase:
    """The endpoint of an AG-UI client. A thread is a conversation, which is kept here: of the
    messages that come along, the last one of the user is answered."""
    here, user = node(), user_of(request)
    waiting = await here.waiting()
    thread = await here.in_database(conversation_of_thread, user, wanted.thread_id)
    key = events.own_id(user.pk, wanted.thread_id, wanted.run_id)
    parent = await here.in_database(parent_of, user, thread, key)
    stored, news = await here.in_database(
        store,
        user,
        client_message_id=key,
        conversation=thread,
        parent=parent,
        text=events.last_user_text(wanted.messages),
        model=None,
    )
    if stored.created:
        await send_out(here, user, stored.generation, news, waiting)
    return agui_stream(request, here, stored.generation, wanted.thread_id, wanted.run_id)


def agui_stream(
    request: HttpRequest, here: Node, generation: Generation, thread: str, run: str
) -> HttpResponseBase:
    async def history() -> list[Any]:
        return await here.in_database(events.messages_before, generation)

    told = events.translate(events.Run(generation, thread, run), history)
    response: HttpResponseBase = sse.with_ids(
        sse.event_stream(request, here, generation, translate=told), generation
    )
    return response


def conversation_of_thread(user: User, thread: str) -> UUID:
    """One of the user's own by its id; else the one that this name has always meant."""
    with suppress(ValueError, NotFound):
        return conversation_of(user, UUID(thread)).pk
    pk = events.own_id(user.pk, thread)
    Conversation.objects.get_or_create(pk=pk, defaults={"owner": user})
    return conversation_of(user, pk).pk
