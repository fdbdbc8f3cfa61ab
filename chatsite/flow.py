"""Answers at the pace of their reader. Daphne takes each piece at once, and keeps what the line
does not take: all that a user has, in memory, for as long as somebody reads it slowly."""

import asyncio
from typing import Any

from chatsite.body import BoundedRequest


class Valve:
    """What Twisted calls a push producer: it is told to stop while the line is full."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    def pauseProducing(self) -> None:  # noqa: N802
        self._open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._open.set()

    def stopProducing(self) -> None:  # noqa: N802
        """The reader is gone, of which whoever waits learns by other means."""
        self._open.set()

    async def room(self) -> None:
        await self._open.wait()


class PacedRequest(BoundedRequest):
    _valve: Valve | None = None

    def handle_reply(self, message: dict[str, Any]) -> None:
        """An answer of one piece needs no valve."""
        more = message["type"] == "http.response.body" and message.get("more_body", False)
        if more and self._valve is None and self.channel is not None and not self.finished:
            self._valve = Valve()
            self.registerProducer(self._valve, True)
        super().handle_reply(message)

    async def room(self) -> None:
        """Returns when the line takes more, or is gone."""
        if self._valve is not None:
            await self._valve.room()

    def finish(self) -> None:
        self._let_go()
        super().finish()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self._let_go()
        super().connectionLost(reason)

    def _let_go(self) -> None:
        if self._valve is not None:
            self._valve.stopProducing()
            if self.channel is not None:
                self.unregisterProducer()
            self._valve = None
