"""The stream log: the letterbox of a generation, one Redis Stream of its numbered events.

An event's position is its Redis Stream id, `<attempt>-<seq>`, so that Redis itself refuses a write
that is not newer than the newest: a worker that was presumed dead and wakes up cannot write a word.
All names of keys are made here.

A log holds either every event of its newest attempt or a snapshot and every event after it. It is
bounded by the limits on a generation (its time and its size), never by trimming.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from streaming.protocol import header
from streaming.snapshot import START, StreamPosition, follows

# Appends the events [(seq, json), …] of one attempt and publishes those that are new or repeated,
# in one step: nobody can read between the log and the doorbell.
#
# KEYS[1] the log, ARGV: channel, ttl in seconds, attempt, then seq, is-whole, json of each event.
# Answers `ok`, `gone` (the log lacks what came before: Redis lost it; nothing was written) or
# `fenced` (a newer attempt has written, or this one has been closed; nothing was written).
#
# A sender that saw a time-out does not know whether its events arrived and sends them again. Events
# of its own attempt that are there already are skipped in the log, and published once more: a
# doubled event is dropped by every receiver, a lost one would be a gap.
APPEND = """
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local attempt, at_attempt, at_seq = tonumber(ARGV[3]), 0, 0
if newest[1] then
  local dash = string.find(newest[1][1], '-', 1, true)
  at_attempt = tonumber(string.sub(newest[1][1], 1, dash - 1))
  at_seq = tonumber(string.sub(newest[1][1], dash + 1))
end
if at_attempt > attempt then return 'fenced' end
if at_attempt < attempt then at_seq = 0 end
local first, whole = tonumber(ARGV[4]), ARGV[5] == '1'
if first > at_seq + 1 and not whole then return 'gone' end
for i = 4, #ARGV, 3 do
  local seq = tonumber(ARGV[i])
  if seq > at_seq then
    redis.call('XADD', KEYS[1], attempt .. '-' .. seq, 'e', ARGV[i + 2])
  end
  redis.call('PUBLISH', ARGV[1], ARGV[i + 2])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 'ok'
"""


Rows = list[tuple[bytes, dict[bytes, bytes]]]


class Append(StrEnum):
    OK = "ok"
    GONE = "gone"
    FENCED = "fenced"


@dataclass(frozen=True, slots=True)
class Entry:
    """One encoded event. `whole` marks a snapshot, which needs nothing before it."""

    seq: int
    frame: bytes
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one attempt of one generation, in order, for one call."""

    generation: str
    channel: str
    attempt: int
    entries: Sequence[Entry]


def log_key(generation: str) -> str:
    return f"{settings.REDIS_PREFIX}:log:{generation}"


def outcome_key(generation: str) -> str:
    return f"{settings.REDIS_PREFIX}:outcome:{generation}"


def worker_key(worker: str) -> str:
    return f"{settings.REDIS_PREFIX}:worker:{worker}"


def queue_key() -> str:
    """Where Celery's broker keeps the messages of the generations queue."""
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    return f"{prefix}{settings.CELERY_TASK_DEFAULT_QUEUE}"


def cancel_channel() -> str:
    return f"{settings.REDIS_PREFIX}:cancel"


# On the same channel: the generation of which a call was decided.
DECIDED = b"decided:"


def decisions_key(generation: str) -> str:
    """What users have decided about calls of a generation, by the positions of the questions."""
    return f"{settings.REDIS_PREFIX}:decisions:{generation}"


class StreamLog:
    """Reads and writes logs over one Redis connection pool.

    Every method raises redis.RedisError (connection, time-out) as it is.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._sha = hashlib.sha1(APPEND.encode(), usedforsecurity=False).hexdigest()

    async def append(self, batches: Sequence[Batch]) -> list[Append]:
        """Append and publish many streams' events in one round trip; one answer for each batch."""
        answers = await self._send(batches)
        if any(isinstance(answer, NoScriptError) for answer in answers):
            # A fresh Redis does not know the script. Sending all again is harmless (see APPEND).
            await self._redis.script_load(APPEND)
            answers = await self._send(batches)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return [Append(answer.decode()) for answer in answers]

    async def _send(self, batches: Sequence[Batch]) -> list[Any]:
        pipe = self._redis.pipeline(transaction=False)
        for batch in batches:
            arguments: list[Any] = [batch.channel, settings.LOG_TTL_SECONDS, batch.attempt]
            for entry in batch.entries:
                arguments += (entry.seq, "1" if entry.whole else "0", entry.frame)
            pipe.evalsha(self._sha, 1, log_key(batch.generation), *arguments)
        answers: list[Any] = await pipe.execute(raise_on_error=False)
        return answers

    async def read(self, generation: str, after: StreamPosition) -> list[bytes] | None:
        """Every event after a position; None where the log cannot prove that it has them all.

        It can where every event is the next one after that before it: the following number, the
        start of a new attempt or a snapshot. From the start, an empty list means that nothing has
        happened.
        """
        rows: Rows = await self._redis.xrange(  # type: ignore[assignment]
            log_key(generation), min=f"{after.attempt}-{after.seq}"
        )
        if not rows:
            return [] if after == START else None
        if _position(rows[0][0]) == after:
            del rows[0]
        return [fields[b"e"] for _, fields in rows] if _whole(after, rows) else None

    async def exists(self, generations: Sequence[str]) -> list[bool]:
        pipe = self._redis.pipeline(transaction=False)
        for generation in generations:
            pipe.exists(log_key(generation))
        return [bool(answer) for answer in await pipe.execute()]

    async def newest(self, generations: Sequence[str]) -> list[StreamPosition]:
        """The newest position in each log, (0, 0) for one that is empty or gone."""
        pipe = self._redis.pipeline(transaction=False)
        for generation in generations:
            pipe.xrevrange(log_key(generation), count=1)
        return [_position(rows[0][0]) if rows else START for rows in await pipe.execute()]

    async def retire(self, generation: str, *rings: tuple[str, bytes]) -> None:
        """Once the database has the answer: late tabs may still read the log for a while. `rings`,
        (channel, frame), go out in the same round trip."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.expire(log_key(generation), settings.FINISHED_LOG_TTL_SECONDS)
        pipe.delete(outcome_key(generation), decisions_key(generation))
        for channel, frame in rings:
            pipe.publish(channel, frame)
        await pipe.execute()

    async def keep_outcome(self, generation: str, outcome: bytes) -> None:
        """An answer that is whole but not yet in the database, for whoever gets to store it."""
        await self._redis.set(outcome_key(generation), outcome, ex=24 * 3600)

    async def outcome(self, generation: str) -> bytes | None:
        found: bytes | None = await self._redis.get(outcome_key(generation))  # type: ignore[assignment]
        return found


def _position(entry_id: bytes) -> StreamPosition:
    attempt, _, seq = entry_id.partition(b"-")
    return StreamPosition(int(attempt), int(seq))


def _whole(after: StreamPosition, rows: Rows) -> bool:
    """Whether nothing is missing after a position. A log that has lost its head, or a part in the
    middle, must not pass for one that has everything: what it lacks would never be asked for."""
    at = after
    for entry_id, fields in rows:
        position = _position(entry_id)
        if position != (at.attempt, at.seq + 1):
            kind = header(fields[b"e"]).type
            if follows(at, position, kind) != "next":
                return False
        at = position
    return True
