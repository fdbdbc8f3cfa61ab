"""Streams are read together, just before what they bring is published."""

import asyncio
from contextlib import aclosing, suppress

import pytest
from pytest_django import Settings

from llm.pace import LONGEST_SECONDS, Pace, pace
from llm.parts import TextDelta
from llm.session import close_session
from llm.stream import stream
from streaming.ticker import EVENTS_PER_SECOND, LONGEST_TICK_SECONDS, tick_for
from tests.provider import Provider, expected_text
from tests.test_llm_stream import fake, turns

PATIENCE_SECONDS = 20


class Reader:
    """Reads once at each beat."""

    def __init__(self, at: Pace) -> None:
        self.reads = 0
        self.task = asyncio.create_task(self._read(at))

    async def _read(self, at: Pace) -> None:
        while True:
            await at.wait()
            self.reads += 1


async def test_all_have_read_when_the_beat_returns() -> None:
    beat = Pace()
    readers = [Reader(beat) for _ in range(100)]
    await asyncio.sleep(0)
    for number in (1, 2, 3):
        await beat.beat()
        assert {reader.reads for reader in readers} == {number}
    readers[0].task.cancel()
    await beat.beat()
    assert [reader.reads for reader in readers] == [3, *[4] * 99]
    for reader in readers:
        reader.task.cancel()


async def test_where_nobody_beats_they_read_all_the_same() -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        began = asyncio.get_running_loop().time()
        await Pace().wait()
    # A timer may ring a hair before its time.
    assert asyncio.get_running_loop().time() - began >= LONGEST_SECONDS - 0.01


async def test_a_fast_model_brings_one_piece_a_beat_and_every_word(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long this machine takes for a beat, nobody reads without one.
    monkeypatch.setattr("llm.pace.LONGEST_SECONDS", PATIENCE_SECONDS)
    directive = {"tokens": 200, "rate": 1000}
    here, beats = Pace(), 0
    pace.set(here)

    async def beating() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.02)
            await here.beat()
            beats += 1

    drum = asyncio.create_task(beating())
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with aclosing(stream(fake(provider), turns(directive))) as said:
            pieces = [part.text async for part in said if isinstance(part, TextDelta)]
    drum.cancel()
    with suppress(asyncio.CancelledError):
        await drum
    await close_session()
    assert "".join(pieces) == expected_text(directive)
    # The first is read at once, whenever it comes; a beat may be under way at the end.
    assert len(pieces) <= beats + 2


@pytest.mark.parametrize(
    ("streams", "seconds"),
    [(0, 0.04), (1, 0.04), (64, 0.04), (100, 0.0625), (160, 0.1), (10_000, LONGEST_TICK_SECONDS)],
)
def test_many_streams_are_published_less_often(
    streams: int, seconds: float, settings: Settings
) -> None:
    settings.TICK_SECONDS = 0.04
    assert tick_for(streams) == pytest.approx(seconds)
    assert streams > 160 or streams / tick_for(streams) <= EVENTS_PER_SECOND * 1.001


def test_a_tick_is_never_shorter_than_it_is_set(settings: Settings) -> None:
    settings.TICK_SECONDS = 0.5
    assert tick_for(1) == tick_for(1000) == 0.5
