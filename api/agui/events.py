"""The same answers as events of AG-UI (https://docs.ag-ui.com), for clients that speak it.

A run always begins from the start: AG-UI has no position to come back to. What a client is shown
may still be replaced, when an answer is started again: by a snapshot of all messages.
"""

import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import structlog
from ag_ui.core import events as ag
from ag_ui.core import types
from ag_ui.encoder import EventEncoder
from django.utils.translation import gettext as _

from api import sse
from conversations.history import path_messages
from conversations.models import Generation, Message
from streaming.node import Node
from streaming.protocol import APPROVALS, decode_event
from streaming.snapshot import STATUS

logger = structlog.get_logger(__name__)
_encoder = EventEncoder()
History = Callable[[], Awaitable[list[Any]]]


class Run:
    """What a client has been told of one generation."""

    def __init__(self, generation: Generation, thread: str, run: str) -> None:
        self._generation = generation
        self._thread, self._run = thread, run
        self._open: tuple[str, str] | None = None
        self._calls: dict[str, None] = {}
        self._shown = False
        self._number = 0
        self.ended = False

    def started(self) -> ag.BaseEvent:
        return ag.RunStartedEvent(thread_id=self._thread, run_id=self._run)

    def take(self, event: dict[str, Any]) -> Iterator[ag.BaseEvent]:
        match event["type"]:
            case "text.delta":
                yield from self._write("text", event["text"])
            case "reasoning.delta":
                yield from self._write("reasoning", event["text"])
            case "tool_call.started":
                yield from self._call(event["tool_call"], event["name"], event.get("args", ""))
            case "tool_call.delta":
                yield args(event["tool_call"], event["args"])
            case "tool_call.finished":
                yield self._end_call(event["tool_call"])
                yield self._result(event["tool_call"], event.get("error") or event.get("result"))
            case "progress":
                told = {name: event[name] for name in ("tool_call", "approval") if name in event}
                yield progress(event["label"], event.get("data"), **told)
            case "generation.completed" | "generation.failed" | "generation.cancelled":
                yield from self._end(STATUS[event["type"]], event, event)

    def replaces(self, event: dict[str, Any]) -> bool:
        """Whether the event takes something back that was shown."""
        return self._shown and event["type"] in ("snapshot", "generation.started")

    def whole(self, content: list[dict[str, Any]]) -> Iterator[ag.BaseEvent]:
        for block in content:
            if block["type"] in ("text", "reasoning"):
                yield from self._write(block["type"], block[block["type"]])
            elif block["type"] == "tool_call_chunk":
                yield from self._call(block["id"], block["name"], block["args"])
                if approval := block.get("extras", {}).get("approval"):
                    about = {"tool_call": block["id"], "approval": approval}
                    yield progress(APPROVALS[approval], None, **about)
            elif block["type"] == "tool_call":
                yield from self._finished_call(block)

    def _finished_call(self, block: dict[str, Any]) -> Iterator[ag.BaseEvent]:
        text, extras = json.dumps(block["args"], ensure_ascii=False), block["extras"]
        yield from self._call(block["id"], block["name"], text)
        yield self._end_call(block["id"])
        yield self._result(block["id"], extras.get("error") or extras.get("result"))

    def restart(self) -> Iterator[ag.BaseEvent]:
        """What follows is told anew, under ids of its own."""
        yield from self._close_all()
        self._shown = False
        self._number += 1

    def end_of(self, snapshot: dict[str, Any]) -> Iterator[ag.BaseEvent]:
        if snapshot["status"] in STATUS.values():
            yield from self._end(snapshot["status"], snapshot, snapshot.get("error") or {})

    def _write(self, kind: str, text: str) -> Iterator[ag.BaseEvent]:
        if self._open is None or self._open[0] != kind:
            yield from self._close()
            yield from self._begin(kind)
        assert self._open is not None
        self._shown = True
        content = ag.TextMessageContentEvent if kind == "text" else ag.ReasoningMessageContentEvent
        if text:
            yield content(message_id=self._open[1], delta=text)

    def _begin(self, kind: str) -> Iterator[ag.BaseEvent]:
        self._number += 1
        message = f"{self._generation.message_id}:{self._number}"
        self._open = (kind, message)
        if kind == "text":
            yield ag.TextMessageStartEvent(message_id=message, role="assistant")
            return
        yield ag.ReasoningStartEvent(message_id=message)
        yield ag.ReasoningMessageStartEvent(message_id=message, role="reasoning")

    def _close(self) -> Iterator[ag.BaseEvent]:
        if self._open is None:
            return
        kind, message = self._open
        self._open = None
        if kind == "text":
            yield ag.TextMessageEndEvent(message_id=message)
            return
        yield ag.ReasoningMessageEndEvent(message_id=message)
        yield ag.ReasoningEndEvent(message_id=message)

    def _close_all(self) -> Iterator[ag.BaseEvent]:
        """Clients refuse the end of a run, and a call that begins again, while one is open."""
        yield from self._close()
        for call in list(self._calls):
            yield self._end_call(call)

    def _call(self, call: str, name: str, text: str) -> Iterator[ag.BaseEvent]:
        yield from self._close()
        self._shown = True
        self._calls[call] = None
        yield ag.ToolCallStartEvent(tool_call_id=call, tool_call_name=name)
        if text:
            yield args(call, text)

    def _end_call(self, call: str) -> ag.BaseEvent:
        self._calls.pop(call, None)
        return ag.ToolCallEndEvent(tool_call_id=call)

    def _result(self, call: str, result: str | None) -> ag.BaseEvent:
        message = f"{self._generation.message_id}:{call}"
        return ag.ToolCallResultEvent(
            message_id=message, tool_call_id=call, content=result or "", role="tool"
        )

    def _end(
        self, status: str, event: dict[str, Any], error: dict[str, Any]
    ) -> Iterator[ag.BaseEvent]:
        yield from self._close_all()
        self.ended = True
        if status == "failed":
            yield ag.RunErrorEvent(message=error["message"], code=error["code"])
            return
        outcome: Any = (
            ag.RunFinishedCancelledOutcome()
            if status == "cancelled"
            else ag.RunFinishedSuccessOutcome()
        )
        yield ag.RunFinishedEvent(
            thread_id=self._thread,
            run_id=self._run,
            outcome=outcome,
            usage=[self._usage(event.get("usage") or {})],
        )

    def interrupted(self) -> Iterator[ag.BaseEvent]:
        """The answer goes on without this reader, who may ask for it again."""
        yield from self._close_all()
        yield ag.RunErrorEvent(
            message=_("The service is catching its breath. Ask again in a moment."),
            code="unavailable",
        )

    def _usage(self, used: dict[str, Any]) -> ag.TokenUsage:
        read, written = used.get("input_tokens", 0), used.get("output_tokens", 0)
        return ag.TokenUsage(
            model=self._generation.model_slug or None,
            input_tokens=read,
            output_tokens=written,
            total_tokens=read + written,
        )


def progress(label: str, data: Any, **about: Any) -> ag.BaseEvent:
    return ag.CustomEvent(name="progress", value={"label": label, "data": data, **about})


def args(call: str, text: str) -> ag.BaseEvent:
    return ag.ToolCallArgsEvent(tool_call_id=call, delta=text)


def translate(run: Run, history: History) -> sse.Translate:
    """`history`: the messages before the answer, read only where something is taken back."""

    async def chunks(frames: AsyncIterator[bytes | None]) -> AsyncIterator[bytes]:
        yield encode(run.started())
        try:
            async for frame in frames:
                if frame is None:
                    yield sse.HEARTBEAT
                    continue
                event = decode_event(frame)
                if run.replaces(event):
                    for told in run.restart():
                        yield encode(told)
                    yield encode(ag.MessagesSnapshotEvent(messages=await history()))
                for told in told_of(run, event):
                    yield encode(told)
        except (*Node.unreachable, *Node.database_down) as error:
            logger.warning("stream_interrupted", error=str(error))
        if not run.ended:
            for told in run.interrupted():
                yield encode(told)

    return chunks


def told_of(run: Run, event: dict[str, Any]) -> Iterator[ag.BaseEvent]:
    return of_snapshot(run, event) if event["type"] == "snapshot" else run.take(event)


def of_snapshot(run: Run, snapshot: dict[str, Any]) -> Iterator[ag.BaseEvent]:
    yield from run.whole(snapshot["content"])
    yield from run.end_of(snapshot)


def messages_before(generation: Generation) -> list[Any]:
    return [message_of(one) for one in path_messages(generation.prompt)]


def message_of(message: Message) -> Any:
    kinds: dict[str, Any] = {
        "user": types.UserMessage,
        "assistant": types.AssistantMessage,
        "system": types.SystemMessage,
    }
    return kinds[message.role](id=str(message.pk), content=message.text)


def encode(event: ag.BaseEvent) -> bytes:
    return sse.one_line(_encoder.encode(event).encode())


def last_user_text(messages: list[Any]) -> str:
    """What the client wants answered; the earlier messages are kept here already."""
    for message in reversed(messages):
        if message.role == "user":
            content = message.content
            if isinstance(content, str):
                return content
            return "".join(getattr(part, "text", "") or "" for part in content)
    return ""


NAMESPACE = uuid.UUID("6c1b5d0e-6b0a-4d53-9f0d-6a4f6c1f7d55")


def own_id(*parts: object) -> uuid.UUID:
    """Clients make ids of any form; ours follow from them, so that twice is once."""
    return uuid.uuid5(NAMESPACE, ":".join(map(str, parts)))
