"""LangChain's callbacks, as spans."""

from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from llm.trace import Kind, Spans

# What a graph says of its own inner works.
HIDDEN = "langsmith:hidden"


class Watch(BaseCallbackHandler):
    """A hidden run is no span, and those that it starts belong to whoever started it."""

    # Not in a thread for each call: it only appends to a list.
    run_inline = True

    def __init__(self, spans: Spans) -> None:
        self._spans = spans
        self._numbers: dict[UUID, int | None] = {}
        self._shown: set[UUID] = set()

    def on_chain_start(
        self, serialized: dict[str, Any] | None, inputs: Any, *, run_id: UUID, **about: Any
    ) -> None:
        self._begin("chain", serialized, run_id, about)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any] | None,
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        **about: Any,
    ) -> None:
        self._begin("model", serialized, run_id, about)

    def on_llm_start(
        self, serialized: dict[str, Any] | None, prompts: list[str], *, run_id: UUID, **about: Any
    ) -> None:
        self._begin("model", serialized, run_id, about)

    def on_tool_start(
        self, serialized: dict[str, Any] | None, input_str: str, *, run_id: UUID, **about: Any
    ) -> None:
        self._begin("tool", serialized, run_id, about)

    def on_retriever_start(
        self, serialized: dict[str, Any] | None, query: str, *, run_id: UUID, **about: Any
    ) -> None:
        self._begin("retriever", serialized, run_id, about)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id)

    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id)

    def on_retriever_end(self, documents: Any, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, tokens=tokens_of(response))

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, error)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, error)

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, error)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, error)

    def _begin(
        self, kind: Kind, serialized: dict[str, Any] | None, run: UUID, about: dict[str, Any]
    ) -> None:
        started_by = about.get("parent_run_id")
        parent = self._numbers.get(started_by) if started_by else None
        if HIDDEN in (about.get("tags") or ()):
            self._numbers[run] = parent
            return
        name = about.get("name") or (serialized or {}).get("name") or kind
        number = self._spans.begin(kind, str(name), parent)
        self._numbers[run] = number
        if number is not None:
            self._shown.add(run)

    def _end(
        self, run: UUID, error: BaseException | None = None, tokens: tuple[int, int] = (0, 0)
    ) -> None:
        number = self._numbers.get(run)
        if number is not None and run in self._shown:
            self._spans.end(number, type(error).__name__ if error else "", tokens)


def tokens_of(response: LLMResult) -> tuple[int, int]:
    """Zeros where the provider did not count."""
    first = next((one for some in response.generations for one in some), None)
    message = first.message if isinstance(first, ChatGeneration) else None
    used = message.usage_metadata if isinstance(message, AIMessage) else None
    return (used["input_tokens"], used["output_tokens"]) if used else (0, 0)
