import asyncio
import random
import time

import structlog
from django.conf import settings

from streaming.node import nodes
from streaming.protocol import CLOSE_RESTART

logger = structlog.get_logger(__name__)


async def drain_readers() -> None:
    """Tell every reader to come back on another node, spread over the drain time, so that those
    nodes do not get all of them in the same instant."""
    here = nodes()
    for node in here:
        node.draining = True
    feeds = [feed for node in here for feed in node.feeds]
    logger.info("web_drains", readers=len(feeds))
    random.shuffle(feeds)
    pause = min(settings.WEB_DRAIN_SECONDS / (len(feeds) or 1), 0.01)
    for feed in feeds:
        feed.end(CLOSE_RESTART)
        await asyncio.sleep(pause)
    deadline = time.monotonic() + 1
    while any(node.feeds for node in here) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
