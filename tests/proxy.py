"""A TCP proxy between the product and Redis that can swallow bytes: a line that is half open."""

import asyncio
import threading
from types import TracebackType
from typing import Self


class Proxy:
    """Listens on `port`, forwards to a Redis on `target_port`, both on loopback."""

    def __init__(self, port: int, target_port: int) -> None:
        self.port, self._target = port, target_port
        self._loop = asyncio.new_event_loop()
        self._lines: set[asyncio.Event] = set()
        self._swallowing: set[asyncio.Event] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut_half_open(self) -> None:
        """From now on every line of this moment swallows what it is given and stays open. New lines
        are good."""
        self._loop.call_soon_threadsafe(lambda: self._swallowing.update(self._lines))

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._join, "127.0.0.1", self.port)
        )
        self._ready.set()
        self._loop.run_forever()

    async def _end(self) -> None:
        self._server.close()
        lines = asyncio.all_tasks() - {asyncio.current_task()}
        for task in lines:
            task.cancel()
        if lines:
            await asyncio.wait(lines)

    async def _join(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        line = asyncio.Event()
        self._lines.add(line)
        try:
            far, forth = await asyncio.open_connection("127.0.0.1", self._target)
            await asyncio.gather(self._pump(near, forth, line), self._pump(far, back, line))
        except (OSError, asyncio.CancelledError):
            back.close()
        finally:
            self._lines.discard(line)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: asyncio.Event
    ) -> None:
        try:
            while data := await reader.read(65536):
                if line not in self._swallowing:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass
        finally:
            if line not in self._swallowing:
                writer.close()
