"""The places of a worker process: so many answers run in it at once.

An answer that waits for its user costs memory alone, and may wait for minutes. It leaves its place
to others meanwhile, and goes on without one when the user has decided: who has just pressed a
button is not sent back into the queue. So a process may for a while run more answers than it has
places, by as many at most as may wait apart.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from streaming import metrics

logger = structlog.get_logger(__name__)


class Places:
    def __init__(self, places: int, most_apart: int) -> None:
        self._places = places
        self._most_apart = most_apart
        self._apart: Counter[str] = Counter()
        self._left: dict[str, asyncio.Event] = {}
        self._alone: set[asyncio.Task[None]] = set()

    def free(self, running: Collection[str]) -> int:
        """How many more generations may begin beside those that run."""
        return self._places - sum(generation not in self._apart for generation in running)

    async def hold(self, generation: str, work: Coroutine[Any, Any, None]) -> None:
        """Do the work; return when it has ended, raising what it raises, or when it has left its
        place. It then goes on alone."""
        if generation in self._left:
            # A second message about one that runs here, which its claim refuses.
            await work
            return
        left = self._left[generation] = asyncio.Event()
        task, leaving = asyncio.create_task(work), asyncio.create_task(left.wait())
        try:
            await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            del self._left[generation]
        if task.done():
            task.result()
            return
        self._alone.add(task)
        task.add_done_callback(self._ended_alone)

    @contextmanager
    def given_up(self, generation: str) -> Iterator[None]:
        """While its user is asked, maybe about several calls. Where too many are apart already, it
        keeps its place."""
        metrics.QUESTIONS.inc()
        apart = generation in self._apart or len(self._apart) < self._most_apart
        if apart:
            self._apart[generation] += 1
            if (left := self._left.get(generation)) is not None:
                left.set()
        try:
            yield
        finally:
            metrics.QUESTIONS.dec()
            if apart:
                self._come_back(generation)

    def _come_back(self, generation: str) -> None:
        self._apart[generation] -= 1
        if not self._apart[generation]:
            del self._apart[generation]

    def _ended_alone(self, task: asyncio.Task[None]) -> None:
        self._alone.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("generation_broke", exc_info=error)
