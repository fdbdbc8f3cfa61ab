"""The product as it runs: web nodes and workers as processes of their own."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.environment import free_port
from tests.starter import Forked, Starter, end_with_the_tests

ROOT = Path(__file__).resolve().parent.parent
# More than a start ever takes, on a machine with many times the work that it has processors for.
START_SECONDS = 120


STARTER = Starter()


def execute(command: list[str], env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=env,
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=end_with_the_tests,
        )


# Without file descriptors of processes, as Linux has, every start takes its time.
quickly = STARTER.start if hasattr(os, "pidfd_open") else execute


class Process:
    def __init__(
        self,
        name: str,
        command: list[str],
        env: dict[str, str],
        log: Path,
        start: Callable[..., "subprocess.Popen[bytes] | Forked"] = execute,
    ) -> None:
        self.name = name
        self.log = log
        self._process = start(command, {**os.environ, **env}, log)

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
        command = ["-m", "chatsite.web"]
        super().__init__("web", command, {**env, "PORT": str(self.port)}, log, quickly)

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
        log = self._log("worker")
        worker = Process("worker", command, {**self.env, **env}, log, quickly)
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
