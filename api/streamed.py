"""Long answers, sent while they are made."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header


def download(pieces: Iterator[bytes], name: str, content_type: str) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(from_threads(pieces), content_type=content_type)
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer["Cache-Control"] = "no-store"
    return answer


async def from_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Piece by piece in the request's thread: Django would make a list of a plain iterator first,
    which is the whole file in memory."""
    while (piece := await sync_to_async(next_piece)(pieces)) is not None:
        yield piece


def next_piece(pieces: Iterator[bytes]) -> bytes | None:
    """Between two pieces a slow reader must not keep a connection of the pool. SQLite has none, and
    opening its file again for each piece would cost more than reading it."""
    try:
        return next(pieces, None)
    finally:
        if connection.vendor != "sqlite":
            connection.close()
