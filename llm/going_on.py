"""Asking a model to go on with an answer that was cut."""

from collections.abc import Sequence

from llm.spec import Block, Turn

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
