"""Processes that a benchmark starts, measures and ends; it touches no other."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 40
STOP_SECONDS = 10


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Watched:
    """A process with everything below it, as one line of a measurement."""

    name: str
    pid: int

    def tree(self) -> list[psutil.Process]:
        root = psutil.Process(self.pid)
        return [root, *root.children(recursive=True)]


@dataclass(frozen=True)
class Running(Watched):
    process: "subprocess.Popen[bytes]"
    log: Path

    def wait_until_listening(self, port: int) -> None:
        self.wait_until(lambda: _listens(port), f"does not listen on port {port}")

    def wait_for_line(self, text: str) -> None:
        self.wait_until(lambda: text in self._said(), f"never says {text!r}")

    def wait_until(self, ready: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if ready():
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} {complaint}: {self._said()[-3000:]}")

    def _said(self) -> str:
        return self.log.read_text(errors="replace")


class Stage:
    """Starts processes, each the leader of a group of its own, and ends all of them on exit, the
    newest first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cleanup = ExitStack()
        self._started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.cleanup.close()

    def python(self, name: str, arguments: Sequence[str], env: Mapping[str, str]) -> Running:
        return self.start(name, [sys.executable, *arguments], env)

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> Running:
        self._started += 1
        log = self.folder / f"{name}-{self._started}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        running = Running(name, process.pid, process, log)
        self.cleanup.callback(end, running)
        return running


def end(running: Running) -> None:
    """SIGTERM to the process, and after that SIGKILL to what is left of its group."""
    running.process.terminate()
    with suppress(subprocess.TimeoutExpired):
        running.process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(running.pid, signal.SIGKILL)
    running.process.wait()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, those of its threads that have ended included.

    Linux makes a clock of every process; its number follows from the pid as in
    clock_getcpuclockid(3). It counts nanoseconds, where /proc counts in steps of 10 ms, which is
    as much as a server may spend on a whole answer.
    """
    return time.clock_gettime((~pid << 3) | 2)


class CpuMeter:
    """CPU seconds of several process trees since it was made, by name."""

    def __init__(self, watched: Sequence[Watched]) -> None:
        self._watched = watched
        self._before = self._read()

    def read(self) -> dict[str, float]:
        spent: dict[str, float] = {}
        for (name, pid), seconds in self._read().items():
            spent[name] = spent.get(name, 0.0) + seconds - self._before.get((name, pid), 0.0)
        return spent

    def _read(self) -> dict[tuple[str, int], float]:
        found = {}
        for running in self._watched:
            for process in running.tree():
                with suppress(OSError):
                    found[running.name, process.pid] = cpu_seconds(process.pid)
        return found


def memory(watched: Sequence[Watched]) -> dict[str, int]:
    """Resident bytes by name. Pages that processes share are counted in each of them."""
    held: dict[str, int] = {}
    for running in watched:
        for process in running.tree():
            with suppress(psutil.NoSuchProcess):
                held[running.name] = held.get(running.name, 0) + process.memory_info().rss
    return held
