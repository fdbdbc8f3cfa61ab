"""Asking a model to go on with an answer that was cut: with the answer as the last message, where
that is all that the model needs (prefill), and in words where it is not."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llm.spec import Block, ModelSpec, Turn

if TYPE_CHECKING:
    # Web nodes read this module too, and start without LangChain.
    from langchain_core.messages import BaseMessage

GO_ON = (
    "Your answer was cut off. Continue exactly where you stopped, in the middle of a word if need "
    "be. Do not repeat what you have written, do not introduce the rest, and begin with a space "
    "or a line break where one comes next."
)


def continuable(content: Sequence[Block]) -> list[Block]:
    """What of a cut answer can stay: thoughts at its end and calls that never ran begin anew.
    Empty where there is nothing to go on from."""
    kept = [block for block in content if block["type"] != "tool_call_chunk"]
    while kept and kept[-1]["type"] == "reasoning":
        kept.pop()
    return kept if any(block["type"] in ("text", "tool_call") for block in kept) else []


def going_on(content: list[Block]) -> list[Turn]:
    """The turns that follow the history. After the result of a tool a model goes on by itself."""
    said = Turn(role="assistant", content=content)
    if content[-1]["type"] == "tool_call":
        return [said]
    return [said, Turn(role="user", content=[{"type": "text", "text": GO_ON}])]


def is_go_on(message: "BaseMessage") -> bool:
    return message.type == "human" and message.content == GO_ON


def takes_prefill(model: ModelSpec, text: str) -> bool:
    """Anthropic refuses a last message that ends with white space, and others drop it. A model that
    has tools might call them."""
    plain = not (model.tools or model.server_tools)
    return bool(model.prefill) and plain and bool(text) and not text[-1].isspace()


def prefilled(asked: list["BaseMessage"], model: ModelSpec) -> list["BaseMessage"]:
    """Without our words, where the model goes on without."""
    if len(asked) < 2 or not is_go_on(asked[-1]):
        return asked
    answer = asked[-2]
    goes_on = answer.type == "ai" and takes_prefill(model, str(answer.text))
    return asked[:-1] if goes_on else asked


def mark(payload: dict[str, Any], prefill: str) -> None:
    """As these servers want it of a last message that is the beginning of an answer:
    https://docs.vllm.ai (`continue_final_message`), https://docs.mistral.ai (`prefix`)."""
    if not prefill or payload["messages"][-1].get("role") != "assistant":
        return
    if prefill == "vllm":
        payload.update(continue_final_message=True, add_generation_prompt=False)
    elif prefill == "prefix":
        payload["messages"][-1]["prefix"] = True
