"""One log for all processes: whole lines, each with the name of its process before it."""

import os
from typing import BinaryIO

COLOURS = {"redis": 31, "web": 36, "worker": 32, "beat": 35, "run": 33}


class PrefixedLog:
    def __init__(self, out: BinaryIO, names: list[str], *, colour: bool) -> None:
        self.out = out
        self.width = max(len(name) for name in [*names, "run"])
        self.colour = colour
        self.rest: dict[str, bytes] = {}

    def write(self, name: str, data: bytes) -> None:
        """Print the whole lines of `data`; the beginning of a line waits for its end."""
        *lines, self.rest[name] = (self.rest.get(name, b"") + data).split(b"\n")
        self._print(name, lines)

    def say(self, sentence: str) -> None:
        self._print("run", [sentence.encode()])

    def flush(self, name: str) -> None:
        """Print what a process that has ended left without a line end."""
        if rest := self.rest.pop(name, b""):
            self._print(name, [rest])

    def _print(self, name: str, lines: list[bytes]) -> None:
        if not lines:
            return
        prefix = f"{name:<{self.width}} | "
        if self.colour:
            prefix = f"\x1b[{COLOURS.get(name, 34)}m{prefix}\x1b[0m"
        self.out.write(b"".join(prefix.encode() + line + b"\n" for line in lines))
        self.out.flush()


def wants_colour(out: BinaryIO) -> bool:
    """As https://no-color.org and https://force-color.org ask for."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or out.isatty()
