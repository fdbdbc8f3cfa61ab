"""The events of Anthropic's `/v1/messages`, as chunks in the shape that the library makes of them.

Format: https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from typing import Any, Literal

import msgspec
from langchain_anthropic.chat_models import _create_usage_metadata
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from pydantic import BaseModel, ConfigDict

from llm import failures
from llm.reading import unreadable


class Delta(msgspec.Struct):
    """Of a block, or of the message: then it says why the answer ends."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    stop_reason: str | None = None
    stop_sequence: str | None = None


class Message(msgspec.Struct):
    model: str = ""
    usage: dict[str, Any] | None = None


class Event(msgspec.Struct):
    type: str
    index: int = 0
    message: Message | None = None
    content_block: dict[str, Any] | None = None
    delta: Delta | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


class Counted(BaseModel):
    """Of the shape that the library's own counting reads."""

    model_config = ConfigDict(extra="allow")


decode = msgspec.json.Decoder(Event).decode
Kind = Literal["text", "thinking", "tool"]


class MessagesWire:
    """`plain`: the answer is text alone, and its chunks hold texts in place of lists of blocks."""

    __slots__ = (
        "_calls", "_chunks", "_index", "_kind", "_model", "_pieces", "_plain", "_stop",
        "_usage", "ended", "finished",
    )  # fmt: skip

    def __init__(self, *, plain: bool) -> None:
        self._plain = plain
        self._chunks: list[AIMessageChunk] = []
        self._kind: Kind | None = None
        self._index = 0
        self._pieces: list[str] = []
        self._calls: set[int] = set()
        self._model = ""
        self._stop: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self.finished = self.ended = False

    def see(self, data: bytes) -> None:
        try:
            event = decode(data)
        except msgspec.MsgspecError as error:
            raise unreadable(error, data) from None
        match event.type:
            case "content_block_delta" if event.delta is not None:
                self._add_delta(event.index, event.delta)
            case "content_block_start":
                self._begin_block(event.index, event.content_block or {})
            case "message_start" if event.message is not None:
                self._model = event.message.model
                self._usage.update(event.message.usage or {})
            case "message_delta":
                self._finish(event)
            case "message_stop":
                self.ended = True
            case "error":
                raise failures.from_event(event.error)

    def take(self) -> list[ChatGenerationChunk]:
        self._close()
        chunks, self._chunks = self._chunks, []
        return [ChatGenerationChunk(message=chunk) for chunk in chunks]

    def last(self) -> ChatGenerationChunk:
        about = {"model_provider": "anthropic", "model_name": self._model, **self._stop}
        message = AIMessageChunk(
            content="" if self._plain else [],
            usage_metadata=_create_usage_metadata(Counted(**self._usage)) if self._usage else None,
            response_metadata=about,
            chunk_position="last",
        )
        return ChatGenerationChunk(message=message)

    def _begin_block(self, index: int, block: dict[str, Any]) -> None:
        """A block may begin with content of its own, which no delta repeats."""
        match block.get("type"):
            case "text":
                self._add("text", index, str(block.get("text") or ""))
            case "thinking":
                self._add("thinking", index, str(block.get("thinking") or ""))
            case "redacted_thinking":
                self._push([{**block, "index": index}])
            case "tool_use":
                given = block.get("input")
                args = msgspec.json.encode(given).decode() if given else ""
                self._calls.add(index)
                call = tool_call_chunk(
                    name=block.get("name"), args=args, id=block.get("id"), index=index
                )
                self._push([{**block, "index": index}], [call])

    def _add_delta(self, index: int, delta: Delta) -> None:
        match delta.type:
            case "text_delta":
                self._add("text", index, delta.text)
            case "thinking_delta":
                self._add("thinking", index, delta.thinking)
            case "signature_delta":
                signed = {"type": "thinking", "thinking": "", "signature": delta.signature}
                self._push([{**signed, "index": index}])
            case "input_json_delta" if index in self._calls:
                # Of the provider's own tools nothing is shown: it runs them itself.
                self._add("tool", index, delta.partial_json)

    def _add(self, kind: Kind, index: int, piece: str) -> None:
        if (kind, index) != (self._kind, self._index):
            self._close()
            self._kind, self._index = kind, index
        self._pieces.append(piece)

    def _close(self) -> None:
        """What has gathered of one block becomes one chunk."""
        gathered, kind = "".join(self._pieces), self._kind
        self._pieces.clear()
        self._kind = None
        if not gathered:
            return
        if kind == "tool":
            block = {"type": "input_json_delta", "partial_json": gathered, "index": self._index}
            call = tool_call_chunk(name=None, args=gathered, id=None, index=self._index)
            self._push([block], [call])
        elif kind == "text" and self._plain:
            self._chunks.append(AIMessageChunk(content=gathered))
        else:
            self._push([{"type": kind, str(kind): gathered, "index": self._index}])

    def _push(self, blocks: list[dict[str, Any]], calls: list[ToolCallChunk] | None = None) -> None:
        self._close()
        chunk = AIMessageChunk(
            content=blocks,  # type: ignore[arg-type]
            tool_call_chunks=calls or [],
            response_metadata={"model_provider": "anthropic"},
        )
        self._chunks.append(chunk)

    def _finish(self, event: Event) -> None:
        """Its usage is a running total, in which older versions leave out the input."""
        self._usage.update({key: n for key, n in (event.usage or {}).items() if n is not None})
        if event.delta is not None and event.delta.stop_reason:
            self.finished = True
            self._stop = {
                "stop_reason": event.delta.stop_reason,
                "stop_sequence": event.delta.stop_sequence,
            }
