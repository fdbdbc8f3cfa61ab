"""The time that an attempt may take. While its user is asked something, it stands still."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


class Clock:
    def __init__(self) -> None:
        self._limit: asyncio.Timeout | None = None
        self._left = 0.0
        self._stops = 0

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """Raises TimeoutError where the work inside takes longer, without the stops."""
        try:
            async with asyncio.timeout(seconds) as self._limit:
                yield
        finally:
            self._limit = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Several may stop it; it goes on when all of them have ended."""
        self._stops += 1
        if self._stops == 1 and (limit := self._running_limit()) is not None:
            self._left = (limit.when() or 0.0) - now()
            limit.reschedule(None)
        try:
            yield
        finally:
            self._stops -= 1
            if self._stops == 0 and (limit := self._running_limit()) is not None:
                limit.reschedule(now() + self._left)

    def _running_limit(self) -> asyncio.Timeout | None:
        """None where the work has ended, or is just being ended by its limit."""
        return None if self._limit is None or self._limit.expired() else self._limit


def now() -> float:
    return asyncio.get_running_loop().time()
