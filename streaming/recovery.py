"""What can still be known of a generation whose worker is gone."""

from collections.abc import Sequence

import msgspec

from streaming.content import gather
from streaming.lease import Outcome
from streaming.log import StreamLog
from streaming.protocol import STARTED_TYPE, decode_event, header
from streaming.snapshot import START, State

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(Outcome).decode


async def keep(log: StreamLog, generation: str, outcome: Outcome) -> None:
    """Put a finished answer where another worker finds it, should this one not get to store it."""
    await log.keep_outcome(generation, _encode(outcome))


async def kept(log: StreamLog, generation: str) -> Outcome | None:
    found = await log.outcome(generation)
    return _decode(found) if found else None


async def state_in_log(log: StreamLog, generation: str) -> State | None:
    """The generation as its log tells it, None where the log is empty or gone."""
    frames = await log.read(generation, START)
    return state_of(frames) if frames else None


def state_of(frames: Sequence[bytes]) -> State | None:
    """The state after frames that reach back to the beginning of an attempt or to a snapshot; None
    where they do not."""
    first = header(frames[0])
    if first.type not in (STARTED_TYPE, "snapshot"):
        return None
    return gather(map(decode_event, frames), message="")
