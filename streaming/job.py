"""What there is to do: everything that the database knows before a generation begins."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from django.conf import settings
from django.utils import timezone

from conversations.history import turns_until
from conversations.models import Generation
from conversations.settings import wishes_of
from llm.catalogue import stand_ins
from llm.going_on import going_on
from llm.parts import Usage
from llm.request import asked_by, read_request
from llm.spec import NO_WISHES, ModelSpec, Turn, Wishes, spec
from streaming import lease, metrics
from streaming.run import Run
from streaming.timings import Timings
from streaming.titles import is_wanted

SENTENCES = {
    "worker_lost": "The answer was interrupted too often. Try again.",
    "side_effects": "The answer was interrupted after a tool had already acted, so it was not "
    "started again by itself.",
    "generation_timeout": "The answer took too long and was ended. What had arrived is kept.",
    "model_unavailable": "This model is no longer available. Choose another one.",
    "internal": "Something went wrong on our side. Try again.",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How the work ended: a status of Generation, or `handed_over`, or `lost`."""

    status: str
    code: str = ""
    message: str = ""
    retryable: bool = False
    usage: Usage | None = None
    reason: str = ""


def failed(code: str, *, retryable: bool = True) -> Ending:
    return Ending("failed", code, SENTENCES[code], retryable)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed generation: what is left to do with it. Without `end`, the model is asked."""

    run: Run
    losses: int
    end: Ending | None
    model: ModelSpec | None = None
    turns: tuple[Turn, ...] = ()


def begin(generation_id: str, worker_id: str) -> Job | None:
    """Claim, and read all that the work needs: the database's whole part before the end."""
    claimed = lease.claim(generation_id, worker_id)
    if claimed is None:
        return None
    run, end = start(claimed), nothing_to_start(claimed)
    if end is not None or claimed.model is None:
        return Job(run, claimed.losses, end)
    if claimed.request:
        request = read_request(claimed.request)
        model = asked_by(request, with_stand_ins(claimed, NO_WISHES, request.turns))
        return Job(run, claimed.losses, None, model, tuple(request.turns))
    turns = turns_until(claimed.prompt, claimed.model)
    if claimed.continues:
        turns += going_on(claimed.message.content)
    model = with_stand_ins(claimed, wishes_of(claimed.conversation), turns)
    if run.seam is not None:
        run.seam.trust(model)
    return Job(run, claimed.losses, None, cacheable(claimed, model), tuple(turns))


def cacheable(claimed: Generation, model: ModelSpec) -> ModelSpec:
    """With the scope of its cache. The rest of a cut answer is none by itself, and of a temporary
    chat nothing is to stay."""
    assert claimed.model is not None
    caching, chat = claimed.model.cache, claimed.conversation
    if caching == claimed.model.Cache.OFF or claimed.continues or chat.is_temporary:
        return model
    scope = "shared" if caching == claimed.model.Cache.SHARED else f"user:{chat.owner_id}"
    others = claimed.prompt.children.exclude(pk=claimed.message_id)
    return msgspec.structs.replace(model, cache_scope=scope, cache_reads=not others.exists())


def with_stand_ins(claimed: Generation, wishes: Wishes, turns: Sequence[Turn]) -> ModelSpec:
    """The model and its fallbacks, without those that cannot see what is shown to them."""
    assert claimed.model is not None
    model = spec(claimed.model, wishes)
    if not claimed.model.fallback_id:
        return model
    shows = any(block["type"] == "image" for turn in turns for block in turn.content)
    found = stand_ins(claimed.model, claimed.conversation.owner)
    able = (spec(each, wishes) for each in found if each.images or not shows)
    return msgspec.structs.replace(model, fallbacks=tuple(able))


def start(claimed: Generation) -> Run:
    begun = claimed.started_at or timezone.now()
    queued = (begun - claimed.queued_at).total_seconds()
    if claimed.attempt == 1:
        metrics.QUEUE_SECONDS.observe(queued)
    if claimed.losses:
        metrics.REAPED.inc()
    run = Run(
        generation=str(claimed.pk),
        conversation=str(claimed.conversation_id),
        owner=claimed.conversation.owner_id,
        queue=claimed.queue,
        message=str(claimed.message_id),
        attempt=claimed.attempt,
        model=claimed.model_slug,
        timings=Timings(queued),
        untitled=is_wanted(claimed),
        by_api=bool(claimed.request),
    )
    if claimed.continues:
        # The row keeps what was there before until the end, so each attempt starts from the same.
        run.go_on(claimed.message.content)
    return run


def nothing_to_start(claimed: Generation) -> Ending | None:
    if claimed.cancel_requested_at is not None:
        return Ending("cancelled")
    if claimed.losses >= settings.MAX_ATTEMPTS:
        return failed("worker_lost")
    if claimed.side_effects:
        return failed("side_effects")
    if claimed.model is None or not (claimed.model.enabled and claimed.model.provider.enabled):
        return failed("model_unavailable", retryable=False)
    return None
