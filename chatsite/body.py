"""Bodies of a bounded size. Twisted takes a body to its end, into a file on the disk, before it is
asked who sends it: without a bound any visitor could fill that disk."""

from daphne.http_protocol import WebRequest
from django.conf import settings

MEGABYTE = 1_000_000
# Of the form around a file.
MARGIN_BYTES = 100_000
CONTENT_TYPE = b"content-type"
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def most_bytes() -> int:
    """What the largest of the forms may take; which of them it is, each view asks again."""
    return max(settings.ATTACHMENT_MB, settings.IMPORT_MB) * MEGABYTE + MARGIN_BYTES


class BoundedRequest(WebRequest):
    _refused = False
    _content_type: list[bytes] | None = None

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        super().gotLength(length)
        if (length or 0) > most_bytes():
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        """Also for a body that does not say how long it will be."""
        if self._refused:
            return
        if self.content.tell() + len(data) > most_bytes():
            self._refuse()
        else:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        """Twisted would read a form itself, whole in memory and before Django does, and answer one
        that it cannot read with nothing. It does not where it does not know that it is one."""
        if self._refused:
            return
        self._content_type = self.requestHeaders.getRawHeaders(CONTENT_TYPE)
        self.requestHeaders.removeHeader(CONTENT_TYPE)
        super().requestReceived(command, path, version)

    def process(self) -> None:
        if self._content_type is not None:
            self.requestHeaders.setRawHeaders(CONTENT_TYPE, self._content_type)
        super().process()

    def _refuse(self) -> None:
        self._refused = True
        self.channel.transport.write(TOO_LARGE)
        self.channel.loseConnection()
