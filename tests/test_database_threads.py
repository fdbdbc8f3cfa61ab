"""Calls to the database from an event loop: in turn while they are quick, and never behind one
that hangs."""

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError

from streaming.database import NICENESS, DatabaseThreads, give_way

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 20


class Call:
    """Says that it runs, and ends when it is told to."""

    def __init__(self) -> None:
        self.runs, self.may_end = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.runs.set()
        assert self.may_end.wait(PATIENCE_SECONDS)


async def begins(call: Call) -> None:
    assert await asyncio.to_thread(call.runs.wait, PATIENCE_SECONDS)


async def test_quick_calls_come_one_after_another_in_their_order() -> None:
    in_database = DatabaseThreads(3)
    seen: list[tuple[str, int]] = []

    def quick(number: int) -> None:
        seen.append(("begins", number))
        seen.append(("ends", number))

    await asyncio.gather(*(in_database(quick, number) for number in range(50)))
    assert seen == [(what, number) for number in range(50) for what in ("begins", "ends")]


async def test_one_that_hangs_holds_up_nobody() -> None:
    in_database = DatabaseThreads(3)
    hangs, follows = Call(), Call()
    first = asyncio.create_task(in_database(hangs))
    await begins(hangs)
    second = asyncio.create_task(in_database(follows))
    await begins(follows)
    assert not hangs.may_end.is_set()
    for call, task in ((follows, second), (hangs, first)):
        call.may_end.set()
        await task


async def test_what_must_not_come_late_waits_for_no_turn() -> None:
    in_database = DatabaseThreads(3)
    hangs = Call()
    first = asyncio.create_task(in_database(hangs))
    await begins(hangs)
    assert await in_database.at_once(lambda: "renewed") == "renewed"
    hangs.may_end.set()
    await first


async def test_a_call_that_fails_or_is_given_up_passes_its_turn_on() -> None:
    in_database = DatabaseThreads(3)

    def away() -> None:
        raise OperationalError("the database is away")

    with pytest.raises(OperationalError):
        await in_database(away)
    hangs, follows = Call(), Call()
    given_up = asyncio.create_task(in_database(hangs))
    await begins(hangs)
    waits = asyncio.create_task(in_database(follows))
    given_up.cancel()
    await begins(follows)
    for call in (hangs, follows):
        call.may_end.set()
    await waits
    assert await in_database(lambda: "next") == "next"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has threads of their own niceness")
@pytest.mark.parametrize("process", [0, 10, 19])
async def test_its_threads_give_way_to_the_event_loop(process: int) -> None:
    """Also in a process that is nice itself, and may not become less so."""

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def in_a_nice_thread() -> int:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), process)
        give_way()
        return niceness()

    assert await DatabaseThreads(3)(niceness) == min(niceness() + NICENESS, 19)
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(in_a_nice_thread).result() == min(process + NICENESS, 19)
