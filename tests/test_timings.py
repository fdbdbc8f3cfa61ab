"""What an attempt's timings count, on a clock that the test sets."""

import pytest

from streaming.timings import Timings


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("turns", "first_token_ms", "reasoning_ms"),
    [
        ([], None, None),
        ([(1, "text")], 1000, None),
        ([(2, "tool_call"), (3, "text")], 3000, None),
        ([(1, "reasoning"), (4, "text")], 1000, 3000),
        ([(1, "reasoning"), (4, "tool_call"), (6, "reasoning"), (7, "text")], 1000, 4000),
        ([(1, "text"), (2, "reasoning"), (2.5, "text")], 1000, 500),
        ([(6, "reasoning")], 6000, 4000),
        ([(1, "reasoning"), (2, "reasoning"), (3, "text")], 1000, 2000),
    ],
)
def test_thinking_ends_with_what_follows_it(
    turns: list[tuple[float, str]], first_token_ms: int | None, reasoning_ms: int | None
) -> None:
    clock = Clock()
    timings = Timings(0.25, clock)
    for after, kind in turns:
        clock.now = 100 + after
        timings.turn_to(kind)
    clock.now = 110

    assert timings.in_ms() == {
        "queued_ms": 250,
        "first_token_ms": first_token_ms,
        "reasoning_ms": reasoning_ms,
        "total_ms": 10_000,
    }
