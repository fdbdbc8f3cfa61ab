"""Notices a provider that has gone silent, at the cost of one timer per stream."""

import asyncio

from aiohttp import StreamReader

from llm.errors import ProviderError

AFTER_FINISH_SECONDS = 5.0


class Watchdog:
    """Wakes a reader of `content` with ProviderError when no data came for too long.

    A timer per token would cost more than the token. So tokens only leave a stamp, and the one
    timer looks at it when the stream could be late at the earliest. Time that the reader spends
    elsewhere is not the provider's: it does not count.
    """

    __slots__ = (
        "_content",
        "_handle",
        "_limit",
        "_loop",
        "_stamp",
        "_started",
        "_token",
        "waiting",
    )

    def __init__(
        self, content: StreamReader, started: float, first_token: float, token: float
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._content = content
        self._limit = first_token
        self._token = token
        self._stamp = started
        self._started = False
        self.waiting = False
        self._handle = self._loop.call_at(started + first_token, self._check)

    def data_came(self) -> None:
        self._stamp = self._loop.time()
        if not self._started:
            self._started = True
            self._limit_to(self._token)

    def finish_came(self) -> None:
        """Only the usage can follow, and an answer that is whole must not wait long for it."""
        self._started = True
        self._stamp = self._loop.time()
        self._limit_to(min(AFTER_FINISH_SECONDS, self._token))

    def stop(self) -> None:
        self._handle.cancel()

    def _limit_to(self, limit: float) -> None:
        self._limit = limit
        self._handle.cancel()
        self._handle = self._loop.call_at(self._stamp + limit, self._check)

    def _check(self) -> None:
        if not self.waiting:
            self._stamp = self._loop.time()
        due = self._stamp + self._limit
        if due > self._loop.time():
            self._handle = self._loop.call_at(due, self._check)
            return
        self._content.set_exception(ProviderError("provider_timeout", repeatable=False))
