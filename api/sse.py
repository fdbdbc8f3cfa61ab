"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

Each event's id is its position, `<attempt>-<seq>`, and its data the frame that a WebSocket would
get. The stream ends with `event: done`; one that ends without it was interrupted on the way, and
whoever asks again with `Last-Event-ID` misses nothing; after a log-out or with a revoked key, 401.
"""

import re
from collections.abc import AsyncIterator, Callable

import structlog
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _

from accounts.models import User
from api.auth import standing, user_of
from conversations.models import Generation
from streaming.catch_up import position_in
from streaming.node import Node
from streaming.protocol import Error, encode
from streaming.reader import is_end, read
from streaming.snapshot import START, StreamPosition

logger = structlog.get_logger(__name__)

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_SECONDS = 15
HEARTBEAT = b": still here\n\n"
DONE = b"event: done\ndata: {}\n\n"
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
LINE_ENDS = [(sign.encode(), b"\\u%04x" % ord(sign)) for sign in "\x85\u2028\u2029"]
POSITION = re.compile(r"(\d{1,9})-(\d{1,9})")

# Frames in, chunks of the response out; None stands for a silence.
Translate = Callable[[AsyncIterator[bytes | None]], AsyncIterator[bytes]]


def wants_events(request: HttpRequest) -> bool:
    return MEDIA_TYPE in request.headers.get("Accept", "")


def last_position(request: HttpRequest) -> StreamPosition:
    """Raises ValueError."""
    given = request.headers.get("Last-Event-ID", "")
    if not given:
        return START
    match = POSITION.fullmatch(given)
    if match is None:
        raise ValueError(f"Last-Event-ID: expected <attempt>-<seq>, got {given[:40]!r}")
    return StreamPosition(int(match[1]), int(match[2]))


async def reached(node: Node, generation: Generation, after: StreamPosition) -> StreamPosition:
    """A position that this generation has not reached was another's. Counted from there, nothing
    would come until the end: whoever names one gets the whole."""
    if after == START:
        return after
    try:
        [newest] = await node.log.newest([str(generation.pk)])
    except node.unreachable as error:
        # What has ended can be read all the same.
        logger.warning("position_not_checked", generation=str(generation.pk), error=str(error))
        return after
    return START if START < newest < after else after


def event_stream(
    request: HttpRequest,
    node: Node,
    generation: Generation,
    after: StreamPosition = START,
    translate: Translate | None = None,
) -> StreamingHttpResponse:
    """The events of a generation from a position on, until its end."""
    # A log that is gone cannot tell, but the row knows the newest attempt.
    after = after if after.attempt <= generation.attempt else START
    stands = standing(request)
    frames = with_heartbeats(node, generation, after, user_of(request), stands)
    chunks = in_band(node, (translate or as_events)(frames))
    return StreamingHttpResponse(chunks, content_type=MEDIA_TYPE, headers=HEADERS)


async def with_heartbeats(
    node: Node,
    generation: Generation,
    after: StreamPosition,
    user: User,
    stands: Callable[[], bool],
) -> AsyncIterator[bytes | None]:
    # At once, so that whatever stands between sends the headers on.
    yield None
    async for frame in read(node, generation, after, HEARTBEAT_SECONDS, user, stands):
        yield frame


async def as_events(frames: AsyncIterator[bytes | None]) -> AsyncIterator[bytes]:
    ended = False
    async for frame in frames:
        if frame is None:
            yield HEARTBEAT
            continue
        kind, at = position_in(frame)
        ended = is_end(kind, frame)
        yield event(kind, frame, at)
    if ended:
        yield DONE


def event(kind: str, data: bytes, at: StreamPosition | None = None) -> bytes:
    """A frame is one line of JSON, so one `data` holds it."""
    # A frame without a number (a place in the queue) must not move the reader's position.
    named = b"id: %d-%d\n" % at if at and at > START else b""
    return b"%sevent: %s\ndata: %s\n\n" % (named, kind.encode(), one_line(data))


def one_line(data: bytes) -> bytes:
    """JSON without what Unicode takes for the end of a line. The standard ends lines at CR and LF
    alone, but many a client splits them as Python does (httpx, for one). Such a character stands
    within a string, where an escape means the same."""
    for sign, escape in LINE_ENDS:
        data = data.replace(sign, escape)
    return data


async def in_band(node: Node, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """After the first byte there is no status left to send: an error is an event."""
    try:
        async for chunk in chunks:
            yield chunk
    except (*node.unreachable, *node.database_down) as error:
        logger.warning("stream_interrupted", error=str(error))
        sentence = _("The service is catching its breath. Ask again in a moment.")
        yield event("error", encode(Error(None, "unavailable", sentence, retryable=True)))


def with_ids(response: StreamingHttpResponse, generation: Generation) -> StreamingHttpResponse:
    """So that whoever reads the stream can come back to it."""
    response.headers["X-Conversation-ID"] = str(generation.conversation_id)
    response.headers["X-Generation-ID"] = str(generation.pk)
    return response
