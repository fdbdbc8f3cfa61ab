"""The users: one WebSocket for each stream, every token stamped as it arrives.

A process of its own (`python -m benchmarks.load`), so that no server waits for it. It reads a job
as one line of JSON, connects, writes `ready`, waits for a line, starts, and writes what it saw.
The provider's tokens are the times at which they were sent (`t=<monotonic ns> `); this process
reads the same clock.
"""

import asyncio
import random
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import aiohttp
import msgspec
import uvloop

CONFIRM_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 60


class Job(msgspec.Struct):
    """`ramp`: the streams begin at random moments within so many seconds."""

    url: str
    dialect: str
    streams: int
    tokens: int
    rate: float
    ramp: float
    cookies: list[str] = []


class Seen(msgspec.Struct):
    """Delays in ms. `first`: of the first token of each stream, `every`: of all tokens, from the
    provider's stamp to here. `submit`: from sending the question to the first token."""

    first: list[float]
    every: list[float]
    submit: list[float]
    lost: int
    doubled: int
    gaps: int
    failed: list[str]


@dataclass(slots=True)
class Stream:
    submitted: int = 0
    stamps: list[int] = field(default_factory=list)
    arrived: list[int] = field(default_factory=list)
    gaps: int = 0
    failure: str = "it did not end in time"
    _rest: str = ""

    def take(self, text: str, at: int) -> None:
        """Text may hold several tokens, or a part of one."""
        *whole, self._rest = (self._rest + text).split(" ")
        for token in whole:
            self.stamps.append(int(token[2:]))
            self.arrived.append(at)

    def replace(self, text: str, at: int) -> None:
        """The text from its beginning; what is known of it arrived before."""
        tokens = text.split(" ")
        self._rest = ""
        self.take(" ".join(tokens[len(self.stamps) :]), at)

    def delays(self) -> list[float]:
        return [(at - sent) / 1e6 for sent, at in zip(self.stamps, self.arrived, strict=True)]


class Chunk(msgspec.Struct):
    class Choice(msgspec.Struct):
        class Delta(msgspec.Struct):
            content: str | None = None

        delta: Delta

    choices: list[Choice]


class Simple(msgspec.Struct):
    type: str
    text: str = ""


class Event(msgspec.Struct):
    type: str
    generation: str = ""
    conversation: str = ""
    attempt: int = 0
    seq: int = 0
    text: str = ""
    content: list[dict[str, object]] = []
    status: str = ""
    code: str = ""


decode_chunk = msgspec.json.Decoder(Chunk).decode
decode_simple = msgspec.json.Decoder(Simple).decode
decode_event = msgspec.json.Decoder(Event).decode
Socket = aiohttp.ClientWebSocketResponse


async def frame(socket: Socket) -> tuple[str, int]:
    """The next frame, and when it came."""
    text = await socket.receive_str()
    return text, time.monotonic_ns()


async def talk_to_floor(socket: Socket, question: str, stream: Stream) -> None:
    await socket.send_str(question)
    while True:
        text, at = await frame(socket)
        if text == "[DONE]":
            return
        for choice in decode_chunk(text).choices:
            stream.take(choice.delta.content or "", at)


async def talk_to_tutorial(socket: Socket, question: str, stream: Stream) -> None:
    await socket.send_str(question)
    while True:
        text, at = await frame(socket)
        event = decode_simple(text)
        if event.type == "end":
            return
        stream.take(event.text, at)


async def talk_to_chatsite(socket: Socket, question: str, stream: Stream) -> None:
    """As a browser does: confirms what it has, resumes after a gap, drops what it knows."""
    submit = {
        "type": "message.submit",
        "id": "1",
        "client_message_id": str(uuid.uuid4()),
        "text": question,
    }
    await say(socket, submit)
    tab = Tab(socket, stream)
    while not await tab.hear(*await frame(socket)):
        pass


class Tab:
    def __init__(self, socket: Socket, stream: Stream) -> None:
        self._socket = socket
        self._stream = stream
        self._generation = self._conversation = ""
        self._position = (0, 0)
        self._confirmed_at = time.monotonic()

    async def hear(self, text: str, at: int) -> bool:
        """True after the end of the answer."""
        event = decode_event(text)
        if event.type == "error":
            raise RuntimeError(f"error {event.code}")
        if event.type == "ack" and event.generation:
            self._generation, self._conversation = event.generation, event.conversation
        if event.seq == 0 or event.generation != self._generation:
            return False
        if not await self._follows(event):
            return False
        self._position = (event.attempt, event.seq)
        if event.type == "snapshot":
            blocks = (block.get("text") for block in event.content)
            self._stream.replace("".join(block for block in blocks if isinstance(block, str)), at)
        else:
            self._stream.take(event.text, at)
        await self._confirm()
        return self._ends(event)

    async def _follows(self, event: Event) -> bool:
        position = (event.attempt, event.seq)
        if position <= self._position:
            return False
        attempt, seq = self._position
        if event.type == "snapshot" or position in ((attempt, seq + 1), (attempt + 1, 1)):
            return True
        self._stream.gaps += 1
        positions = {self._generation: self._position} if attempt else {}
        await say(
            self._socket,
            {
                "type": "resume",
                "id": "2",
                "conversation": self._conversation,
                "positions": positions,
            },
        )
        return False

    async def _confirm(self) -> None:
        now = time.monotonic()
        if now - self._confirmed_at < CONFIRM_SECONDS:
            return
        self._confirmed_at = now
        attempt, seq = self._position
        received = {"generation": self._generation, "attempt": attempt, "seq": seq}
        await say(self._socket, {"type": "received", **received})

    def _ends(self, event: Event) -> bool:
        kind = event.status if event.type == "snapshot" else event.type.rpartition(".")[2]
        if kind in ("failed", "cancelled"):
            raise RuntimeError(f"{kind} {event.code}")
        return kind == "completed"


async def say(socket: Socket, command: Mapping[str, object]) -> None:
    await socket.send_str(msgspec.json.encode(command).decode())


Talk = Callable[[Socket, str, Stream], Awaitable[None]]
TALKS: dict[str, Talk] = {
    "floor": talk_to_floor,
    "tutorial": talk_to_tutorial,
    "chatsite": talk_to_chatsite,
}


async def run(job: Job) -> Seen:
    async with AsyncExitStack() as at_the_end:
        connector = aiohttp.TCPConnector(limit=0)
        http = await at_the_end.enter_async_context(aiohttp.ClientSession(connector=connector))
        sockets = []
        for number in range(job.streams):
            sockets.append(await connect(http, job, number))
            at_the_end.push_async_callback(sockets[-1].close)
        await tell_ready()
        streams = [Stream() for _ in sockets]
        pairs = zip(sockets, streams, strict=True)
        await asyncio.gather(*(ask(job, socket, stream) for socket, stream in pairs))
    return summary(job, streams)


async def connect(http: aiohttp.ClientSession, job: Job, number: int) -> Socket:
    cookie = f"sessionid={job.cookies[number]}" if job.cookies else ""
    # Uncompressed: compressing would cost the servers that offer it more than the text saves here.
    return await http.ws_connect(job.url, headers={"Cookie": cookie}, compress=0, max_msg_size=0)


async def tell_ready() -> None:
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def ask(job: Job, socket: Socket, stream: Stream) -> None:
    directive = {"tokens": job.tokens, "rate": job.rate, "stamp": True}
    await asyncio.sleep(random.random() * job.ramp)
    stream.submitted = time.monotonic_ns()
    try:
        async with asyncio.timeout(job.tokens / job.rate + LONGEST_WAIT_SECONDS):
            await TALKS[job.dialect](socket, msgspec.json.encode(directive).decode(), stream)
        stream.failure = ""
    except TimeoutError:
        return
    except (RuntimeError, aiohttp.ClientError, aiohttp.WSMessageTypeError, OSError) as error:
        stream.failure = f"{type(error).__name__}: {error}"


def summary(job: Job, streams: list[Stream]) -> Seen:
    came = [stream for stream in streams if stream.stamps]
    distinct = sum(len(set(stream.stamps)) for stream in streams)
    return Seen(
        first=[stream.delays()[0] for stream in came],
        every=[delay for stream in came for delay in stream.delays()],
        submit=[(stream.arrived[0] - stream.submitted) / 1e6 for stream in came],
        lost=job.streams * job.tokens - distinct,
        doubled=sum(len(stream.stamps) for stream in streams) - distinct,
        gaps=sum(stream.gaps for stream in streams),
        failed=[stream.failure for stream in streams if stream.failure],
    )


def main() -> None:
    job = msgspec.json.decode(sys.stdin.readline(), type=Job)
    print(msgspec.json.encode(uvloop.run(run(job))).decode(), flush=True)


if __name__ == "__main__":
    main()
