"""One generation as one socket shows it: what has been sent, and what the client has confirmed."""

import time
from collections import deque
from dataclasses import dataclass, field

from streaming.snapshot import START, StreamPosition

PAUSE_BYTES = 256 * 1024
GO_ON_BYTES = 128 * 1024
MARK_BYTES = 16 * 1024


@dataclass(slots=True, eq=False)
class Follow:
    """`position`: sent up to here. `behind`: the log has more. `busy`: a catch-up is reading it.

    A stream whose client does not confirm what it gets is paused, and later read from the log:
    Daphne has no back-pressure, so what is sent to a reader that does not read stays in memory.
    """

    generation: str
    conversation: str
    position: StreamPosition = START
    ended: bool = False
    behind: bool = False
    busy: bool = False
    heard_at: float = field(default_factory=time.monotonic)
    paused_at: float | None = None
    unconfirmed: int = 0
    _since_mark: int = 0
    _marks: deque[tuple[StreamPosition, int]] = field(default_factory=deque)

    def sent(self, position: StreamPosition, size: int) -> None:
        self.position = position
        self.heard_at = time.monotonic()
        self.unconfirmed += size
        self._since_mark += size
        if self._since_mark >= MARK_BYTES:
            self._marks.append((position, self._since_mark))
            self._since_mark = 0
        if self.unconfirmed > PAUSE_BYTES and self.paused_at is None:
            self.paused_at = time.monotonic()

    def confirm(self, position: StreamPosition) -> bool:
        """Note what the client has shown. True where a paused stream may go on."""
        if position > self.position:
            # Nobody can have shown what was not sent; believing it would switch the limit off.
            return False
        if position == self.position:
            self.unconfirmed = self._since_mark = 0
            self._marks.clear()
        while self._marks and self._marks[0][0] <= position:
            self.unconfirmed -= self._marks.popleft()[1]
        if self.paused_at is None or self.unconfirmed > GO_ON_BYTES:
            return False
        self.paused_at = None
        return True

    def rewind(self, position: StreamPosition) -> None:
        """The client says where it stands. What it has not confirmed stays counted: one that reads
        nothing and asks again and again would fill the memory otherwise."""
        self.position = position
        self.ended = False
