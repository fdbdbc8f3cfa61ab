"""The ORM, from an event loop: in a few threads of its own, so that nothing else waits for it."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.utils import translation

P = ParamSpec("P")
T = TypeVar("T")

# What it raises while it is away. All else that it raises is about what it was given.
AWAY = (OperationalError, InterfaceError)


class DatabaseThreads:
    """Calls functions of the ORM; no connection outlives a call, but for SQLite's.

    Two threads are enough for SQLite, which has one writer at a time: a third would only poll for
    its lock. Its connections stay open, because opening one costs more than most queries.
    """

    def __init__(self, threads: int) -> None:
        self._stays_open = connection.vendor == "sqlite"
        self._threads = ThreadPoolExecutor(2 if self._stays_open else threads, "database")

    async def __call__(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises what the call raises; `AWAY` where the database is."""
        # What is refused is said in the language of the caller.
        run = functools.partial(self._run, translation.get_language(), call, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, run)

    def _run(self, language: str, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with translation.override(language):
                result = call(*args, **kwargs)
        except BaseException:
            connection.close()
            raise
        if not self._stays_open:
            connection.close()
        return result
