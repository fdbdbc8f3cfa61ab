"""The web node: Daphne, with a shutdown that tells its sockets to come back elsewhere.

    python -m chatsite.web

Settings: `PORT` (8000), `BIND` (127.0.0.1), `ASGI_THREADS` (16), `BEHIND_PROXY` (1: believe
`X-Forwarded-For`). Daphne on its own ends without a close frame, which a browser sees as a broken
line, and does not wait for readers (chatsite/flow.py).
"""

# ruff: noqa: E402
import asyncio
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
os.environ.setdefault("ASGI_THREADS", "16")

import uvloop

# Daphne makes its event loop when it is imported.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

import autobahn.twisted.websocket
import autobahn.websocket.protocol
import daphne.http_protocol
import daphne.server
from daphne.cli import CommandLineInterface
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import defer

from chatsite.flow import PacedRequest

SERVICE_RESTART = 1012


class Protocol(WebSocketProtocol):
    def serverClose(self, code: int | None = None) -> None:  # noqa: N802
        """Autobahn lets an application close with 1000 and 3000-4999 only. 1012, "service restart",
        is a registered code too (IANA), and the one that tells a client to come back."""
        if code == SERVICE_RESTART:
            self.sendCloseFrame(code=code, isReply=False)
        else:
            super().serverClose(code)


WebSocketFactory.protocol = Protocol
daphne.http_protocol.WebRequest = PacedRequest


def uncoloured(value: Any, **_: Any) -> Any:
    return value


# For each frame, in and out, Autobahn colours the values of a line for its debug log before it asks
# whether anybody reads that, and for each connection it formats all of its options: a tenth of what
# a token costs this process, and half of what a reconnect does.
for module in (autobahn.twisted.websocket, autobahn.websocket.protocol):
    module.hltype = module.hlval = uncoloured
autobahn.websocket.protocol.pformat = repr


class Server(daphne.server.Server):
    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        await super().handle_reply(protocol, message)
        if isinstance(protocol, PacedRequest):
            await protocol.room()

    def kill_all_applications(self) -> defer.Deferred:
        """Twisted calls this before it stops the reactor, and waits for what it returns."""
        drained = defer.Deferred.fromFuture(asyncio.ensure_future(drain()))
        drained.addBoth(lambda _: super(Server, self).kill_all_applications())
        return drained


async def drain() -> None:
    from streaming.drain import drain_readers

    await drain_readers()


class CommandLine(CommandLineInterface):
    server_class = Server


def main() -> None:
    # Only a proxy in front makes these headers worth believing.
    proxy = ["--proxy-headers"] if os.environ.get("BEHIND_PROXY") == "1" else []
    CommandLine().run(
        [
            *proxy,
            "--bind", os.environ.get("BIND", "127.0.0.1"),
            "--port", os.environ.get("PORT", "8000"),
            "--verbosity", "0",
            "--ping-interval", "15",
            "--ping-timeout", "20",
            "--application-close-timeout", "5",
            "--websocket-max-message-size", str(1024 * 1024),
            "--websocket-max-frame-size", str(1024 * 1024),
            "--websocket_timeout", "-1",
            # An answer that is read over HTTP takes as long as the model does.
            "--http-timeout", "3600",
            "--no-server-name",
            "chatsite.asgi:application",
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()
