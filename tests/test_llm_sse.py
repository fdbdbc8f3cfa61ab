"""Server-sent events arrive whole, in whatever pieces the network cuts them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm import sse
from llm.sse import EventReader

STREAM = (
    b": keep-alive\n\n"
    b'data: {"a": "\xf0\x9f\x99\x82"}\n\n'
    b"event: ping\nid: 7\nretry: 10\n\n"
    b"data: one\ndata: two\r\n\r\n"
    b"data:no space\r\n\r\n"
    b"data:\n\n"
    b": again\n"
    b"data: [DONE]\n\n"
)
EVENTS = [b'{"a": "\xf0\x9f\x99\x82"}', b"one\ntwo", b"no space", b"", b"[DONE]"]


def read(pieces: list[bytes]) -> list[bytes]:
    reader = EventReader()
    return [event for piece in pieces for event in reader.feed(piece)] + reader.close()


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_every_split_gives_the_same_events(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(edges)]
    assert read(pieces) == EVENTS


def test_one_byte_at_a_time_gives_the_same_events() -> None:
    assert read([bytes([byte]) for byte in STREAM]) == EVENTS


def test_crlf_gives_the_same_events() -> None:
    whole = STREAM.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert read([whole]) == EVENTS


def test_an_event_without_its_closing_blank_line_is_given_at_the_end() -> None:
    assert read([b"data: last\n"]) == [b"last"]


def test_half_a_line_is_no_event() -> None:
    assert read([b'data: {"ha']) == []


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 600, b"data: " + b"x" * 600 + b"\n"])
def test_an_endless_event_is_refused(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 1000)
    reader = EventReader()
    reader.feed(piece)
    with pytest.raises(ValueError, match="at most 1000 bytes"):
        reader.feed(piece)


def test_many_comments_are_not_an_endless_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 1000)
    reader = EventReader()
    for _ in range(200):
        assert reader.feed(b": keep-alive\n\n") == []
    assert reader.feed(b"data: at last\n\n") == [b"at last"]
