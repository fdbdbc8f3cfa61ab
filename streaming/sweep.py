"""Recovery that hangs on no single process: every worker looks for generations that nobody runs.

It enqueues and does nothing else. The claim decides who gets one, and what is left to do with it.
"""

import asyncio
import time
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from streaming import lease, metrics
from streaming.log import queue_key

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
            except (DatabaseError, InterfaceError) as error:
                self._failed_at = time.monotonic()
                logger.warning("sweep_failed", error=str(error))
            except self._worker.unreachable as error:
                logger.warning("sweep_failed", error=str(error))

    async def sweep(self) -> None:
        # After trouble with the database, the living first get the time to renew their leases.
        if time.monotonic() - self._failed_at > settings.RENEW_SECONDS * 2:
            for generation in await self._worker.in_database(lease.expired):
                if await self._worker.in_database(lease.take_turn, generation.pk):
                    logger.warning(
                        "lease_ran_out",
                        generation=str(generation.pk),
                        attempt=generation.attempt,
                        worker=generation.worker,
                    )
                    self._worker.enqueue(str(generation.pk))
        await self._enqueue_forgotten()

    async def _enqueue_forgotten(self) -> None:
        waiting = await self._worker.in_database(lease.queued_too_long)
        if not waiting or await self._worker.redis.llen(queue_key()):
            # Messages wait in the broker, so these are late and not lost.
            return
        for generation in waiting:
            if await self._worker.in_database(lease.take_turn, generation):
                metrics.ENQUEUED_AGAIN.inc()
                logger.warning("enqueued_again", generation=str(generation))
                self._worker.enqueue(str(generation))
