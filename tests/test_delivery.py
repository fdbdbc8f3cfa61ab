"""The channel layer: who begins to listen hears, whatever else happens in that instant."""

import asyncio
from collections.abc import Callable

from streaming.delivery import channel_of, layer
from streaming.redis import connect


def hearing() -> tuple[list[bytes], asyncio.Event, Callable[[bytes], None]]:
    heard: list[bytes] = []
    event = asyncio.Event()

    def listen(frame: bytes) -> None:
        heard.append(frame)
        event.set()

    return heard, event, listen


async def test_a_tab_that_reloads_is_not_made_deaf_by_its_own_leaving() -> None:
    """The last listener of a group leaves while a new one joins."""
    here, redis = layer(), connect()
    for turn in range(30):
        group = f"conversation.reload-{turn}"
        _, _, old = hearing()
        heard, event, new = hearing()
        await here.listen(group, old)

        async def come(steps: int, group: str, new: Callable[[bytes], None]) -> None:
            for _ in range(steps):
                await asyncio.sleep(0)
            await here.listen(group, new)

        await asyncio.gather(here.unlisten(group, old), come(turn % 6, group, new))
        await redis.publish(channel_of(group), b'{"turn":1}')
        await asyncio.wait_for(event.wait(), 2)
        assert heard == [b'{"turn":1}']
    await here.flush()
    await redis.aclose()


async def test_a_crowd_that_comes_at_once_hears_all() -> None:
    here, redis = layer(), connect()
    crowd = [hearing() for _ in range(300)]
    await asyncio.gather(
        *(here.listen(f"user.crowd-{n}", listen) for n, (_, _, listen) in enumerate(crowd))
    )
    for n in range(len(crowd)):
        await redis.publish(channel_of(f"user.crowd-{n}"), b'{"n":%d}' % n)
    await asyncio.wait_for(asyncio.gather(*(event.wait() for _, event, _ in crowd)), 5)
    assert [heard for heard, _, _ in crowd] == [[b'{"n":%d}' % n] for n in range(len(crowd))]
    await here.flush()
    await redis.aclose()
