"""How long each part of an attempt took, as its worker's clock saw it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Timings:
    """`started` and `first_token` are times of `clock`; what it counts itself is in seconds."""

    queued: float = 0.0
    clock: Callable[[], float] = time.monotonic
    first_token: float | None = None
    started: float = field(init=False)
    _thought: float | None = None
    _thinks_since: float | None = None

    def __post_init__(self) -> None:
        self.started = self.clock()

    def turn_to(self, kind: str) -> None:
        """The model now writes `text` or `reasoning`, or calls a tool. Asked when that changes, not
        for each token."""
        now = self.clock()
        if self.first_token is None and kind != "tool_call":
            self.first_token = now
        if kind != "reasoning":
            self._thought, self._thinks_since = self._thought_until(now), None
        elif self._thinks_since is None:
            self._thinks_since = now

    @property
    def until_first_token(self) -> float | None:
        return None if self.first_token is None else self.first_token - self.started

    def in_ms(self) -> dict[str, int | None]:
        """As clients read them. None: there was none of it."""
        now = self.clock()
        return {
            "queued_ms": _ms(self.queued),
            "first_token_ms": _ms(self.until_first_token),
            "reasoning_ms": _ms(self._thought_until(now)),
            "total_ms": _ms(now - self.started),
        }

    def _thought_until(self, now: float) -> float | None:
        if self._thinks_since is None:
            return self._thought
        return (self._thought or 0.0) + now - self._thinks_since


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
