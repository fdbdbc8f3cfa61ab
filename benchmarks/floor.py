"""The least that a relay can do: server-sent events in, WebSocket frames out, unread.

    python -m benchmarks.floor --port 9001

No LangChain, no broker, no database, no JSON: what any server spends beyond this is for what it
does beyond this.
"""

import argparse
import os
from collections.abc import AsyncIterator

import aiohttp
import uvloop
from aiohttp import web

PROVIDER = web.AppKey("provider", aiohttp.ClientSession)


async def chat(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    url = f"{os.environ['OPENAI_BASE_URL']}/chat/completions"
    async for message in socket:
        body = {
            "model": "fake",
            "stream": True,
            "messages": [{"role": "user", "content": message.data}],
        }
        async with request.app[PROVIDER].post(url, json=body) as response:
            async for line in response.content:
                if line.startswith(b"data: "):
                    await socket.send_str(line[6:-1].decode())
    return socket


async def provider_session(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        app[PROVIDER] = session
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--port", type=int, required=True)
    app = web.Application()
    app.router.add_get("/ws", chat)
    app.cleanup_ctx.append(provider_session)
    web.run_app(
        app,
        host="127.0.0.1",
        port=parser.parse_args().port,
        loop=uvloop.new_event_loop(),
        access_log=None,
        print=lambda *_: None,
    )


if __name__ == "__main__":
    main()
