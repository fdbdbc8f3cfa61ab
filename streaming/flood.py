import time

BURST = 200
PER_SECOND = 50


class Bucket:
    """A token bucket for commands, and for what tools report: `BURST` of them at once, `PER_SECOND`
    in the long run."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left = float(BURST)
        self._at = time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
