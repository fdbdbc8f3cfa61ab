"""`apply` and the rule of gaps. The same cases run against its twin, static/js/snapshot.js."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.snapshot import (
    START,
    Event,
    Gap,
    State,
    StreamPosition,
    apply,
    follows,
    fresh,
    position_of,
    replay,
)
from tests.streams import Story, stories

CASES = json.loads((Path(__file__).parent / "cases" / "apply.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_apply(case: dict[str, Any]) -> None:
    before = copy.deepcopy(case["snapshot"])
    if case.get("error") == "gap":
        with pytest.raises(Gap, match="expected what follows"):
            replay(case["snapshot"], case["events"])
    else:
        assert replay(case["snapshot"], case["events"]) == case["expect"]
    assert case["snapshot"] == before


def test_the_cases_cover_every_kind_of_event_and_the_gap() -> None:
    kinds = {event["type"] for case in CASES for event in case["events"]}
    assert kinds >= {
        "generation.started",
        "text.delta",
        "reasoning.delta",
        "tool_call.started",
        "tool_call.delta",
        "tool_call.finished",
        "progress",
        "generation.completed",
        "generation.failed",
        "generation.cancelled",
    }
    assert sum("error" in case for case in CASES) >= 5


@pytest.mark.parametrize(
    ("position", "event", "kind", "verdict"),
    [
        ((0, 0), (1, 1), "generation.started", "next"),
        ((1, 1), (1, 2), "text.delta", "next"),
        ((1, 9), (2, 1), "generation.started", "next"),
        ((1, 9), (3, 1), "generation.started", "next"),
        ((1, 9), (1, 20), "snapshot", "next"),
        ((1, 9), (4, 7), "snapshot", "next"),
        ((0, 0), (2, 5), "snapshot", "next"),
        ((1, 2), (1, 2), "text.delta", "old"),
        ((1, 2), (1, 1), "generation.started", "old"),
        ((2, 1), (1, 99), "text.delta", "old"),
        ((2, 1), (1, 99), "generation.completed", "old"),
        ((2, 3), (2, 3), "snapshot", "old"),
        ((2, 3), (1, 9), "snapshot", "old"),
        ((0, 0), (0, 0), "snapshot", "old"),
        ((1, 1), (1, 3), "text.delta", "gap"),
        ((0, 0), (1, 2), "text.delta", "gap"),
        ((0, 0), (1, 1), "text.delta", "gap"),
        ((1, 9), (2, 1), "text.delta", "gap"),
        ((1, 9), (2, 2), "generation.started", "gap"),
        ((1, 9), (2, 2), "generation.completed", "gap"),
    ],
)
def test_what_follows(
    position: tuple[int, int], event: tuple[int, int], kind: str, verdict: str
) -> None:
    assert follows(StreamPosition(*position), StreamPosition(*event), kind) == verdict


def test_an_unknown_type_is_an_error_that_quotes_it() -> None:
    state = {**fresh("g", "m"), "attempt": 1, "seq": 1}
    with pytest.raises(ValueError, match=r"expected the type of a stream event, got 'text\.gone'"):
        apply(state, {"type": "text.gone", "generation": "g", "attempt": 1, "seq": 2})


def test_a_queued_event_changes_nothing() -> None:
    state = fresh("g", "m")
    assert apply(state, {"type": "generation.queued", "generation": "g", "position": 3}) is state


# --- Any loss, doubling and order ----------------------------------------------------------------
class Receiver:
    """A client by the rule: what is old is dropped, a gap is cured by reading on from where it is.
    What it shows is compared after every event."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.events = story.plain
        self.state: State = story.states[START]
        self.newest = START

    def take(self, event: Event) -> None:
        self.newest = max(self.newest, position_of(event))
        try:
            self.state = apply(self.state, event)
        except Gap:
            self.resume()
        assert self.state == self.story.states[position_of(self.state)]

    def resume(self) -> None:
        for event in self.events:
            if position_of(self.state) < position_of(event) <= self.newest:
                self.state = apply(self.state, event)

    def finish(self) -> State:
        self.newest = position_of(self.events[-1])
        self.resume()
        return self.state


@given(story=stories(), data=st.data())
def test_any_loss_doubling_and_order_end_in_the_same_state(
    story: Story, data: st.DataObject
) -> None:
    receiver = Receiver(story)
    numbers = st.integers(0, len(story.events) - 1)
    for number in data.draw(st.lists(numbers, max_size=3 * len(story.events))):
        receiver.take(receiver.events[number])
    assert receiver.finish() == story.state


@given(story=stories(), data=st.data())
def test_any_split_ends_in_the_same_state(story: Story, data: st.DataObject) -> None:
    events = story.plain
    at = data.draw(st.integers(0, len(events)))
    overlap = data.draw(st.integers(0, at))
    half = replay(story.states[START], events[:at])
    assert replay(half, events[at - overlap :]) == story.state


@given(story=stories())
def test_no_prefix_may_be_left_out_without_a_gap(story: Story) -> None:
    """From the start, only a snapshot or the beginning of an attempt can be taken."""
    for event in story.plain:
        whole = event["type"] == "snapshot" or (
            event["type"] == "generation.started" and event["seq"] == 1
        )
        if whole:
            state = apply(story.states[START], event)
            assert state == story.states[position_of(event)]
        else:
            with pytest.raises(Gap):
                apply(story.states[START], event)
