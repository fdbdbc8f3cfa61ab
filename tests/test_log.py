"""The stream log on a real Redis: who may write, what a reader gets, what is left after a loss."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from streaming.log import Append, Batch, Entry, StreamLog, log_key
from streaming.protocol import Snapshot, Started, StreamEvent, TextDelta, decode_event, encode
from streaming.recovery import state_in_log
from streaming.redis import connect
from streaming.snapshot import START, State, StreamPosition, position_of, replay
from tests.streams import CONVERSATION, MESSAGE, Story, stories

CHANNEL = "a-channel-of-a-test"


class Log:
    """One generation's log, and what a worker and a reader do with it."""

    def __init__(self) -> None:
        self.redis = connect()
        self.stream_log = StreamLog(self.redis)
        self.generation = str(uuid.uuid4())
        self.key = log_key(self.generation)

    def batch(self, attempt: int, entries: Iterable[Entry]) -> Batch:
        return Batch(self.generation, CHANNEL, attempt, list(entries))

    async def append(self, attempt: int, *entries: Entry) -> Append:
        answers = await self.stream_log.append([self.batch(attempt, entries)])
        return answers[0]

    async def read(self, *after: int) -> list[bytes] | None:
        return await self.stream_log.read(self.generation, StreamPosition(*after))

    async def ids(self) -> list[str]:
        rows: Any = await self.redis.xrange(self.key)
        return [entry_id.decode() for entry_id, _ in rows]

    async def close(self) -> None:
        await self.redis.delete(self.key)
        await self.redis.aclose()
        await self.redis.connection_pool.disconnect()


@pytest.fixture
async def log() -> AsyncIterator[Log]:
    opened = Log()
    yield opened
    await opened.close()


def frame(attempt: int, seq: int, text: str = "") -> bytes:
    if seq == 1:
        return encode(Started(uuid.UUID(int=1), attempt, 1, CONVERSATION, MESSAGE, "fake"))
    return encode(TextDelta(uuid.UUID(int=1), attempt, seq, text or f"{attempt}-{seq} "))


def event(attempt: int, seq: int) -> Entry:
    return Entry(seq, frame(attempt, seq))


def events(attempt: int, first: int, last: int) -> list[Entry]:
    return [event(attempt, seq) for seq in range(first, last + 1)]


def snapshot(attempt: int, seq: int) -> Entry:
    whole = Snapshot(uuid.UUID(int=1), attempt, seq, CONVERSATION, MESSAGE, "in_progress", [])
    return Entry(seq, encode(whole), whole=True)


def frames(attempt: int, first: int, last: int) -> list[bytes]:
    return [entry.frame for entry in events(attempt, first, last)]


async def heard(redis: Redis, batches: list[list[Entry]], log: Log) -> list[bytes]:
    """What a subscriber gets while these batches of attempt 1 are appended."""
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(CHANNEL)
        for batch in batches:
            await log.append(1, *batch)
        await redis.publish(CHANNEL, b"end")
        got: list[bytes] = []
        async for message in pubsub.listen():
            if message["data"] == b"end":
                return got
            if message["type"] == "message":
                got.append(message["data"])
    return got


# --- Appending -----------------------------------------------------------------------------------
async def test_events_are_kept_under_their_positions_in_order(log: Log) -> None:
    assert await log.append(1, *events(1, 1, 3)) is Append.OK
    assert await log.append(1, *events(1, 4, 12)) is Append.OK
    assert await log.ids() == [f"1-{seq}" for seq in range(1, 13)]
    assert await log.read(0, 0) == frames(1, 1, 12)


async def test_events_are_published_in_order_as_they_are(log: Log) -> None:
    batches = [events(1, 1, 3), events(1, 4, 5)]
    assert await heard(log.redis, batches, log) == frames(1, 1, 5)


async def test_a_batch_that_is_repeated_changes_nothing_and_is_published_again(log: Log) -> None:
    batch = events(1, 1, 3)
    assert await heard(log.redis, [batch, batch], log) == frames(1, 1, 3) * 2
    assert await log.read(0, 0) == frames(1, 1, 3)


async def test_a_batch_of_which_a_part_is_known_adds_the_rest(log: Log) -> None:
    await log.append(1, *events(1, 1, 3))
    assert await log.append(1, *events(1, 2, 5)) is Append.OK
    assert await log.read(0, 0) == frames(1, 1, 5)


async def test_what_is_there_is_never_replaced(log: Log) -> None:
    await log.append(1, *events(1, 1, 3))
    assert await log.append(1, Entry(2, frame(1, 2, "other"))) is Append.OK
    assert await log.read(0, 0) == frames(1, 1, 3)


async def test_a_new_attempt_begins_again_at_one(log: Log) -> None:
    await log.append(1, *events(1, 1, 3))
    assert await log.append(2, *events(2, 1, 2)) is Append.OK
    assert await log.ids() == ["1-1", "1-2", "1-3", "2-1", "2-2"]


async def test_a_tenth_attempt_is_newer_than_a_ninth(log: Log) -> None:
    await log.append(9, *events(9, 1, 1))
    assert await log.append(10, *events(10, 1, 11)) is Append.OK
    assert await log.append(9, *events(9, 2, 2)) is Append.FENCED


async def test_a_zombies_late_writes_are_refused_and_not_published(log: Log) -> None:
    await log.append(1, *events(1, 1, 3))
    await log.append(2, *events(2, 1, 1))
    async with log.redis.pubsub() as pubsub:
        await pubsub.subscribe(CHANNEL)
        await pubsub.get_message(timeout=1)
        for late in (events(1, 4, 6), events(1, 1, 3), [snapshot(1, 9)]):
            assert await log.append(1, *late) is Append.FENCED
        await log.redis.publish(CHANNEL, b"end")
        message = await pubsub.get_message(timeout=5)
        assert message is not None
        assert message["data"] == b"end"
    assert await log.ids() == ["1-1", "1-2", "1-3", "2-1"]


async def test_a_log_that_lost_what_came_before_is_gone(log: Log) -> None:
    await log.append(1, *events(1, 1, 5))
    await log.redis.delete(log.key)
    assert await log.append(1, *events(1, 6, 7)) is Append.GONE
    assert await log.ids() == []


async def test_a_log_that_lost_its_newest_events_is_gone(log: Log) -> None:
    await log.append(1, *events(1, 1, 5))
    await log.redis.xdel(log.key, "1-4", "1-5")
    assert await log.append(1, *events(1, 6, 7)) is Append.GONE
    assert await log.ids() == ["1-1", "1-2", "1-3"]


async def test_a_new_attempt_whose_first_event_is_lost_is_gone(log: Log) -> None:
    await log.append(1, *events(1, 1, 5))
    assert await log.append(2, *events(2, 2, 3)) is Append.GONE


async def test_a_snapshot_is_always_accepted(log: Log) -> None:
    assert await log.append(1, snapshot(1, 59)) is Append.OK
    assert await log.append(1, *events(1, 60, 61)) is Append.OK
    assert await log.append(1, snapshot(1, 70)) is Append.OK
    assert await log.append(3, snapshot(3, 4), event(3, 5)) is Append.OK
    assert await log.ids() == ["1-59", "1-60", "1-61", "1-70", "3-4", "3-5"]


async def test_each_stream_gets_an_answer_of_its_own(log: Log) -> None:
    good, fenced, gone, new = Log(), Log(), Log(), Log()
    await good.append(1, *events(1, 1, 1))
    await fenced.append(2, *events(2, 1, 1))
    answers = await log.stream_log.append(
        [
            fenced.batch(1, events(1, 1, 2)),
            good.batch(1, events(1, 2, 3)),
            gone.batch(1, events(1, 5, 6)),
            new.batch(1, events(1, 1, 1)),
        ]
    )
    assert answers == [Append.FENCED, Append.OK, Append.GONE, Append.OK]
    assert await good.read(0, 0) == frames(1, 1, 3)
    assert await new.read(0, 0) == frames(1, 1, 1)
    for other in (good, fenced, gone, new):
        await other.close()


async def test_a_redis_that_has_forgotten_the_script_learns_it_again(log: Log) -> None:
    await log.append(1, *events(1, 1, 2))
    await log.redis.script_flush()
    other = Log()
    answers = await log.stream_log.append(
        [log.batch(1, events(1, 3, 4)), other.batch(1, events(1, 1, 2))]
    )
    assert answers == [Append.OK, Append.OK]
    assert await log.read(0, 0) == frames(1, 1, 4)
    assert await other.read(0, 0) == frames(1, 1, 2)
    await other.close()


async def test_any_other_trouble_is_raised(log: Log) -> None:
    await log.redis.set(log.key, "not a stream")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await log.append(1, *events(1, 1, 1))


async def test_without_redis_an_append_raises(log: Log) -> None:
    nowhere: Redis = Redis.from_url(f"unix://{settings.DATA_DIR / 'no.sock'}")
    with pytest.raises(RedisError):
        await StreamLog(nowhere).append([log.batch(1, events(1, 1, 1))])
    await nowhere.aclose()


async def test_a_log_expires_and_every_append_puts_it_off(log: Log) -> None:
    await log.append(1, *events(1, 1, 1))
    assert 0 < await log.redis.ttl(log.key) <= settings.LOG_TTL_SECONDS
    await log.stream_log.retire(log.generation)
    assert 0 < await log.redis.ttl(log.key) <= settings.FINISHED_LOG_TTL_SECONDS
    await log.append(1, *events(1, 2, 2))
    assert await log.redis.ttl(log.key) > settings.FINISHED_LOG_TTL_SECONDS


async def test_two_writers_of_one_attempt_leave_one_log(log: Log) -> None:
    """A retry after a time-out may run beside the call that timed out."""
    writes = [log.append(1, *events(1, 1, last)) for last in (9, 3, 7, 5, 9, 1)]
    assert set(await asyncio.gather(*writes)) == {Append.OK}
    assert await log.read(0, 0) == frames(1, 1, 9)


# --- Reading -------------------------------------------------------------------------------------
async def test_an_empty_log_says_that_nothing_has_happened(log: Log) -> None:
    assert await log.read(0, 0) == []


async def test_an_empty_log_proves_nothing_to_whoever_has_something(log: Log) -> None:
    assert await log.read(1, 1) is None


async def test_a_position_that_nobody_can_have_is_not_proven(log: Log) -> None:
    await log.append(2, snapshot(2, 1), *events(2, 2, 3))
    assert await log.read(2, 4) is None
    assert await log.read(3, 1) is None


async def test_a_new_attempt_that_does_not_begin_with_its_start_is_not_proven(log: Log) -> None:
    await log.append(1, snapshot(1, 1))
    first = Entry(1, encode(TextDelta(uuid.UUID(int=1), 2, 1, "no start")))
    await log.append(2, first, event(2, 2))
    assert await log.read(1, 1) is None
    assert await log.read(1, 5) is None
    assert await log.read(0, 0) is None


async def test_a_log_without_its_head_is_no_whole_one(log: Log) -> None:
    await log.append(1, *events(1, 1, 9))
    await log.redis.xtrim(log.key, maxlen=4, approximate=False)
    assert await log.read(0, 0) is None
    assert await log.read(1, 4) is None
    assert await log.read(1, 5) == frames(1, 6, 9)
    assert await log.read(1, 9) == []


async def test_a_log_with_a_hole_is_no_whole_one(log: Log) -> None:
    await log.append(1, *events(1, 1, 9))
    await log.redis.xdel(log.key, "1-5")
    assert await log.read(0, 0) is None
    assert await log.read(1, 3) is None
    assert await log.read(1, 5) == frames(1, 6, 9)


async def test_newest_and_exists(log: Log) -> None:
    none = str(uuid.uuid4())
    await log.append(1, snapshot(1, 1), *events(1, 2, 12))
    generations = [log.generation, none]
    assert await log.stream_log.newest(generations) == [StreamPosition(1, 12), START]
    assert await log.stream_log.exists(generations) == [True, False]
    assert await log.stream_log.newest([]) == []


async def test_an_outcome_is_kept_until_it_is_forgotten(log: Log) -> None:
    kept = log.stream_log
    assert await kept.outcome(log.generation) is None
    await kept.keep_outcome(log.generation, b"{}")
    assert await kept.outcome(log.generation) == b"{}"
    await kept.retire(log.generation)
    assert await kept.outcome(log.generation) is None


# --- Disconnect and resume at every position -----------------------------------------------------
def batches_of(story: Story, cuts: set[int]) -> list[tuple[int, list[Entry]]]:
    """The story as a worker sends it: cut anywhere, and between attempts in any case."""
    made: list[tuple[int, list[Entry]]] = []
    for number, one in enumerate(story.events):
        if not made or number in cuts or made[-1][0] != one.attempt:
            made.append((one.attempt, []))
        made[-1][1].append(entry_of(one))
    return made


def entry_of(one: StreamEvent) -> Entry:
    return Entry(one.seq, encode(one), whole=isinstance(one, Snapshot))


async def write(log: Log, story: Story, cuts: set[int]) -> None:
    for attempt, entries in batches_of(story, cuts):
        assert await log.append(attempt, *entries) is Append.OK


async def resumed(log: Log, story: Story, position: StreamPosition) -> State | None:
    """What a client shows that has everything up to `position` and reads the rest. Raises Gap
    where it would be given a part."""
    found = await log.read(*position)
    if found is None:
        return None
    state = replay(story.states[position], map(decode_event, found))
    shown = [decode_event(one) for one in found]
    assert [position_of(one) for one in shown] == sorted({position_of(one) for one in shown})
    assert all(position_of(one) > position for one in shown)
    return state


def in_one_log(check: Callable[[Log], Awaitable[None]]) -> None:
    async def run() -> None:
        log = Log()
        try:
            await check(log)
        finally:
            await log.close()

    asyncio.run(run())


cuts = st.sets(st.integers(0, 40), max_size=8)
enough = hypothesis_settings(max_examples=60, deadline=None)


@enough
@given(story=stories(), cuts=cuts)
def test_a_resume_at_every_position_ends_in_the_same_state(story: Story, cuts: set[int]) -> None:
    async def check(log: Log) -> None:
        await write(log, story, cuts)
        for position in story.positions:
            assert await resumed(log, story, position) == story.state
        assert await state_in_log(log.stream_log, log.generation) == {**story.state, "message": ""}

    in_one_log(check)


@enough
@given(story=stories(), at=st.integers(0, 60))
def test_a_resume_while_it_is_written_ends_in_the_state_so_far(story: Story, at: int) -> None:
    async def check(log: Log) -> None:
        written = story.events[: 1 + at % len(story.events)]
        for one in written:
            await log.append(one.attempt, entry_of(one))
        newest = StreamPosition(written[-1].attempt, written[-1].seq)
        for position in story.positions:
            if position <= newest:
                assert await resumed(log, story, position) == story.states[newest]

    in_one_log(check)


async def lose(log: Log, how: str, numbers: Sequence[int]) -> None:
    ids = await log.ids()
    match how:
        case "all":
            await log.redis.delete(log.key)
        case "head":
            await log.redis.xtrim(log.key, maxlen=numbers[0] % len(ids), approximate=False)
        case "tail":
            await log.redis.xdel(log.key, *ids[numbers[0] % len(ids) :])
        case "some":
            await log.redis.xdel(log.key, *{ids[number % len(ids)] for number in numbers})


losses = st.tuples(
    st.sampled_from(["all", "head", "tail", "some"]),
    st.lists(st.integers(0, 40), min_size=1, max_size=6),
)


@hypothesis_settings(max_examples=150, deadline=None)
@given(story=stories(), loss=losses)
def test_after_a_loss_a_resume_is_exact_or_none_and_never_a_part(
    story: Story, loss: tuple[str, list[int]]
) -> None:
    async def check(log: Log) -> None:
        await write(log, story, set())
        await lose(log, *loss)
        newest = (await log.stream_log.newest([log.generation]))[0]
        for position in story.positions:
            state = await resumed(log, story, position)
            if position == START and newest == START:
                assert state == story.states[START]
            elif state is not None:
                assert state == story.states[newest]

    in_one_log(check)


@hypothesis_settings(max_examples=100, deadline=None)
@given(story=stories(), loss=losses)
def test_a_worker_that_goes_on_after_a_loss_makes_the_log_exact_again(
    story: Story, loss: tuple[str, list[int]]
) -> None:
    """It does what `Run.rewrite` does: where the log is gone, the next entry is a snapshot."""

    async def check(log: Log) -> None:
        await write(log, story, set())
        await lose(log, *loss)
        before = story.positions
        story.add(TextDelta, text="more")
        if await log.append(story.attempt, entry_of(story.events[-1])) is Append.GONE:
            story.snapshot(1)
            assert await log.append(story.attempt, entry_of(story.events[-1])) is Append.OK
        found = [await resumed(log, story, position) for position in before]
        assert all(state in (story.state, None) for state in found)
        # Whoever had everything before the loss has everything again.
        assert found[-1] == story.state

    in_one_log(check)
