"""The channel layer: the doorbell that also carries the letter.

`EventLayer` is channels-redis' pub/sub layer with a second way in. What is published as ready-made
JSON (it begins with `{`, which a packed channel-layer message never does) is handed to the
listeners of its group in the receive task itself: no queue that can grow, no task switch and no
decoding for each tab. It may drop anything; the receiver sees the gap in the numbers and reads the
log.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from channels.layers import get_channel_layer
from channels_redis.pubsub import (
    RedisPubSubChannelLayer,
    RedisPubSubLoopLayer,
    RedisSingleShardConnection,
)
from channels_redis.utils import _wrap_close, decode_hosts
from django.conf import settings
from redis.exceptions import RedisError

NOBODY_LISTENS_SECONDS = 0.1
RECEIVE_AGAIN_SECONDS = 1
Listener = Callable[[bytes], None]
logger = structlog.get_logger(__name__)


def user_group(user_id: int) -> str:
    return f"user.{user_id}"


def conversation_group(conversation_id: object) -> str:
    return f"conversation.{conversation_id}"


def channel_of(group: str) -> str:
    """The Redis channel of a group, as channels-redis names it."""
    return f"{settings.REDIS_PREFIX}__group__{group}"


class EventShard(RedisSingleShardConnection):
    def __init__(self, host: Any, channel_layer: Any) -> None:
        super().__init__(host, channel_layer)
        self._wanted: set[str] = set()

    async def subscribe(self, channel: str) -> None:
        """Whoever gets the lock takes along all who wait for it: when every tab of a node that was
        deployed comes back in the same second, this is a few commands and not thousands."""
        if channel in self._subscribed_to:
            return
        self._wanted.add(channel)
        try:
            async with self._lock:
                if channel in self._subscribed_to:
                    return
                self._ensure_redis()
                self._ensure_receiver()
                batch = list(self._wanted)
                await self._pubsub.subscribe(*batch)
                self._subscribed_to.update(batch)
        finally:
            self._wanted.discard(channel)

    async def release(self, channel: str) -> None:
        """Unsubscribe, unless somebody began to listen while this call waited for the lock."""
        async with self._lock:
            layer = self.channel_layer
            if channel in layer.listeners or channel in layer.groups:
                return
            if channel in self._subscribed_to:
                # Before the wait: who subscribes meanwhile must see that there is something to do.
                self._subscribed_to.discard(channel)
                await self._pubsub.unsubscribe(channel)

    async def _do_receiving(self) -> None:
        """As the layer's own, which looks ten times a second whether there is something, with a
        timer for each message. A line that is deaf the node's watchdog notices, and flushes."""
        while True:
            try:
                if self._pubsub and self._pubsub.subscribed:
                    self._receive_message(
                        await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=None)
                    )
                else:
                    await asyncio.sleep(NOBODY_LISTENS_SECONDS)
            except (RedisError, OSError) as error:
                logger.warning("channel_layer_unreachable", error=str(error))
                await asyncio.sleep(RECEIVE_AGAIN_SECONDS)

    def _receive_message(self, message: dict[str, Any] | None) -> None:
        if message is None or not message["data"].startswith(b"{"):
            super()._receive_message(message)
            return
        listeners = self.channel_layer.listeners.get(message["channel"].decode(), ())
        for listener in tuple(listeners):
            try:
                listener(message["data"])
            except Exception:
                # One tab's trouble must not make every other tab of this process deaf.
                logger.exception("listener_failed", channel=message["channel"].decode())


class EventLoopLayer(RedisPubSubLoopLayer):
    def __init__(self, hosts: list[Any], **options: Any) -> None:
        super().__init__(hosts, **options)
        self._shards = [EventShard(host, self) for host in decode_hosts(hosts)]
        self.listeners: dict[str, set[Listener]] = {}

    async def listen(self, group: str, listener: Listener) -> None:
        """From the return of this call on, `listener` gets every frame published to `group`."""
        channel = channel_of(group)
        self.listeners.setdefault(channel, set()).add(listener)
        await self._get_shard(channel).subscribe(channel)

    async def unlisten(self, group: str, listener: Listener) -> None:
        channel = channel_of(group)
        listeners = self.listeners.get(channel)
        if listeners is None:
            return
        listeners.discard(listener)
        if not listeners:
            del self.listeners[channel]
            await self._get_shard(channel).release(channel)

    async def flush(self) -> None:
        self.listeners = {}
        await super().flush()


class EventLayer(RedisPubSubChannelLayer):
    def _get_layer(self) -> EventLoopLayer:
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = EventLoopLayer(*self._args, **self._kwargs, channel_layer=self)
            _wrap_close(self, loop)
        layer: EventLoopLayer = self._layers[loop]
        return layer


def layer() -> EventLoopLayer:
    """The channel layer of the running event loop."""
    events: EventLayer = get_channel_layer()
    return events._get_layer()
