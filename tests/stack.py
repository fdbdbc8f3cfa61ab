"""The product as it runs: web nodes and workers as processes of their own."""

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.environment import free_port

ROOT = Path(__file__).resolve().parent.parent
# More than a start ever takes, on a machine with many times the work that it has processors for.
START_SECONDS = 120


# From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_the_tests() -> None:
    """In the child. A pytest that is killed ends no fixture, and its workers would go on."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    def __init__(self, name: str, command: list[str], env: dict[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env={**os.environ, **env},
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=end_with_the_tests,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9: no goodbye."""
        self._process.kill()
        self._process.wait()

    def stop(self, seconds: float = 90) -> int:
        """SIGTERM, and wait; returns the exit code."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(seconds)

    def wait(self, seconds: float) -> int:
        """Until it has ended by itself; returns the exit code."""
        return self._process.wait(seconds)

    def wait_for_line(self, text: str, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if text in self.log.read_text(errors="replace"):
                return
            if not self.running:
                break
            time.sleep(0.05)
        raise AssertionError(f"{self.name}: no {text!r} in {self.log.read_text()[-3000:]}")


class Web(Process):
    def __init__(self, env: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__("web", ["-m", "chatsite.web"], {**env, "PORT": str(self.port)}, log)

    def wait_until_up(self) -> Self:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.running:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                    return self
            except urllib.error.HTTPError:
                return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise AssertionError(f"web: not up: {self.log.read_text(errors='replace')[-3000:]}")


@contextmanager
def ended_unless_started(process: Process) -> Iterator[None]:
    """One that is given up must not go on: it takes the time that the next one needs to start, and
    a slow machine soon does nothing but start."""
    try:
        yield
    except AssertionError:
        process.kill()
        raise


class Stack:
    """Starts processes with one environment, and ends every one that is left."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = env
        self.processes: list[Process] = []

    @property
    def redis_url(self) -> str:
        return self.env.get("REDIS_URL") or os.environ["REDIS_URL"]

    def web(self, **env: str) -> Web:
        node = Web({**self.env, **env}, self._log("web"))
        self.processes.append(node)
        with ended_unless_started(node):
            return node.wait_until_up()

    def worker(self, **env: str) -> Process:
        # -O fair and the rest come from the settings, as in production.
        command = ["-m", "celery", "-A", "chatsite", "worker", "--without-gossip"]
        command += ["--without-mingle", "-Q", "generations,background", "--loglevel", "INFO"]
        worker = Process("worker", command, {**self.env, **env}, self._log("worker"))
        self.processes.append(worker)
        with ended_unless_started(worker):
            worker.wait_for_line("ready.")
        return worker

    def end(self) -> None:
        for process in self.processes:
            if process.running:
                process.kill()
        self.processes.clear()

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}-{len(self.processes)}.log"
