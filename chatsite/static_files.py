"""Static files, sent before Django sees the request: a page asks for more than a hundred of them,
and on the way through its middleware and threads each costs several times as much."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from whitenoise.middleware import WhiteNoiseMiddleware

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

CHUNK_BYTES = 256 * 1024
NO_SNIFFING = (b"x-content-type-options", b"nosniff")


class StaticFiles:
    """An ASGI application in front of another, which gets what is no static file.

    What there is, compressed or not, and how long it may be kept, WhiteNoise knows."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._known = WhiteNoiseMiddleware(lambda request: None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = self._find(scope["path"])
        if file is None:
            return await self._application(scope, receive, send)
        response = file.get_response(scope["method"], environ(scope["headers"]))
        headers = [(name.lower().encode(), value.encode()) for name, value in response.headers]
        start = {"type": "http.response.start", "status": int(response.status)}
        await send({**start, "headers": [*headers, NO_SNIFFING]})
        if response.file is not None:
            # Small files that the system has in memory: a thread would cost more than the reading.
            with response.file as content:
                while chunk := content.read(CHUNK_BYTES):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return None

    def _find(self, path: str) -> Any:
        if not path.startswith(self._known.static_prefix):
            return None
        if self._known.autorefresh:
            return self._known.find_file(path)
        return self._known.files.get(path)


def environ(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """By the names that CGI gave them, which WhiteNoise asks for."""
    return {
        f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": value.decode("latin-1")
        for name, value in headers
    }
