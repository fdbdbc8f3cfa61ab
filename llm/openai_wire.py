"""What the events of an OpenAI-compatible stream mean."""

from typing import Any

import msgspec
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai.chat_models.base import _create_usage_metadata

from llm import failures, wire
from llm.reading import unreadable


class ChatWire:
    """The events of `/chat/completions`."""

    __slots__ = ("_declined", "_finish", "_merger", "_usage", "ended", "finished")

    def __init__(self) -> None:
        self._merger = wire.Merger()
        self._finish: dict[str, Any] = {}
        self._usage: tuple[dict[str, Any], str | None] | None = None
        self.finished = self.ended = self._declined = False

    def see(self, data: bytes) -> None:
        if data == b"[DONE]":
            self.ended = True
            return
        try:
            chunk = wire.decode(data)
        except msgspec.MsgspecError as error:
            raise unreadable(error, data) from None
        if chunk.error:
            raise failures.from_event(chunk.error)
        if chunk.usage:
            # Some servers send a running total with every chunk: the last one counts.
            self._usage = (chunk.usage, chunk.service_tier)
        for choice in chunk.choices or ():
            said = choice.delta or choice.message
            if said is not None:
                self._merger.add(said)
                self._declined = self._declined or bool(said.refusal)
            # What comes in one piece is whole, with or without a word about why it ended.
            whole = choice.delta is None and choice.message is not None
            if reason := choice.finish_reason or ("stop" if whole else ""):
                self._finish_with(reason, chunk)

    def take(self) -> list[ChatGenerationChunk]:
        return [wire.generation(message) for message in self._merger.take()]

    def last(self) -> ChatGenerationChunk:
        message = AIMessageChunk(
            content="",
            usage_metadata=_create_usage_metadata(*self._usage) if self._usage else None,
            response_metadata={"model_provider": "openai"},
            chunk_position="last",
        )
        return ChatGenerationChunk(message=message, generation_info=self._finish or None)

    def _finish_with(self, reason: str, chunk: wire.Chunk) -> None:
        self.finished = True
        self._finish = {"finish_reason": "refusal" if self._declined else reason}
        if chunk.model:
            self._finish["model_name"] = chunk.model
        if chunk.system_fingerprint:
            self._finish["system_fingerprint"] = chunk.system_fingerprint
        if chunk.service_tier:
            self._finish["service_tier"] = chunk.service_tier
