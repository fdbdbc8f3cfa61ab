"""The ORM, from an event loop: in a few threads of its own, so that nothing else waits for it."""

import asyncio
import functools
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.utils import translation

P = ParamSpec("P")
T = TypeVar("T")

# What it raises while it is away. All else that it raises is about what it was given.
AWAY = (OperationalError, InterfaceError)
SLOW_SECONDS = 0.1
NICENESS = 5


class DatabaseThreads:
    """Calls functions of the ORM; no connection outlives a call, but for SQLite's.

    One call at a time, as long as each is quick. The interpreter runs one thread at a time anyway,
    and threads that compute side by side take it from the event loop, which has streams to serve:
    with three of them the first words of a hundred answers came many times as late, and the calls
    themselves no sooner. A call that takes longer than `SLOW_SECONDS` waits for something, such as
    a lock or a line, and lets another one begin; so one that hangs holds up nobody for long.

    Two threads are enough for SQLite, which has one writer at a time: a third would only poll for
    its lock. Its connections stay open, because opening one costs more than most queries.
    """

    def __init__(self, threads: int) -> None:
        self._stays_open = connection.vendor == "sqlite"
        self._threads = ThreadPoolExecutor(
            2 if self._stays_open else threads, "database", initializer=give_way
        )
        self._turns = asyncio.Semaphore(1)

    async def __call__(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises what the call raises; `AWAY` where the database is."""
        await self._turns.acquire()
        turn = Turn(self._turns)
        slow = asyncio.get_running_loop().call_later(SLOW_SECONDS, turn.give)
        try:
            return await self.at_once(call, *args, **kwargs)
        finally:
            slow.cancel()
            turn.give()

    async def at_once(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Without waiting for a turn: for what must not come late, whoever else is waiting."""
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


class Turn:
    """One that is given back once, however often that is said."""

    def __init__(self, turns: asyncio.Semaphore) -> None:
        self._turns = turns
        self._given = False

    def give(self) -> None:
        if not self._given:
            self._given = True
            self._turns.release()


def give_way() -> None:
    """Answers that run go before those that begin or end: on a full processor, this thread yields
    to the event loops. Linux alone lets one thread of a process be nicer than the others."""
    if sys.platform == "linux":
        here = threading.get_native_id()
        # From where the process stands: to become less nice than that would need a privilege.
        nicer = os.getpriority(os.PRIO_PROCESS, here) + NICENESS
        os.setpriority(os.PRIO_PROCESS, here, min(nicer, 19))
