"""Server-sent events, from bytes in any pieces."""

MAX_EVENT_BYTES = 8 * 1024 * 1024


class EventReader:
    """Feed it what arrives, get back the data of the events that are complete.

    Format: https://html.spec.whatwg.org/multipage/server-sent-events.html. Of its fields only
    `data` is kept. Lines end in LF or CRLF; no provider ends them in a lone CR.
    """

    __slots__ = ("_data", "_pending_bytes", "_rest")

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._data: list[bytes] = []
        self._pending_bytes = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """Raises ValueError when one event grows past MAX_EVENT_BYTES."""
        self._pending_bytes += len(piece)
        if b"\n" not in piece:
            # Joining here would copy a long line once for each piece of it.
            self._rest.append(piece)
            self._check_size()
            return []
        if self._rest:
            self._rest.append(piece)
            piece = b"".join(self._rest)
            self._rest.clear()
        *lines, rest = piece.split(b"\n")
        events = self._take(lines)
        if rest:
            self._rest.append(rest)
        if events:
            self._pending_bytes = len(rest)
        self._check_size()
        return events

    def close(self) -> list[bytes]:
        """The data of an event whose lines are whole, but whose closing blank line never came."""
        return self._take([b""])

    def _take(self, lines: list[bytes]) -> list[bytes]:
        events = []
        for line in lines:
            if line.endswith(b"\r"):
                line = line[:-1]
            if not line:
                if self._data:
                    events.append(b"\n".join(self._data))
                    self._data.clear()
            elif line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
        return events

    def _check_size(self) -> None:
        if self._pending_bytes <= MAX_EVENT_BYTES:
            return
        if not self._rest and not self._data:
            # Only comments and blank lines went by since the last event.
            self._pending_bytes = 0
            return
        raise ValueError(f"expected an event of at most {MAX_EVENT_BYTES} bytes")
