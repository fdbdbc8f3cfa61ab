"""Hypothesis strategies: what can happen in a generation, as the events that a worker writes."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from streaming import protocol
from streaming.protocol import StreamEvent, decode_event, encode
from streaming.snapshot import START, Event, State, StreamPosition, apply, fresh, position_of

GENERATION = UUID("6f6ed1a0-0a65-4e37-8d5c-2f6a3d3a1f01")
CONVERSATION = UUID("6f6ed1a0-0a65-4e37-8d5c-2f6a3d3a1f02")
MESSAGE = UUID("6f6ed1a0-0a65-4e37-8d5c-2f6a3d3a1f03")
END: dict[str, Any] = {"usage": {"input_tokens": 3}, "timings": {"total_ms": 5}}


@dataclass
class Story:
    """`states[position]` is what a client that has everything up to there must show."""

    events: list[StreamEvent] = field(default_factory=list)
    states: dict[StreamPosition, State] = field(default_factory=dict)
    attempt: int = 0
    seq: int = 0

    def __post_init__(self) -> None:
        self.states[START] = fresh(str(GENERATION), str(MESSAGE))

    @property
    def state(self) -> State:
        return self.states[StreamPosition(self.attempt, self.seq)]

    @property
    def plain(self) -> list[Event]:
        return [decode_event(encode(event)) for event in self.events]

    @property
    def positions(self) -> list[StreamPosition]:
        return list(self.states)

    def add(self, kind: type[StreamEvent], step: int = 1, **fields: Any) -> None:
        before, self.seq = self.state, self.seq + step
        event = kind(generation=GENERATION, attempt=self.attempt, seq=self.seq, **fields)
        self.events.append(event)
        after = apply(before, decode_event(encode(event)))
        self.states[position_of(after)] = after

    def start(self, attempt: int) -> None:
        before = self.state
        self.attempt, self.seq = attempt, 0
        self.states[StreamPosition(attempt, 0)] = before
        at: dict[str, Any] = {"conversation": CONVERSATION, "message": MESSAGE}
        self.add(protocol.Started, **at, model=f"model-{attempt}")
        del self.states[StreamPosition(attempt, 0)]

    def snapshot(self, step: int) -> None:
        """The log was gone: one entry takes the place of `step` numbers."""
        self.add(
            protocol.Snapshot,
            step,
            conversation=CONVERSATION,
            message=MESSAGE,
            status="in_progress",
            content=self.state["content"],
            model=self.state["model"],
        )


texts = st.text(max_size=6)
names = st.sampled_from(["t1", "t2"])
moves = st.one_of(
    st.tuples(st.just("text"), texts),
    st.tuples(st.just("text"), texts),
    st.tuples(st.just("reasoning"), texts),
    st.tuples(st.just("call"), names),
    st.tuples(st.just("args"), names, st.sampled_from(['{"a', '": 1}', "nonsense"])),
    st.tuples(st.just("result"), names, st.sampled_from(['{"a": 1}', "nonsense", "[]"]), texts),
    st.tuples(st.just("error"), names, texts),
    st.tuples(st.just("progress"), texts),
    st.tuples(st.just("approval"), names, st.sampled_from(["asked", "approved", "refused"])),
    st.tuples(st.just("snapshot"), st.integers(1, 4)),
)
ends = st.sampled_from(["none", "completed", "failed", "cancelled", "cancelled in the queue"])


@st.composite
def stories(draw: st.DrawFn) -> Story:
    story = Story()
    attempt = 0
    for _ in range(draw(st.integers(1, 3))):
        attempt += draw(st.integers(1, 2))
        story.start(attempt)
        for move, *given in draw(st.lists(moves, max_size=12)):
            _move(story, move, given)
    _end(story, draw(ends))
    return story


def _move(story: Story, move: str, given: list[Any]) -> None:
    match move, given:
        case "text", [text]:
            story.add(protocol.TextDelta, text=text)
        case "reasoning", [text]:
            story.add(protocol.ReasoningDelta, text=text)
        case "call", [name]:
            story.add(protocol.ToolCallStarted, tool_call=name, name="search", args="")
        case "args", [name, args]:
            story.add(protocol.ToolCallDelta, tool_call=name, name="search", args=args)
        case "result", [name, args, result]:
            kind = protocol.ToolCallFinished
            story.add(kind, tool_call=name, name="search", args=args, result=result)
        case "error", [name, error]:
            kind = protocol.ToolCallFinished
            story.add(kind, tool_call=name, name="search", args="{}", error=error)
        case "progress", [label]:
            story.add(protocol.Progress, label=label)
        case "approval", [name, said]:
            story.add(protocol.Progress, label=said, tool_call=name, approval=said)
        case "snapshot", [step]:
            story.snapshot(step)


def _end(story: Story, end: str) -> None:
    match end:
        case "completed":
            story.add(protocol.Completed, **END, finish_reason="stop")
        case "failed":
            story.add(protocol.Failed, **END, code="internal", message="No.", retryable=True)
        case "cancelled":
            story.add(protocol.Cancelled, **END)
        case "cancelled in the queue":
            _end_as_a_new_attempt(story)


def _end_as_a_new_attempt(story: Story) -> None:
    """Nothing is started: the attempt begins with what is known, and ends."""
    before = story.state
    story.attempt, story.seq = story.attempt + 1, 0
    story.states[StreamPosition(story.attempt, 0)] = before
    story.snapshot(1)
    del story.states[StreamPosition(story.attempt, 0)]
    story.add(protocol.Cancelled, **END)
