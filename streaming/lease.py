"""Who may write. Every function here is one guarded update; zero rows is a normal answer.

The Celery message is only a hint: it can come twice, late or never. The row decides. A claim gives
a worker a lease (it must be renewed) and an attempt (the fence): every later write names the
attempt, and a write that matches no row means that somebody else has taken over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from conversations.models import Generation, GenerationTrace
from conversations.search.index import store_answer
from llm.catalogue import known

Status = Generation.Status


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a generation ended. `seq` is the position of its terminal event."""

    status: str
    seq: int
    content: list[dict[str, Any]]
    usage: dict[str, Any]
    timings: dict[str, Any]
    code: str = ""
    message: str = ""
    retryable: bool = False
    attempt: int = 0
    finish_reason: str = ""
    answered_by: str = ""
    spans: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)


def claimable() -> Q:
    return Q(status=Status.QUEUED) | Q(
        status=Status.IN_PROGRESS, lease_expires_at__lt=timezone.now()
    )


def claim(generation_id: UUID | str, worker: str) -> Generation | None:
    """Take a generation that is queued or whose lease has run out, as its next attempt.

    None where another worker was first, or it has ended, or it is gone. Read, then taken only if it
    is still as it was read: two round trips where a transaction around both would cost four. What
    came in between (a renewal, a cancel, a zombie's tool) makes it nobody's, until the next sweep.
    """
    readable = Generation.objects.select_related("prompt", "conversation")
    try:
        found = readable.get(claimable(), pk=generation_id)
    except Generation.DoesNotExist:
        return None
    now = timezone.now()
    changes = {
        "status": Status.IN_PROGRESS,
        "attempt": found.attempt + 1,
        "losses": found.losses + (found.status == Status.IN_PROGRESS),
        "worker": worker,
        "lease_expires_at": now + timedelta(seconds=settings.LEASE_SECONDS),
        "started_at": now,
    }
    if not as_it_was_read(found).update(**changes):
        return None
    for name, value in changes.items():
        setattr(found, name, value)
    if found.model_id is not None:
        found.model = known(found.model_id)
    return found


def as_it_was_read(found: Generation) -> QuerySet[Generation]:
    return Generation.objects.filter(
        pk=found.pk,
        status=found.status,
        attempt=found.attempt,
        lease_expires_at=found.lease_expires_at,
        cancel_requested_at=found.cancel_requested_at,
        side_effects=found.side_effects,
    )


def mine(generation_id: UUID | str, attempt: int) -> Any:
    return Generation.objects.filter(pk=generation_id, attempt=attempt, status=Status.IN_PROGRESS)


def renew(worker: str, generations: Sequence[str]) -> dict[str, tuple[int, bool]]:
    """Renew this worker's lease of the generations that it runs.

    Returns what the database holds as this worker's: id → (attempt, cancel requested). What the
    worker runs and does not find here has been taken over, or ended, or deleted.
    """
    running = Generation.objects.filter(
        pk__in=generations, worker=worker, status=Status.IN_PROGRESS
    )
    running.update(lease_expires_at=timezone.now() + timedelta(seconds=settings.LEASE_SECONDS))
    return {
        str(pk): (attempt, cancelled is not None)
        for pk, attempt, cancelled in running.values_list("pk", "attempt", "cancel_requested_at")
    }


def finish(generation_id: UUID | str, attempt: int, outcome: Outcome) -> bool:
    """Store the final content and status. False where the attempt is no longer the newest."""
    with transaction.atomic():
        stored = mine(generation_id, attempt).update(
            status=outcome.status,
            seq=outcome.seq,
            usage=outcome.usage,
            timings=outcome.timings,
            error_code=outcome.code,
            error_message=outcome.message,
            retryable=outcome.retryable,
            finish_reason=outcome.finish_reason,
            answered_by=outcome.answered_by,
            lease_expires_at=None,
            finished_at=timezone.now(),
        )
        if stored:
            store_answer(generation_id, outcome.content)
            if outcome.spans:
                GenerationTrace.objects.update_or_create(
                    generation_id=generation_id,
                    defaults={"spans": outcome.spans, "steps": outcome.steps},
                )
    return bool(stored)


def hand_over(generation_id: UUID | str, attempt: int) -> bool:
    """Give a running generation back to the queue. False where it is no longer this attempt's."""
    now = timezone.now()
    return bool(
        mine(generation_id, attempt).update(
            status=Status.QUEUED, worker="", lease_expires_at=None, enqueued_at=now
        )
    )


def mark_side_effects(generation_id: UUID | str, attempt: int) -> bool:
    """Before a tool with side effects runs: from now on no other worker may start again."""
    return bool(mine(generation_id, attempt).update(side_effects=True))


def request_cancel(generation_id: UUID | str) -> bool:
    """Ask whoever runs it to stop. False where it has ended already."""
    return bool(
        Generation.objects.filter(pk=generation_id, status__in=Generation.ACTIVE).update(
            cancel_requested_at=timezone.now()
        )
    )


def cancel_queued(generation_id: UUID, outcome: Outcome) -> int:
    """End a generation that no worker has begun. Returns its attempt, 0 where one has."""
    with transaction.atomic():
        stopped = Generation.objects.filter(pk=generation_id, status=Status.QUEUED).update(
            status=outcome.status,
            attempt=F("attempt") + 1,
            seq=outcome.seq,
            usage=outcome.usage,
            timings=outcome.timings,
            finished_at=timezone.now(),
        )
        if not stopped:
            return 0
        store_answer(generation_id, outcome.content)
        return Generation.objects.values_list("attempt", flat=True).get(pk=generation_id)


def queued_too_long(queues: list[str], limit: int) -> list[Generation]:
    """Queued generations whose Celery message seems to be lost, the oldest first."""
    before = timezone.now() - timedelta(seconds=settings.QUEUED_TOO_LONG_SECONDS)
    waiting = Generation.objects.filter(
        status=Status.QUEUED, enqueued_at__lt=before, queue__in=queues
    )
    return list(waiting.order_by("enqueued_at")[:limit])


def expired(queues: list[str], limit: int) -> list[Generation]:
    """Generations whose worker has stopped renewing, the oldest first."""
    left = Generation.objects.filter(
        status=Status.IN_PROGRESS, lease_expires_at__lt=timezone.now(), queue__in=queues
    )
    return list(left.order_by("lease_expires_at")[:limit])
