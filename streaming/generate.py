"""One generation, from the claim to the terminal event.

`generate` runs on the process's event loop. It claims and reads the history in one call to the
database, which then has its connection back; `stream` turns what the model says into numbered
events; `conclude` stores the answer and tells the end. It may die at any line: what that leaves
behind is a lease that runs out, and the next attempt starts again.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone

from conversations.history import turns_before
from conversations.models import Generation
from llm import parts
from llm.errors import ProviderError
from llm.spec import ModelSpec, Turn, spec
from llm.stream import stream as stream_from_model
from streaming import lease, metrics, protocol, recovery
from streaming.database import AWAY
from streaming.lease import Outcome
from streaming.news import conversation_updated
from streaming.protocol import ConversationUpdated
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


async def generate(generation_id: str, worker: Worker) -> None:
    """Run one generation to its end. Does nothing where another worker has it, or it has ended.

    Raises what the database raises when it is away as the generation begins: the lease runs out,
    and the next attempt finds it mended.
    """
    job = await worker.in_database(begin, generation_id, worker.id)
    if job is None:
        return
    run = job.run
    with structlog.contextvars.bound_contextvars(
        conversation=run.conversation, generation=run.generation, attempt=run.attempt
    ):
        logger.info("generation_started", model=run.model, losses=job.losses)
        worker.add(run)
        try:
            await conclude(await work(job, worker), run, worker)
        finally:
            worker.remove(run)


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
    turns = tuple(turns_before(claimed.message))
    return Job(run, claimed.losses, None, spec(claimed.model), turns)


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


async def work(job: Job, worker: Worker) -> Ending:
    """The attempt's work: nothing but an end where there is nothing left to start, else the
    stream. The one place where what nobody foresaw becomes an end that the user sees."""
    run = job.run
    try:
        outcome = await outcome_of_a_dead_worker(job, worker)
        if outcome is not None:
            usage = parts.Usage(**outcome.usage) if outcome.usage else None
            ending = Ending(outcome.status, outcome.code, outcome.message, outcome.retryable, usage)
            return await end_as_found(run, worker, ending, outcome.content)
        if job.end is not None or job.model is None:
            return await end_as_found(run, worker, job.end or failed("internal"))
        if run.stop_reason:
            return await end_as_found(run, worker, Ending(run.stop_reason))
        run.emit(
            protocol.Started, conversation=run.conversation, message=run.message, model=run.model
        )
        worker.ticker.hurry(run)
        return await stop_or_end(run, stream(run, worker, job.model, job.turns))
    except Exception:
        logger.exception("generation_broke")
        return await end_as_found(run, worker, failed("internal"), run.content.blocks())


async def stop_or_end(run: Run, work: Coroutine[Any, Any, Ending]) -> Ending:
    """As a task of its own, which `run.stop` may cancel at any moment, even its very last."""
    task: asyncio.Task[Ending] = asyncio.create_task(work)
    run.task = task
    try:
        return await task
    except asyncio.CancelledError:
        if not run.stop_reason:
            raise
        return Ending(run.stop_reason)
    finally:
        run.task = None


async def outcome_of_a_dead_worker(job: Job, worker: Worker) -> Outcome | None:
    """An answer that was whole when its worker could not store it. Redis may be away: then there
    is none to be had, and the attempt starts again."""
    if not job.losses:
        return None
    try:
        outcome = await recovery.kept(worker.log, job.run.generation)
    except worker.unreachable:
        return None
    # One of an attempt before the last is a zombie's, who had already been given up.
    return outcome if outcome and outcome.attempt == job.run.attempt - 1 else None


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


async def stream(run: Run, worker: Worker, model: ModelSpec, turns: Sequence[Turn]) -> Ending:
    """Turn what the model says into events until it ends or fails; cancelled from outside."""
    try:
        async with asyncio.timeout(settings.GENERATION_SECONDS):
            return await take_all(run, worker, model, turns)
    except ProviderError as error:
        return Ending("failed", error.code, error.message, error.retryable)
    except TimeoutError:
        return failed("generation_timeout")
    except Exception:
        logger.exception("generation_broke")
        return failed("internal")


async def take_all(run: Run, worker: Worker, model: ModelSpec, turns: Sequence[Turn]) -> Ending:
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
    await announce(run, worker, outcome, ending)
    await worker.tell(run, stored)


async def hand_over(run: Run, worker: Worker) -> None:
    if await worker.in_database(lease.hand_over, run.generation, run.attempt):
        metrics.HANDED_OVER.inc()
        await asyncio.to_thread(enqueue, run.generation, run.queue)


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
