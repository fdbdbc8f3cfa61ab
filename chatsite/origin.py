"""Other sites must not open a socket with a visitor's cookie.

Channels' AllowedHostsOriginValidator compares host names only, so that another port or plain http
on the same host passes. Here the whole origin counts.
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

DEFAULT_PORTS = {"http": 80, "https": 443}


class SameOrigin:
    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin1")
        host = headers.get(b"host", b"").decode("latin1")
        # Browsers always send an origin with a WebSocket; what sends none is no browser.
        if origin and not allowed(origin, host):
            await receive()
            await send({"type": "websocket.close", "code": 4403})
            return
        await self._application(scope, receive, send)


def allowed(origin: str, host: str) -> bool:
    if origin in settings.WEBSOCKET_ORIGINS:
        return True
    try:
        from_page, to_server = urlsplit(origin), urlsplit(f"//{host}")
        ports = from_page.port, to_server.port
    except ValueError:
        return False
    if from_page.scheme not in DEFAULT_PORTS or (settings.HTTPS and from_page.scheme != "https"):
        return False
    default = DEFAULT_PORTS[from_page.scheme]
    same_port = (ports[0] or default) == (ports[1] or default)
    return bool(host) and same_port and from_page.hostname == to_server.hostname
