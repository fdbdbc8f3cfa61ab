"""What an answer is made of, in the order in which it arrives."""

from typing import Any, Literal

import msgspec

FinishReason = Literal["stop", "length", "content_filter", "refusal", "tool_limit", "tool_calls"]


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, gc=False):
    text: str


class ToolCallStarted(msgspec.Struct, frozen=True, gc=False):
    """Comes before the tool runs, so that whoever reads can note `side_effects` in time."""

    id: str
    name: str
    args: str = ""
    side_effects: bool = False


class ToolCallDelta(msgspec.Struct, frozen=True, gc=False):
    id: str
    args: str


class ToolCallFinished(msgspec.Struct, frozen=True, gc=False):
    """`args` is the whole text of the arguments; exactly one of `result` and `error` is set."""

    id: str
    name: str
    args: str
    result: str | None
    error: str | None
    side_effects: bool


class Progress(msgspec.Struct, frozen=True):
    """`tool_call` is the id of the call that says so."""

    label: str
    data: Any = None
    tool_call: str | None = None


class Answering(msgspec.Struct, frozen=True):
    """Another model than the one that was asked: its slug, and both as people know them."""

    model: str
    label: str
    in_place_of: str


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of all steps together; `estimated` where the provider did not count. `left_out`: how
    many older messages the model did not get; `summarised`: it was told of them in short. `cached`:
    the answer was given before."""

    input_tokens: int
    output_tokens: int
    estimated: bool
    left_out: int = 0
    summarised: bool = False
    cached: bool = False


class Finish(msgspec.Struct, frozen=True, gc=False):
    reason: FinishReason


Part = (
    TextDelta
    | ReasoningDelta
    | ToolCallStarted
    | ToolCallDelta
    | ToolCallFinished
    | Progress
    | Answering
    | Usage
    | Finish
)
