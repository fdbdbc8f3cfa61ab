"""The end of a generation: store the answer, then tell. Each step holds while a part is away."""

import asyncio
from typing import Any
from uuid import UUID

import structlog

from llm.parts import Usage
from streaming import lease, metrics, protocol, recovery
from streaming.database import AWAY
from streaming.job import Ending
from streaming.lease import Outcome
from streaming.news import conversation_updated
from streaming.protocol import ConversationUpdated
from streaming.queue import enqueue, enqueue_title
from streaming.run import Run
from streaming.worker import Worker

logger = structlog.get_logger(__name__)

FLUSH_SECONDS = 3
ANNOUNCE_SECONDS = 30
STORE_AGAIN_SECONDS = 1


async def conclude(ending: Ending, run: Run, worker: Worker) -> None:
    """Store, then tell. In this order, or a tab could go on from an answer that is not there."""
    await run.flush(worker.ticker, FLUSH_SECONDS)
    if ending.status == "lost" or run.fenced:
        logger.warning("generation_lost")
        return
    if ending.status == "handed_over":
        await hand_over(run, worker)
        return
    outcome = outcome_of(ending, run)
    await keep(run, worker, outcome)
    stored = await store(run, worker, outcome)
    if stored is None:
        logger.warning("generation_lost")
        return
    report(outcome, run)
    if await announce(run, worker, outcome):
        await worker.tidy(run, stored)
    else:
        await worker.tell(run, stored)
    if run.untitled and outcome.status == "completed":
        await asyncio.to_thread(enqueue_title, run.conversation)


async def hand_over(run: Run, worker: Worker) -> None:
    if await worker.in_database(lease.hand_over, run.generation, run.attempt):
        metrics.HANDED_OVER.inc()
        await asyncio.to_thread(enqueue, run.generation, run.queue)


def outcome_of(ending: Ending, run: Run) -> Outcome:
    usage = ending.usage or Usage(0, run.tokens_seen, estimated=True)
    return Outcome(
        status=ending.status,
        seq=run.seq + 1,
        content=run.content.blocks(),
        usage={
            "input_tokens": max(0, usage.input_tokens),
            "output_tokens": max(0, usage.output_tokens),
            "estimated": usage.estimated,
            **({"left_out": usage.left_out} if usage.left_out else {}),
            **({"summarised": True} if usage.summarised else {}),
            **({"cached": True} if usage.cached else {}),
        },
        timings=run.timings.in_ms(),
        code=ending.code,
        message=ending.message,
        retryable=ending.retryable,
        attempt=run.attempt,
        finish_reason=reason_of(ending),
        answered_by=run.answered_by,
        spans=run.spans.rows(),
        steps=run.spans.steps(),
    )


def reason_of(ending: Ending) -> str:
    return (ending.reason or "stop") if ending.status == "completed" else ""


async def keep(run: Run, worker: Worker, outcome: Outcome) -> None:
    try:
        await recovery.keep(worker.log, run.generation, outcome)
    except worker.unreachable as error:
        logger.warning("outcome_not_kept", error=str(error))


async def store(run: Run, worker: Worker, outcome: Outcome) -> ConversationUpdated | None:
    """Store the answer, however long the database is away. While this process lives it holds the
    text; if it must go, the outcome kept in Redis waits for the next claim.

    Returns what the user's tabs are to be told, None where the attempt is no longer the newest.
    """
    while True:
        try:
            return await worker.in_database(store_now, run, outcome)
        except AWAY as error:
            logger.warning("answer_not_stored_yet", error=str(error))
        if worker.gives_up:
            return None
        await asyncio.sleep(STORE_AGAIN_SECONDS)


def store_now(run: Run, outcome: Outcome) -> ConversationUpdated | None:
    if not lease.finish(run.generation, run.attempt, outcome):
        return None
    return conversation_updated(UUID(run.conversation))


def report(outcome: Outcome, run: Run) -> None:
    metrics.GENERATIONS.labels(outcome.status).inc()
    metrics.GENERATION_SECONDS.labels(outcome.status).observe(outcome.timings["total_ms"] / 1000)
    for kind in ("input_tokens", "output_tokens"):
        metrics.TOKENS.labels(run.answered_by or run.model, kind).inc(outcome.usage[kind])
    until_first_token = run.timings.until_first_token
    if until_first_token is not None:
        metrics.FIRST_TOKEN_SECONDS.observe(run.timings.queued + until_first_token)
    if outcome.code:
        metrics.FAILURES.labels(outcome.code).inc()
    logger.info("generation_ended", status=outcome.status, code=outcome.code, **outcome.timings)


async def announce(run: Run, worker: Worker, outcome: Outcome) -> bool:
    """False where the log did not take it."""
    shared: dict[str, Any] = {"usage": outcome.usage, "timings": outcome.timings}
    if outcome.answered_by:
        shared["model"] = outcome.answered_by
    if outcome.status == "failed":
        run.emit(
            protocol.Failed,
            **shared,
            code=outcome.code,
            message=outcome.message,
            retryable=outcome.retryable,
        )
    elif outcome.status == "cancelled":
        run.emit(protocol.Cancelled, **shared)
    else:
        run.emit(protocol.Completed, **shared, finish_reason=outcome.finish_reason)
    # With Redis away for longer than this, tabs learn the end from the database when they resume.
    return await run.flush(worker.ticker, ANNOUNCE_SECONDS)
