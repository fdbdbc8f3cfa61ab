"""Calls that wait until their user has approved or refused them.

The worker asks by an event of the generation, and waits on its loop: without a thread, without a
connection to the database, and without the place of another answer. A question ends with the
decision, with the patience of the settings (no answer is a refusal), or with the attempt: whoever
begins the next one asks again.
"""

import asyncio
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from llm.surroundings import Decision
from streaming import lease
from streaming.decision import write, written
from streaming.run import Run

if TYPE_CHECKING:
    from streaming.worker import Worker

logger = structlog.get_logger(__name__)


async def decided(run: Run, worker: "Worker", tool_call: str, acts: bool) -> Decision:
    """Ask the user, and wait. What has side effects is noted only now: until the user approves,
    another worker may begin again, and asks again."""
    decision = await worker.questions.ask(run, tool_call)
    if decision == "approved" and acts and not await note_side_effects(run, worker):
        # A newer attempt writes, and asks for itself: this one must not act.
        run.stop("lost")
        return "refused"
    run.tell_approval(tool_call, decision)
    worker.ticker.hurry(run)
    return decision


async def note_side_effects(run: Run, worker: "Worker") -> bool:
    return await worker.in_database(lease.mark_side_effects, run.generation, run.attempt)


class Questions:
    """Those that a worker process has asked and that are open, by generation and position."""

    def __init__(self, worker: "Worker", redis: Redis) -> None:
        self._worker = worker
        self._redis = redis
        self._open: dict[tuple[str, str], asyncio.Future[Decision]] = {}

    async def ask(self, run: Run, tool_call: str) -> Decision:
        question = run.tell_approval(tool_call, "asked")
        key = run.generation, question
        # Before anybody can see the question, and so before a ring can come for it.
        answer: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._open[key] = answer
        self._worker.ticker.hurry(run)
        try:
            with run.clock.stopped(), self._worker.places.given_up(run.generation):
                async with asyncio.timeout(settings.APPROVAL_SECONDS):
                    return await answer
        except TimeoutError:
            return await self._give_up(run, question)
        finally:
            del self._open[key]

    async def _give_up(self, run: Run, question: str) -> Decision:
        """Unless the user has decided just now: what they were thanked for holds."""
        try:
            return await write(self._redis, run.generation, question, "expired")
        except (RedisError, OSError) as error:
            logger.warning("decision_unknown", generation=run.generation, error=str(error))
            return "expired"

    async def look(self, generation: str) -> None:
        """After a ring. Raises what Redis raises."""
        waiting = {key: answer for key, answer in self._open.items() if key[0] == generation}
        if not waiting:
            return
        said = await written(self._redis, generation)
        for (_, question), answer in waiting.items():
            if question in said and not answer.done():
                answer.set_result(said[question])

    async def look_at_all(self) -> None:
        """Rings may be lost. Raises what Redis raises."""
        for generation in {generation for generation, _ in self._open}:
            await self.look(generation)
