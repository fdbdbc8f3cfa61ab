"""Recovery that hangs on no single process: every worker looks for generations that nobody runs.

It starts them right here, where there is room, and not through the broker: a message that got lost,
a broker that is away and a worker whose line to the broker is dead are then all the same. The claim
decides who gets one, and what is left to do with it.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from conversations.models import Generation
from streaming import lease, metrics
from streaming.database import AWAY

if TYPE_CHECKING:
    from streaming.worker import Worker

logger = structlog.get_logger(__name__)


class Sweeper:
    def __init__(self, worker: "Worker") -> None:
        self._worker = worker
        self._failed_at = float("-inf")

    async def run(self) -> None:
        while True:
            await asyncio.sleep(settings.SWEEP_SECONDS)
            try:
                await self.sweep()
            except AWAY as error:
                self._failed_at = time.monotonic()
                logger.warning("sweep_failed", error=str(error))

    async def sweep(self) -> None:
        # After trouble with the database, the living first get the time to renew their leases.
        if time.monotonic() - self._failed_at > settings.RENEW_SECONDS * 2:
            await self._start(lease.expired, "lease_ran_out")
        await self._start(lease.queued_too_long, "waited_too_long")

    async def _start(self, look: Callable[[list[str], int], list[Generation]], why: str) -> None:
        room = self._worker.room
        found = await self._worker.in_database(look, self._worker.queues, room) if room > 0 else []
        for generation in found:
            logger.warning(
                why,
                generation=str(generation.pk),
                attempt=generation.attempt,
                worker=generation.worker,
            )
            metrics.SWEPT.labels(why).inc()
            self._worker.start(str(generation.pk))
