"""Asking a model and reading its answer, over HTTP."""

import uuid
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from ninja import Header, Router, Schema, Status
from ninja.errors import HttpError
from pydantic import Field

from api import sse
from api.agui.router import agui_stream
from api.auth import TO_CHAT, user_of
from api.messages import router as of_conversations
from api.placing import parent_of
from conversations.access import generation_of
from conversations.shapes import generation_shape
from llm.surroundings import Decision
from streaming.decision import decide as decide_call
from streaming.dispatch import ask_to_stop, send_out, stop, store, store_retry
from streaming.node import node

router = Router(tags=["generations"])
of_messages = Router(tags=["generations"])

Text = Annotated[str, Field(description="Plain text or Markdown.", examples=["Say hello."])]


class MessageIn(Schema):
    text: Text
    parent: UUID | None = Field(
        None, description="The answer that it follows. Left out: the newest one."
    )
    model: str | None = Field(None, description="A model's slug. Left out: the default model.")
    attachments: list[UUID] = []


class RetryIn(Schema):
    model: str | None = None


class DecisionIn(Schema):
    decision: Literal["approve", "refuse"]
    question: str | None = Field(
        None,
        description="The question that was shown, as the call's block has it in its `extras`. "
        "Left out: the one that is open.",
    )


class Asked(Schema):
    """`reply` is the message that the generation writes."""

    conversation: UUID
    message: UUID
    reply: UUID
    generation: UUID


class GenerationOut(Schema):
    """`attempt` and `seq`: the position of the end, 0 while there is none."""

    id: UUID
    status: str
    attempt: int
    seq: int
    model: str | None
    error: dict[str, Any] | None
    usage: dict[str, Any]
    timings: dict[str, Any]
    conversation: UUID
    message: UUID
    content: list[dict[str, Any]]


Key = Annotated[
    UUID | None,
    Header(
        alias="Idempotency-Key",
        description="A UUID of your own: sending twice with the same one is sending once.",
    ),
]


@of_messages.post("", response={201: Asked}, auth=TO_CHAT, operation_id="start_conversation")
async def start(request: HttpRequest, message: MessageIn, key: Key = None) -> Any:
    """Begin a conversation with a message.

    With `Accept: text/event-stream`, the answer follows as it is written.
    """
    if message.parent is not None:
        raise HttpError(422, "parent: expected null for the first message")
    return await ask(request, None, None, message, key)


# One path has one router.
@of_conversations.post(
    "/{uuid:conversation_id}/messages", response={201: Asked}, auth=TO_CHAT, operation_id="ask"
)
async def submit(
    request: HttpRequest, conversation_id: UUID, message: MessageIn, key: Key = None
) -> Any:
    """Write a message. With `Accept: text/event-stream`, the answer follows as it is written."""
    parent = message.parent
    if "parent" not in message.model_fields_set:
        parent = await node().in_database(parent_of, user_of(request), conversation_id, key)
    return await ask(request, conversation_id, parent, message, key)


async def ask(
    request: HttpRequest,
    conversation: UUID | None,
    parent: UUID | None,
    message: MessageIn,
    key: UUID | None,
) -> Any:
    here, user = node(), user_of(request)
    # Without Redis nothing would answer; better to say so before anything is stored.
    waiting = await here.waiting()
    stored, news = await here.in_database(
        store,
        user,
        client_message_id=key or uuid.uuid4(),
        conversation=conversation,
        parent=parent,
        text=message.text,
        model=message.model,
        attachments=message.attachments,
    )
    if stored.created:
        await send_out(here, user, stored.generation, news, waiting)
    if sse.wants_events(request):
        return sse.with_ids(sse.event_stream(request, here, stored.generation), stored.generation)
    return Status(
        201,
        Asked(
            conversation=stored.conversation.pk,
            message=stored.message.pk,
            reply=stored.reply.pk,
            generation=stored.generation.pk,
        ),
    )


@of_messages.post(
    "/{uuid:message_id}/retry", response={201: Asked}, auth=TO_CHAT, operation_id="retry"
)
async def retry(request: HttpRequest, message_id: UUID, wish: RetryIn) -> Any:
    """Another answer beside this one."""
    here, user = node(), user_of(request)
    waiting = await here.waiting()
    (reply, generation, created), news = await here.in_database(
        store_retry, user, message_id, wish.model, False
    )
    if created:
        await send_out(here, user, generation, news, waiting)
    if sse.wants_events(request):
        return sse.with_ids(sse.event_stream(request, here, generation), generation)
    return Status(
        201,
        Asked(
            conversation=generation.conversation_id,
            message=generation.prompt_id,
            reply=reply.pk,
            generation=generation.pk,
        ),
    )


@router.get("/{uuid:generation_id}", response=GenerationOut, operation_id="read_generation")
def read(request: HttpRequest, generation_id: UUID) -> dict[str, Any]:
    """Where a generation stands, and what it has written once it has ended."""
    found = generation_of(user_of(request), generation_id)
    shape = generation_shape(found) or {}
    return {
        **shape,
        "conversation": found.conversation_id,
        "message": found.message_id,
        "content": found.message.content,
    }


@router.get("/{uuid:generation_id}/events", operation_id="read_events")
async def events(
    request: HttpRequest,
    generation_id: UUID,
    format: Literal["", "ag-ui"] = "",  # noqa: A002
) -> HttpResponseBase:
    """Every event after `Last-Event-ID` (`<attempt>-<seq>`), or one snapshot; then what comes.

    As events of AG-UI they always begin from the start.
    """
    try:
        after = sse.last_position(request)
    except ValueError as error:
        raise HttpError(422, str(error)) from None
    here = node()
    found = await here.in_database(generation_of, user_of(request), generation_id)
    if format == "ag-ui":
        return agui_stream(request, here, found, str(found.conversation_id), str(found.pk))
    after = await sse.reached(here, found, after)
    response: HttpResponseBase = sse.with_ids(sse.event_stream(request, here, found, after), found)
    return response


@router.post("/{uuid:generation_id}/cancel", response={202: None}, operation_id="cancel")
async def cancel(request: HttpRequest, generation_id: UUID) -> Status[None]:
    """Ask for the end. What was written until then is kept. Asking twice is asking once."""
    here = node()
    found = await here.in_database(generation_of, user_of(request), generation_id)
    if await ask_to_stop(here, found):
        await stop(here, found)
    return Status(202, None)


@router.post(
    "/{uuid:generation_id}/tool-calls/{path:tool_call}/decision",
    response={202: None},
    auth=TO_CHAT,
    operation_id="decide",
)
async def decide(
    request: HttpRequest, generation_id: UUID, tool_call: str, wish: DecisionIn
) -> Status[None]:
    """Approve or refuse a call that waits for it. Deciding twice is deciding once."""
    here = node()
    found = await here.in_database(generation_of, user_of(request), generation_id)
    decision: Decision = "approved" if wish.decision == "approve" else "refused"
    await decide_call(here, found, tool_call, decision, wish.question)
    return Status(202, None)
