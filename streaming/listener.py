"""What web nodes ring for: answers that are to stop, and calls about which a user has decided.

A ring may be lost. The renewal then sees the stop in the database, and the worker looks at its open
questions by itself.
"""

import asyncio
import time
from typing import TYPE_CHECKING, Any

import structlog

from streaming.log import DECIDED, cancel_channel

if TYPE_CHECKING:
    from streaming.worker import Worker

logger = structlog.get_logger(__name__)
CANCELS_REMEMBERED_SECONDS = 60
LISTEN_AGAIN_SECONDS = 0.5
DEAF_SECONDS = 10
# The worker's own, by which its listener tells silence from deafness.
TICK = b"tick"


class Listener:
    def __init__(self, worker: "Worker") -> None:
        self._worker = worker
        self._cancelled: dict[str, float] = {}

    def heard_cancel(self, generation: str) -> bool:
        """A moment ago: the claim may have happened when it came, and the run not yet be here."""
        return generation in self._cancelled

    async def run(self) -> None:
        while True:
            try:
                async with self._worker.redis.pubsub() as pubsub:
                    await pubsub.subscribe(cancel_channel())
                    await self._hear(pubsub)
            except self._worker.unreachable:
                logger.warning("cancels_unheard")
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)

    async def _hear(self, pubsub: Any) -> None:
        """Returns when nothing, not even a tick, has come for so long that it must be dead."""
        heard = time.monotonic()
        while time.monotonic() - heard < DEAF_SECONDS:
            message = await pubsub.get_message(True, timeout=2)
            if message is None:
                continue
            heard = time.monotonic()
            await self._obey(message["data"])

    async def _obey(self, ring: bytes) -> None:
        if ring.startswith(DECIDED):
            await self._worker.questions.look(ring.removeprefix(DECIDED).decode())
        elif ring != TICK:
            self._cancel(ring.decode())

    def _cancel(self, generation: str) -> None:
        now = time.monotonic()
        self._cancelled = {
            known: at
            for known, at in self._cancelled.items()
            if now - at < CANCELS_REMEMBERED_SECONDS
        }
        self._cancelled[generation] = now
        run = self._worker.runs.get(generation)
        if run is not None:
            run.stop("cancelled")
