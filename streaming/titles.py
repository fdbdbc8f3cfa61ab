"""A better title than the first words, once the first answer is there.

It is a comfort and never a duty: it runs beside the answers and in none of their places, it may
run twice, and whatever goes wrong leaves the words.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import structlog
from django.conf import settings
from django.db.models import F

from conversations.models import TITLE_CHARS, Conversation, Generation
from conversations.search.index import retitle
from llm import parts, titles
from llm.catalogue import enabled
from llm.errors import ProviderError
from llm.spec import ModelSpec, Turn, spec
from llm.stream import stream
from streaming import metrics
from streaming.database import AWAY
from streaming.delivery import channel_of, user_group
from streaming.news import conversation_updated
from streaming.protocol import ConversationUpdated, encode

if TYPE_CHECKING:
    from streaming.worker import Worker

logger = structlog.get_logger(__name__)
OFF = "off"
TITLE_SECONDS = 20


def is_wanted(generation: Generation) -> bool:
    """After the first answer, unless the user has chosen a title already."""
    conversation = generation.conversation
    return (
        settings.TITLE_MODEL != OFF
        and generation.prompt.parent_id is None
        and not generation.continues
        and conversation.title_source == Conversation.TitleSource.WORDS
        and conversation.expires_at is None
    )


@dataclass(frozen=True, slots=True)
class Job:
    owner: int
    model: ModelSpec
    request: str


async def entitle(conversation_id: str, worker: "Worker") -> None:
    try:
        job = await worker.in_database(read, conversation_id)
        title = await ask(job) if job else ""
        if not title:
            return
        news = await worker.in_database(store, conversation_id, title)
        if job and news:
            await worker.redis.publish(channel_of(user_group(job.owner)), encode(news))
    except (ProviderError, TimeoutError, *AWAY, *worker.unreachable) as error:
        logger.warning("title_not_made", conversation=conversation_id, error=str(error))


def read(conversation_id: str) -> Job | None:
    """None where there is nothing to do any more."""
    first = (
        Generation.objects.filter(
            conversation__pk=conversation_id,
            prompt__parent=None,
            status=Generation.Status.COMPLETED,
            conversation__title_source=Conversation.TitleSource.WORDS,
            conversation__deleted_at=None,
            conversation__expires_at=None,
        )
        .select_related("prompt", "message")
        .annotate(owner=F("conversation__owner"))
        .order_by("-queued_at")
        .first()
    )
    if first is None:
        return None
    # An admin's choice need not be one that users are offered.
    model = enabled().filter(slug=settings.TITLE_MODEL or first.model_slug).first()
    if model is None:
        return None
    asked = titles.request(first.prompt.text, first.message.text)
    return Job(first.owner, for_titles(spec(model)), asked)


def for_titles(model: ModelSpec) -> ModelSpec:
    return msgspec.structs.replace(
        model, system_prompt=titles.PROMPT, tools=(), max_output_tokens=titles.TITLE_TOKENS
    )


async def ask(job: Job) -> str:
    """Raises ProviderError and TimeoutError."""
    async with asyncio.timeout(TITLE_SECONDS):
        try:
            return await said(msgspec.structs.replace(job.model, parameters=steady(job)), job)
        except ProviderError as error:
            if error.code != "provider_bad_request":
                raise
            # Some models know no temperature.
            return await said(job.model, job)


def steady(job: Job) -> dict[str, Any]:
    return {**job.model.parameters, "temperature": 0}


async def said(model: ModelSpec, job: Job) -> str:
    turn = Turn(role="user", content=[{"type": "text", "text": job.request}])
    text = ""
    async with aclosing(stream(model, [turn])) as answer:
        async for part in answer:
            if isinstance(part, parts.TextDelta):
                text += part.text
            elif isinstance(part, parts.Usage):
                metrics.TOKENS.labels(model.slug, "input_tokens").inc(part.input_tokens)
                metrics.TOKENS.labels(model.slug, "output_tokens").inc(part.output_tokens)
    return titles.cleaned(text, TITLE_CHARS)


def store(conversation_id: str, title: str) -> ConversationUpdated | None:
    """None where the user was first, or it has been deleted."""
    stored = Conversation.objects.filter(
        pk=conversation_id, title_source=Conversation.TitleSource.WORDS, deleted_at=None
    ).update(title=title, title_source=Conversation.TitleSource.MODEL)
    if not stored:
        return None
    retitle(UUID(conversation_id), title)
    return conversation_updated(UUID(conversation_id))
