"""From a generation's events to `chat.completion.chunk` objects, and to one `chat.completion`."""

from dataclasses import dataclass
from typing import Any

from api.openai import errors
from conversations.models import Generation
from streaming.snapshot import STATUS

REASONS = {"tool_limit": "stop", "refusal": "content_filter"}
NAMES = {"text": "content", "reasoning": "reasoning_content"}

Delta = dict[str, Any]


@dataclass
class Call:
    index: int
    id: str
    name: str
    args: str


class Answer:
    """What has been sent of an answer. `take` gives the deltas that an event brings: the event's
    own text, so that the cost does not grow with the answer. With `in_one_piece` nothing is sent
    before the end, and an answer that is started again is forgotten and written anew.

    Raises ApiError where the answer ends otherwise than whole.
    """

    def __init__(self, generation: Generation, *, in_one_piece: bool = False) -> None:
        self._in_one_piece = in_one_piece
        self.id = f"chatcmpl-{generation.pk.hex}"
        self.created = int(generation.queued_at.timestamp())
        self.model = generation.model_slug
        self.ended = False
        # Calls of the server's own tools are its own business.
        self._calls_are_theirs = bool((generation.request or {}).get("tools"))
        self._sent: dict[str, list[str]] = {"reasoning": [], "text": []}
        self._calls: dict[str, Call] = {}
        self._usage: dict[str, Any] = {}
        self._finish_reason = ""

    def take(self, event: dict[str, Any]) -> list[Delta]:
        match event["type"]:
            case "text.delta":
                return self._write("text", event["text"])
            case "reasoning.delta":
                return self._write("reasoning", event["text"])
            case "tool_call.started":
                return self._call(event["tool_call"], event["name"], event.get("args", ""))
            case "tool_call.delta":
                known = self._calls.get(event["tool_call"])
                return self._grow(known, known.args + event["args"]) if known else []
            case "generation.started":
                self.model = event["model"] or self.model
                return self._compare([])
            case "snapshot":
                return self._look_at(event)
            case "generation.completed" | "generation.failed" | "generation.cancelled":
                self._end(STATUS[event["type"]], event, event)
        return []

    def _look_at(self, snapshot: dict[str, Any]) -> list[Delta]:
        self.model = snapshot.get("model") or self.model
        deltas = self._compare(snapshot["content"])
        if snapshot["status"] in STATUS.values():
            self._end(snapshot["status"], snapshot, snapshot.get("error") or {})
        return deltas

    def _end(self, status: str, event: dict[str, Any], error: dict[str, Any]) -> None:
        if status == "failed":
            raise errors.of_failure(error)
        if status == "cancelled":
            raise errors.stopped()
        self.ended = True
        self._usage = event.get("usage") or {}
        self._finish_reason = event.get("finish_reason") or "stop"

    def _compare(self, content: list[dict[str, Any]]) -> list[Delta]:
        """What a whole holds beyond what was sent. It must begin with that: nothing can be taken
        back."""
        if not self._begins(content):
            if not self._in_one_piece:
                raise errors.started_again()
            self._sent = {"reasoning": [], "text": []}
            self._calls = {}
        deltas = []
        for kind, pieces in self._sent.items():
            deltas += self._write(kind, written(content, kind)[len("".join(pieces)) :])
        for block in content:
            if block["type"] == "tool_call_chunk":
                known = self._calls.get(block["id"])
                deltas += (
                    self._grow(known, block["args"])
                    if known
                    else self._call(block["id"], block["name"], block["args"])
                )
        return deltas

    def _begins(self, content: list[dict[str, Any]]) -> bool:
        """Whether what was sent is the beginning of this whole."""
        args = {call["id"]: call["args"] for call in content if call["type"] == "tool_call_chunk"}
        pairs = [(args.get(call.id), call.args) for call in self._calls.values()]
        pairs += [(written(content, kind), "".join(sent)) for kind, sent in self._sent.items()]
        return all(whole is not None and whole.startswith(sent) for whole, sent in pairs)

    def _write(self, kind: str, text: str) -> list[Delta]:
        if not text:
            return []
        self._sent[kind].append(text)
        return [{NAMES[kind]: text}]

    def _call(self, id: str, name: str, args: str) -> list[Delta]:  # noqa: A002
        if not self._calls_are_theirs:
            return []
        call = self._calls[id] = Call(len(self._calls), id, name, args)
        return [{"tool_calls": [{"index": call.index, **shape(call)}]}]

    def _grow(self, call: Call, args: str) -> list[Delta]:
        rest = args[len(call.args) :]
        call.args = args
        return [{"tool_calls": [{"index": call.index, "function": {"arguments": rest}}]}]

    # --- Shapes ----------------------------------------------------------------------------------
    def chunk(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._object("chat.completion.chunk", choices=[choice])

    def usage_chunk(self) -> dict[str, Any]:
        return self._object("chat.completion.chunk", choices=[], usage=self.usage)

    def whole(self) -> dict[str, Any]:
        text = "".join(self._sent["text"])
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if self._sent["reasoning"]:
            message["reasoning_content"] = "".join(self._sent["reasoning"])
        if self._calls:
            message["tool_calls"] = [shape(call) for call in self._calls.values()]
            message["content"] = text or None
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": self.finish_reason,
        }
        return self._object("chat.completion", choices=[choice], usage=self.usage)

    @property
    def finish_reason(self) -> str:
        return REASONS.get(self._finish_reason, self._finish_reason)

    @property
    def usage(self) -> dict[str, int]:
        read = self._usage.get("input_tokens", 0)
        written = self._usage.get("output_tokens", 0)
        return {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        }

    def _object(self, kind: str, **fields: Any) -> dict[str, Any]:
        head = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return {**head, **fields}


def written(content: list[dict[str, Any]], kind: str) -> str:
    return "".join(block[kind] for block in content if block["type"] == kind)


def shape(call: Call) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.args}
    return {"id": call.id, "type": "function", "function": function}
