"""One ticker per worker process publishes every stream that has something new, all in one pipeline.

It is the only caller of `StreamLog.append` for running generations, so the events of a stream can
neither overtake each other nor be parted from their buffer; and nobody cancels it. (A timer for
each stream, which the next token cancels, loses text: a task that is cancelled while it publishes
takes with it the buffer that it has emptied.)

An event costs more than the tokens in it, on its whole way to the screen. So a process publishes no
more than `EVENTS_PER_SECOND`: with more streams than that allows for, ticks come less often, and
each carries more.
"""

import asyncio
from collections.abc import Iterable

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from llm.pace import Pace
from streaming import metrics
from streaming.log import Append, StreamLog
from streaming.run import Run

logger = structlog.get_logger(__name__)
BACK_OFF_SECONDS = 0.25
MAX_STREAMS_IN_A_PIPELINE = 200
EVENTS_PER_SECOND = 1_600
LONGEST_TICK_SECONDS = 0.1


class Ticker:
    def __init__(self, log: StreamLog) -> None:
        self._log = log
        self._dirty: set[Run] = set()
        self._urgent: set[Run] = set()
        self._wake = asyncio.Event()
        self.pace = Pace()
        self.failing_since: float | None = None

    def touch(self, run: Run) -> None:
        """Publish what `run` has at the next tick; the first time, at once."""
        self._dirty.add(run)
        if not run.first_out:
            run.first_out = True
            self.hurry(run)

    def hurry(self, run: Run) -> None:
        self._dirty.add(run)
        self._urgent.add(run)
        self._wake.set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time()
        while True:
            timer = loop.call_at(deadline, self._wake.set)
            await self._wake.wait()
            timer.cancel()
            self._wake.clear()
            if loop.time() >= deadline:
                await self.pace.beat()
                due, self._dirty = self._dirty, set()
                # From now, not from the last deadline: a late tick must not be followed by a burst.
                deadline = loop.time() + tick_for(len(due))
            else:
                due = self._urgent
                self._dirty -= due
            self._urgent = set()
            if due:
                await self._publish(due)

    async def _publish(self, due: Iterable[Run]) -> None:
        runs = [run for run in due if run.dirty and not run.fenced]
        for start in range(0, len(runs), MAX_STREAMS_IN_A_PIPELINE):
            await self._flush(runs[start : start + MAX_STREAMS_IN_A_PIPELINE])

    async def _flush(self, runs: list[Run]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        batches = [run.batch() for run in runs]
        try:
            answers = await self._log.append(batches)
        except (RedisError, OSError) as error:
            self._dirty.update(runs)
            if self.failing_since is None:
                self.failing_since = began
                logger.warning("stream_log_unreachable", error=str(error), streams=len(runs))
            await asyncio.sleep(BACK_OFF_SECONDS)
            return
        if self.failing_since is not None:
            logger.info("stream_log_reachable", seconds=round(began - self.failing_since, 1))
            self.failing_since = None
        metrics.PUBLISH_SECONDS.observe(loop.time() - began)
        for run, answer in zip(runs, answers, strict=True):
            self._settle(run, answer)

    def _settle(self, run: Run, answer: Append) -> None:
        if answer is Append.OK:
            run.sent()
        elif answer is Append.GONE:
            logger.warning("stream_log_gone", generation=run.generation, attempt=run.attempt)
            run.rewrite()
        else:
            run.fence()
            return
        if run.dirty:
            self._dirty.add(run)


def tick_for(streams: int) -> float:
    """Seconds until the next one, after one that publishes so many streams."""
    tick: float = settings.TICK_SECONDS
    return max(tick, min(streams / EVENTS_PER_SECOND, LONGEST_TICK_SECONDS))
