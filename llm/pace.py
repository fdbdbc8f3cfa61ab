"""When the readers of streams read on: together, just before what they bring is published.

Providers send a token at a time, and to read one costs as much as to read ten that came together.
Nobody sees a word before it is published, so a reader that comes more often gains nothing.
"""

import asyncio
from contextvars import ContextVar

# Should whoever beats be held up itself, readers go on at this pace.
LONGEST_SECONDS = 0.25


class Pace:
    """Of one event loop."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self) -> None:
        """For the next beat."""
        loop = asyncio.get_running_loop()
        beat: asyncio.Future[None] = loop.create_future()
        self._waiting.append(beat)
        if self._timer is None:
            self._timer = loop.call_later(LONGEST_SECONDS, self._wake)
        await beat

    async def beat(self) -> None:
        """Let all read what has arrived. Returns when they have, where none had to wait."""
        if self._waiting:
            self._wake()
            await asyncio.sleep(0)

    def _wake(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        for beat in waiting:
            # One whose stream was stopped meanwhile has been cancelled.
            if not beat.done():
                beat.set_result(None)


# Of the answer that is being written in this context; None: nobody publishes it word by word.
pace: ContextVar[Pace | None] = ContextVar("pace", default=None)
