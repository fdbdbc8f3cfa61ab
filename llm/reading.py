"""Reading a provider's stream: the part that is the same whatever its events say.

A library's own reading costs several times as much for each token, most of it in typed responses
and in an HTTP client that sets a timer for every read.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol, cast

import aiohttp
import msgspec
from langchain_core.outputs import ChatGenerationChunk

from llm import failures
from llm.errors import ProviderError
from llm.pace import pace
from llm.session import session, timeout
from llm.spec import TimeLimits
from llm.sse import EventReader
from llm.watchdog import Watchdog

MAX_ERROR_BYTES = 16 * 1024
MAX_BODY_BYTES = 8 * 1024 * 1024
ERROR_BODY_SECONDS = 5
LET_GO_SECONDS = 1.0


class Wire(Protocol):
    """What the events of one stream mean. `finished`: the provider said why the answer ends, and
    little can follow; `ended`: nothing follows."""

    finished: bool
    ended: bool

    def see(self, data: bytes) -> None:
        """Raises ProviderError for an event that tells of one or cannot be read."""

    def take(self) -> list[ChatGenerationChunk]:
        """What the events since the last call have brought."""

    def last(self) -> ChatGenerationChunk:
        """Usage and the reason of the end."""


class HangsUp:
    """A chat model that reads its stream itself. Copy it (`model_copy`) for each stream: `hang_up`
    belongs to the stream of one copy."""

    _response: aiohttp.ClientResponse | None

    def hang_up(self) -> None:
        """Close the provider's connection now. After a stream that came to its end: nothing.

        LangChain leaves the closing of `_astream` to the garbage collector, and a provider that
        nobody listens to goes on writing, and charging.
        """
        if self._response is not None:
            self._response.close()
            self._response = None

    def start_reading(
        self, response: aiohttp.ClientResponse, started: float, limits: TimeLimits, wire: Wire
    ) -> "Reading":
        self._response = response
        return Reading(response, started, limits, wire)

    def stop_reading(self, reading: "Reading") -> None:
        reading.stop()
        if reading.whole and self._response is not None:
            _let_go(self._response)
            self._response = None
        self.hang_up()


class Reading:
    """One response, read to its end: `next` gives the chunks of one read. From the first ones on it
    reads at the pace of whoever publishes them."""

    __slots__ = ("_begun", "_content", "_error", "_pace", "_sse", "_watchdog", "_wire", "ended")

    def __init__(
        self, response: aiohttp.ClientResponse, started: float, limits: TimeLimits, wire: Wire
    ) -> None:
        self._content = response.content
        self._sse = EventReader()
        self._wire = wire
        self._watchdog = Watchdog(response.content, started, limits.first_token, limits.token)
        self._error: Exception | None = None
        self._pace = pace.get()
        self._begun = False
        self.ended = False

    @property
    def whole(self) -> bool:
        return self.ended and self._error is None

    def stop(self) -> None:
        self._watchdog.stop()

    async def next(self) -> list[ChatGenerationChunk]:
        if self._error is not None:
            raise self._error
        if self._begun and self._pace is not None:
            await self._pace.wait()
        self._watchdog.waiting = True
        try:
            piece = await self._content.readany()
        except (ProviderError, aiohttp.ClientError, OSError) as error:
            # The usage may be missing then, but the answer is whole.
            self.ended = self._wire.finished
            self._error = error
            return self._take(self._rest())
        finally:
            self._watchdog.waiting = False
        if piece:
            return self._take(piece)
        self.ended = True
        return self._chunks(self._sse.close())

    def _rest(self) -> bytes:
        """A broken stream raises its error ahead of what had arrived before: no word is lost."""
        self._content.set_exception(cast(Any, None))
        return self._content.read_nowait()

    def _take(self, piece: bytes) -> list[ChatGenerationChunk]:
        try:
            events = self._sse.feed(piece)
        except ValueError as error:
            self._error, events = failures.invalid(str(error)), []
        return self._chunks(events)

    def _chunks(self, events: list[bytes]) -> list[ChatGenerationChunk]:
        finished = self._wire.finished
        for data in events:
            try:
                self._wire.see(data)
            except ProviderError as error:
                # Raised at the next read: what came before it in this one goes out first.
                self._error, self.ended = error, False
                break
            if self._wire.ended:
                self.ended = True
                break
        chunks = self._wire.take()
        self._begun = self._begun or bool(chunks)
        if self._wire.finished and not finished:
            self._watchdog.finish_came()
        elif chunks and not finished:
            self._watchdog.data_came()
        if self.ended:
            chunks.append(self._wire.last())
        return chunks


def unreadable(error: Exception, data: bytes) -> ProviderError:
    """Not the data itself: it is what somebody's model said."""
    return failures.invalid(f"{error}, in an event of {len(data)} bytes")


async def post(
    url: str,
    payload: Mapping[str, Any],
    headers: Mapping[str, str],
    limits: TimeLimits,
    query: Any = None,
) -> aiohttp.ClientResponse:
    """The response, whatever its status, as soon as its head is there."""
    try:
        async with asyncio.timeout(limits.first_token):
            return await session().post(
                url,
                params=query,
                data=msgspec.json.encode(payload),
                headers=headers,
                timeout=timeout(limits.connect),
                # The key must not follow a redirect to another host.
                allow_redirects=False,
            )
    except aiohttp.ConnectionTimeoutError:
        raise ProviderError("provider_timeout") from None
    except TimeoutError:
        raise ProviderError("provider_timeout", repeatable=False) from None


def may_stream(response: aiohttp.ClientResponse) -> bool:
    return response.status == 200 and response.content_type not in ("text/html", "application/json")


def is_whole(response: aiohttp.ClientResponse) -> bool:
    """Whether this may be an answer in one piece."""
    return response.status == 200 and response.content_type == "application/json"


async def read_body(response: aiohttp.ClientResponse, seconds: float) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(seconds):
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > MAX_BODY_BYTES:
                    raise failures.invalid(f"more than {MAX_BODY_BYTES} bytes")
    except TimeoutError:
        raise ProviderError("provider_timeout", repeatable=False) from None
    return body


def refusal(response: aiohttp.ClientResponse, body: str) -> ProviderError:
    """Why this response is no stream."""
    body = failures.without_secrets(body, response.request_info)
    if response.status == 200:
        return failures.invalid(f"{response.content_type}: {body}")
    return failures.from_status(response.status, response.headers, body)


async def read_error(response: aiohttp.ClientResponse) -> str:
    """The beginning of the body."""
    try:
        async with asyncio.timeout(ERROR_BODY_SECONDS):
            body = await response.content.read(MAX_ERROR_BYTES)
    except (TimeoutError, aiohttp.ClientError):
        body = b""
    finally:
        response.close()
    return body.decode(errors="replace")


def _let_go(response: aiohttp.ClientResponse) -> None:
    """The end of the body often comes just after the last event. It gives the connection back to
    the session by itself; closing it now would cost the next request a handshake."""
    if not response.content.is_eof():
        asyncio.get_running_loop().call_later(LET_GO_SECONDS, response.close)
