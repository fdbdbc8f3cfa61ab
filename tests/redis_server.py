"""A real Redis in a folder of its own, that tests may stop, kill and lose."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from deploy.embedded.redis import executable


class RedisServer:
    def __init__(self, folder: Path, address: str, *, port: int = 0) -> None:
        """Listens on a socket at `address` (a path), or on a loopback port where one is given."""
        self.folder = folder
        self.url = f"redis://127.0.0.1:{port}/0" if port else f"unix://{address}"
        listen = ["--port", str(port), "--bind", "127.0.0.1"] if port else (
            ["--port", "0", "--unixsocket", address]
        )  # fmt: skip
        self._command = [
            executable(), *listen, "--dir", str(folder), "--appendonly", "yes", "--save", "",
            "--loglevel", "warning", "--maxmemory-policy", "noeviction",
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        with Redis.from_url(self.url) as client:
            for _ in range(500):
                try:
                    if client.ping():
                        return
                except RedisError:
                    time.sleep(0.01)
        raise RuntimeError("Redis did not start")

    def stop(self, *, kill: bool = False) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Half open: connections stay, nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def forget(self) -> None:
        """Lose the append-only file; only while stopped."""
        shutil.rmtree(self.folder)
