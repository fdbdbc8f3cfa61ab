"""One generation, from the claim to the terminal event.

`generate` runs in a Celery thread and does the database's part: claim, read the history, give the
connection back; store the answer at the end. In between `stream` runs on the process's event loop
and turns what the model says into numbered events. Both may die at any line: what that leaves
behind is a lease that runs out, and the next attempt starts again.
"""

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from conversations.history import turns_before
from conversations.models import Generation
from llm import parts
from llm.errors import ProviderError
from llm.spec import ModelSpec, Turn, spec
from llm.stream import stream as stream_from_model
from streaming import lease, metrics, protocol, recovery
from streaming.lease import Outcome
from streaming.queue import enqueue
from streaming.run import Run
from streaming.worker import Worker

logger = structlog.get_logger(__name__)

FLUSH_SECONDS = 3
ANNOUNCE_SECONDS = 30
STORE_AGAIN_SECONDS = 1

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
    usage: parts.Usage | None = None
    reason: str = ""


def failed(code: str, *, retryable: bool = True) -> Ending:
    return Ending("failed", code, SENTENCES[code], retryable)


def generate(generation_id: str, worker: Worker) -> None:
    """Run one generation to its end. Does nothing where another worker has it, or it has ended."""
    claimed = lease.claim(generation_id, worker.id)
    if claimed is None:
        return
    run = start(claimed)
    with structlog.contextvars.bound_contextvars(
        conversation=run.conversation, generation=run.generation, attempt=run.attempt
    ):
        logger.info("generation_started", model=run.model, losses=claimed.losses)
        worker.add(run)
        try:
            conclude(work_or_fail(claimed, run, worker), run, worker)
        finally:
            worker.remove(run)


def start(claimed: Generation) -> Run:
    queued = (claimed.started_at or timezone.now()) - claimed.queued_at
    if claimed.attempt == 1:
        metrics.QUEUE_SECONDS.observe(queued.total_seconds())
    if claimed.losses:
        metrics.REAPED.inc()
    return Run(
        generation=str(claimed.pk),
        conversation=str(claimed.conversation_id),
        owner=claimed.conversation.owner_id,
        queue=claimed.queue,
        message=str(claimed.message_id),
        attempt=claimed.attempt,
        model=claimed.model_slug,
        queued_ms=queued.total_seconds() * 1000,
    )


def work_or_fail(claimed: Generation, run: Run, worker: Worker) -> Ending:
    """The one place where what nobody foresaw becomes an end that the user sees. Trouble with the
    database goes up instead: the lease runs out, and the next attempt finds it mended."""
    try:
        return work(claimed, run, worker)
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        logger.exception("generation_broke")
        return worker.wait(end_as_found(run, worker, failed("internal")))


def work(claimed: Generation, run: Run, worker: Worker) -> Ending:
    """The attempt's work: nothing but an end where there is nothing left to start, else the
    stream."""
    outcome = worker.wait(outcome_of_a_dead_worker(claimed, worker))
    if outcome is not None:
        usage = parts.Usage(**outcome.usage) if outcome.usage else None
        ending = Ending(outcome.status, outcome.code, outcome.message, outcome.retryable, usage)
        return worker.wait(end_as_found(run, worker, ending, outcome.content))
    end = nothing_to_start(claimed)
    if end is not None:
        return worker.wait(end_as_found(run, worker, end))
    model, turns = spec(claimed.model), turns_before(claimed.message)  # type: ignore[arg-type]
    # From here until the answer is whole, no database connection is held.
    connection.close()
    return worker.wait(stream(run, worker, model, turns))


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


async def outcome_of_a_dead_worker(claimed: Generation, worker: Worker) -> Outcome | None:
    """An answer that was whole when its worker could not store it. Redis may be down: then there
    is none to be had, and the attempt starts again."""
    if not claimed.losses:
        return None
    try:
        outcome = await recovery.kept(worker.log, str(claimed.pk))
    except worker.unreachable:
        return None
    # One of an attempt before the last is a zombie's, who had already been given up.
    return outcome if outcome and outcome.attempt == claimed.attempt - 1 else None


async def end_as_found(
    run: Run, worker: Worker, ending: Ending, content: list[dict[str, Any]] | None = None
) -> Ending:
    """End an attempt that starts nothing. Its first event is a snapshot of what is known, so that
    every tab, wherever it stopped, shows the text that is kept."""
    if content is None:
        content = await known_content(run, worker)
    run.adopt(content)
    run.emit(
        protocol.Snapshot,
        conversation=run.conversation,
        message=run.message,
        status="in_progress",
        content=content,
        model=run.model,
    )
    return ending


async def known_content(run: Run, worker: Worker) -> list[dict[str, Any]]:
    try:
        state = await recovery.state_in_log(worker.log, run.generation)
    except worker.unreachable:
        state = None
    return state["content"] if state else []


async def stream(run: Run, worker: Worker, model: ModelSpec, turns: list[Turn]) -> Ending:
    """Turn what the model says into events until it ends, fails, or is stopped from outside."""
    run.task = asyncio.current_task()
    run.emit(protocol.Started, conversation=run.conversation, message=run.message, model=run.model)
    worker.ticker.hurry(run)
    try:
        if run.stop_reason:
            return Ending(run.stop_reason)
        async with asyncio.timeout(settings.GENERATION_SECONDS):
            ending = await take_all(run, worker, model, turns)
    except ProviderError as error:
        ending = Ending("failed", error.code, error.message, error.retryable)
    except TimeoutError:
        ending = failed("generation_timeout")
    except asyncio.CancelledError:
        if not run.stop_reason:
            raise
        ending = Ending(run.stop_reason)
    except Exception:
        logger.exception("generation_broke")
        ending = failed("internal")
    finally:
        run.task = None
    return ending


async def take_all(run: Run, worker: Worker, model: ModelSpec, turns: list[Turn]) -> Ending:
    usage, reason = None, "stop"
    async with aclosing(stream_from_model(model, turns)) as said:
        async for part in said:
            match part:
                case parts.TextDelta():
                    run.write("text", part.text)
                case parts.ReasoningDelta():
                    run.write("reasoning", part.text)
                case parts.Usage():
                    usage = part
                case parts.Finish():
                    reason = part.reason
                case _:
                    await take_event(run, worker, part)
            worker.ticker.touch(run)
    return Ending("completed", usage=usage, reason=reason)


async def take_event(run: Run, worker: Worker, part: parts.Part) -> None:
    match part:
        case parts.ToolCallStarted():
            run.emit_and_add(
                protocol.ToolCallStarted, tool_call=part.id, name=part.name, args=part.args
            )
            if part.side_effects and not await worker.in_database(
                lease.mark_side_effects, run.generation, run.attempt
            ):
                run.stop("lost")
        case parts.ToolCallDelta():
            name = run.tool_names.get(part.id, "")
            run.emit_and_add(protocol.ToolCallDelta, tool_call=part.id, name=name, args=part.args)
        case parts.ToolCallFinished():
            ending = {"error": part.error} if part.error is not None else {"result": part.result}
            run.emit_and_add(
                protocol.ToolCallFinished,
                tool_call=part.id,
                name=part.name,
                args=part.args,
                **ending,
            )
        case parts.Progress():
            run.emit(protocol.Progress, label=part.label, data=part.data or {})


def conclude(ending: Ending, run: Run, worker: Worker) -> None:
    """Store, then tell. In this order, or a tab could go on from an answer that is not there."""
    worker.wait(run.flush(worker.ticker, FLUSH_SECONDS))
    if ending.status == "lost" or run.fenced:
        logger.warning("generation_lost")
        return
    if ending.status == "handed_over":
        if lease.hand_over(run.generation, run.attempt):
            metrics.HANDED_OVER.inc()
            enqueue(run.generation, run.queue)
        return
    outcome = outcome_of(ending, run)
    worker.wait(keep(run, worker, outcome))
    stored = store(run, worker, outcome)
    connection.close()
    if not stored:
        logger.warning("generation_lost")
        return
    report(outcome, run)
    worker.wait(announce(run, worker, outcome, ending))
    worker.wait(worker.tell_updated(run))


def outcome_of(ending: Ending, run: Run) -> Outcome:
    now = time.monotonic()
    usage = ending.usage or parts.Usage(0, run.tokens_seen, estimated=True)
    first = run.first_token
    return Outcome(
        status=ending.status,
        seq=run.seq + 1,
        content=run.content.blocks(),
        usage={
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "estimated": usage.estimated,
        },
        timings={
            "queued_ms": round(run.queued_ms),
            "first_token_ms": None if first is None else round((first - run.started) * 1000),
            "total_ms": round((now - run.started) * 1000),
        },
        code=ending.code,
        message=ending.message,
        retryable=ending.retryable,
        attempt=run.attempt,
    )


async def keep(run: Run, worker: Worker, outcome: Outcome) -> None:
    try:
        await recovery.keep(worker.log, run.generation, outcome)
    except worker.unreachable as error:
        logger.warning("outcome_not_kept", error=str(error))


def store(run: Run, worker: Worker, outcome: Outcome) -> bool:
    """Store the answer, however long the database is away. While this process lives it holds the
    text; if it must go, the outcome kept in Redis waits for the next claim."""
    while True:
        try:
            return lease.finish(run.generation, run.attempt, outcome)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("answer_not_stored_yet", error=str(error))
            connection.close()
        if worker.gives_up.wait(STORE_AGAIN_SECONDS):
            return False


def report(outcome: Outcome, run: Run) -> None:
    metrics.GENERATIONS.labels(outcome.status).inc()
    metrics.GENERATION_SECONDS.labels(outcome.status).observe(outcome.timings["total_ms"] / 1000)
    for kind in ("input_tokens", "output_tokens"):
        metrics.TOKENS.labels(run.model, kind).inc(outcome.usage[kind])
    if run.first_token is not None:
        seconds = run.first_token - run.started + run.queued_ms / 1000
        metrics.FIRST_TOKEN_SECONDS.observe(seconds)
    if outcome.code:
        metrics.FAILURES.labels(outcome.code).inc()
    logger.info("generation_ended", status=outcome.status, code=outcome.code, **outcome.timings)


async def announce(run: Run, worker: Worker, outcome: Outcome, ending: Ending) -> None:
    shared = {"usage": outcome.usage, "timings": outcome.timings}
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
        run.emit(protocol.Completed, **shared, finish_reason=ending.reason or "stop")
    # With Redis away for longer than this, tabs learn the end from the database when they resume.
    if await run.flush(worker.ticker, ANNOUNCE_SECONDS):
        await worker.tidy(run)
