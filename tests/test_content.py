"""The worker's linear `Content` and `gather` say the same as `apply`, event by event."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streaming.content import Content, gather
from streaming.snapshot import START, replay
from tests.streams import MESSAGE, Story, stories


@given(story=stories())
def test_gather_says_the_same_as_replay(story: Story) -> None:
    events = story.plain
    expected = replay(story.states[START], events)
    assert gather(events, str(MESSAGE)) == expected == story.state


@given(story=stories())
def test_gather_can_begin_where_an_attempt_or_a_snapshot_does(story: Story) -> None:
    events = story.plain
    for at, event in enumerate(events):
        if event["type"] in ("generation.started", "snapshot"):
            assert gather(events[at:], str(MESSAGE)) == story.state


@given(story=stories(), data=st.data())
def test_content_can_be_asked_at_any_time(story: Story, data: st.DataObject) -> None:
    content = Content()
    state = story.states[START]
    for event in story.plain:
        state = replay(state, [event])
        if event["type"] == "generation.started":
            content = Content()
        elif event["type"] == "snapshot":
            content = Content(event["content"])
        elif not event["type"].startswith("generation."):
            content.add(event)
        if data.draw(st.booleans()):
            assert content.blocks() == state["content"]
    assert content.blocks() == story.state["content"]


def test_text_in_many_pieces_is_one_block() -> None:
    content = Content()
    for number in range(1_000):
        content.add_text("text", f"{number} ")
    assert content.blocks() == [
        {"type": "text", "text": "".join(f"{number} " for number in range(1_000))}
    ]
    assert content.characters == len(content.blocks()[0]["text"])


def test_what_it_was_given_and_what_it_gave_stay_as_they_are() -> None:
    given_blocks: list[dict[str, Any]] = [{"type": "text", "text": "before"}]
    before = copy.deepcopy(given_blocks)
    content = Content(given_blocks)
    content.add_text("text", " and after")
    first = content.blocks()
    kept = copy.deepcopy(first)
    content.add_text("text", ", and more")
    content.add(
        {"type": "tool_call.started", "tool_call": "t", "name": "search", "args": "{", "seq": 1}
    )
    assert given_blocks == before
    assert first == kept
    assert content.blocks()[0] == {"type": "text", "text": "before and after, and more"}
