"""One generation, from the claim to the terminal event.

`generate` runs on the process's event loop. It claims and reads the history in one call to the
database, which then has its connection back; `stream` turns what the model says into numbered
events; `conclude` stores the answer and tells the end. It may die at any line: what that leaves
behind is a lease that runs out, and the next attempt starts again.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from typing import Any

import structlog
from django.conf import settings

from llm import parts
from llm.errors import ProviderError
from llm.pace import pace
from llm.spec import ModelSpec, Turn
from llm.stream import stream as stream_from_model
from streaming import lease, protocol, recovery
from streaming.conclude import conclude
from streaming.database import AWAY
from streaming.job import Ending, Job, begin, failed
from streaming.lease import Outcome
from streaming.run import Run
from streaming.surroundings import around
from streaming.worker import Worker

logger = structlog.get_logger(__name__)


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
        except AWAY:
            raise
        except Exception:
            # An answer that cannot be stored must not be tried for ever: keep what is plain text.
            logger.exception("generation_not_concluded")
            plain = [{"type": "text", "text": run.content.text()}]
            await conclude(await end_as_found(run, worker, failed("internal"), plain), run, worker)
        finally:
            worker.remove(run)


async def work(job: Job, worker: Worker) -> Ending:
    """The attempt's work: nothing but an end where there is nothing left to start, else the
    stream. The one place where what nobody foresaw becomes an end that the user sees."""
    run = job.run
    try:
        outcome = await outcome_of_a_dead_worker(job, worker)
        if outcome is not None:
            usage = parts.Usage(**outcome.usage) if outcome.usage else None
            ending = Ending(
                outcome.status,
                outcome.code,
                outcome.message,
                outcome.retryable,
                usage,
                outcome.finish_reason,
            )
            run.answered_by = outcome.answered_by
            return await end_as_found(run, worker, ending, outcome.content)
        if job.end is not None or job.model is None:
            return await end_as_found(run, worker, job.end or failed("internal"))
        if run.stop_reason:
            return await end_as_found(run, worker, Ending(run.stop_reason))
        announce_start(job)
        worker.ticker.hurry(run)
        return await stop_or_end(run, stream(run, worker, job.model, job.turns))
    except Exception:
        logger.exception("generation_broke")
        return await end_as_found(run, worker, failed("internal"), run.content.blocks())


def announce_start(job: Job) -> None:
    """An answer that goes on begins its attempt with all that there is of it already."""
    run = job.run
    about = {"conversation": run.conversation, "message": run.message, "model": run.model}
    if run.seam is None:
        run.emit(protocol.Started, **about)
        return
    run.emit(protocol.Snapshot, **about, status="in_progress", content=run.content.blocks())


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
    return state["content"] if state else run.content.blocks()


async def stream(run: Run, worker: Worker, model: ModelSpec, turns: Sequence[Turn]) -> Ending:
    """Turn what the model says into events until it ends or fails; cancelled from outside."""
    try:
        async with run.clock.within(settings.GENERATION_SECONDS):
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
    pace.set(worker.ticker.pace)
    async with aclosing(stream_from_model(model, turns, around(run, worker))) as said:
        async for part in said:
            match part:
                case parts.TextDelta():
                    take_text(run, part.text)
                case parts.ReasoningDelta():
                    take_thought(run, part.text)
                case parts.Usage():
                    usage = part
                case parts.Finish():
                    reason = part.reason
                    close_seam(run)
                case parts.Progress() | parts.Answering():
                    # Nothing of the text: it does not close the seam of an answer that goes on.
                    await take_event(run, worker, part)
                case _:
                    close_seam(run)
                    await take_event(run, worker, part)
            worker.ticker.touch(run)
            if run.content.characters > settings.ANSWER_CHARS:
                # Memory, log and row must have a bound, whatever a model does.
                return Ending("completed", reason="length")
    return Ending("completed", usage=usage, reason=reason)


def take_text(run: Run, text: str) -> None:
    shown = run.seam.take(text) if run.seam is not None else text
    if shown:
        run.write("text", shown)


def take_thought(run: Run, text: str) -> None:
    """A thought before the next word of a cut answer would tear its sentence in two."""
    if run.seam is None or not run.seam.open:
        run.write("reasoning", text)


def close_seam(run: Run) -> None:
    if run.seam is not None and (rest := run.seam.rest()):
        run.write("text", rest)


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
        case parts.Answering():
            run.answered_by = part.model
            names = {"model": part.label, "in_place_of": part.in_place_of}
            label = "{model} answers in place of {in_place_of}".format(**names)
            run.emit(protocol.Progress, label=label, data={"kind": "fallback", **names})
        case parts.Progress() if run.reports.take():
            # More of them say no more to anybody, and the log would keep each.
            by = {} if part.tool_call is None else {"tool_call": part.tool_call}
            run.emit(protocol.Progress, label=part.label, data=part.data or {}, **by)
