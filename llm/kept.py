"""What answer after answer asks the database for is asked once a second, and not once each."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.conf import settings

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """`look_up` with a memory of `MODELS_KEPT_SECONDS`: how long a change in the admin may take to
    reach every process. What is found belongs to all who ask, and nobody may change it.

    Raises what `look_up` raises, and remembers no failure.
    """

    def __init__(self, look_up: Callable[[K], V]) -> None:
        self._look_up = look_up
        self._found: dict[K, tuple[float, V]] = {}

    def __call__(self, key: K) -> V:
        now = time.monotonic()
        until, found = self._found.get(key, (now, None))
        if now < until:
            return found  # type: ignore[return-value]
        value = self._look_up(key)
        self._found[key] = (now + settings.MODELS_KEPT_SECONDS, value)
        return value

    def forget(self) -> None:
        self._found.clear()
