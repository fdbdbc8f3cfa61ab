"""Starts the processes of a stack as forks of a Python that has imported their libraries already.

To import them takes a worker three seconds of a processor, a web node more than one, and the tests
start some two hundred of both. Nothing of ours is imported beforehand, and nothing that reads a
setting: what runs in the fork is the same module, from its first line, with an environment, a
session and a log of its own. tests/test_embedded.py and tests/test_logs.py start the commands
themselves.

    python -m tests.starter    # one request a line, as JSON, and one answer each
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Those that take long to import; none that starts a thread, an event loop or looks for settings.
LIBRARIES = (
    "PIL.Image",
    "ag_ui.core.events",
    "aiohttp",
    "allauth",
    "asgiref.sync",
    "autobahn.twisted.websocket",
    "celery.bin.celery",
    "celery.bin.worker",
    "celery.worker.consumer",
    "channels.consumer",
    "channels_redis.pubsub",
    "cryptography.x509",
    "django.contrib.postgres.fields",
    "django.core.handlers.asgi",
    "django.core.management",
    "django.db.backends.postgresql.psycopg_any",
    "django.test.client",
    "kombu.transport.redis",
    "langchain_core.tracers.event_stream",
    "langchain_openai",
    "openai.types",
    "psycopg_pool",
    "redis.asyncio",
    "requests",
    "structlog",
    "tiktoken",
    "twisted.internet.tcp",
    "twisted.protocols.tls",
    "uvloop",
)  # fmt: skip
# From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_the_tests() -> None:
    """In the child. A pytest that is killed ends no fixture, and its workers would go on."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# --- In the process of the tests -----------------------------------------------------------------
class Starter:
    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def start(self, command: list[str], env: dict[str, str], log: Path) -> "Forked":
        log.touch()
        request = {"command": command, "env": env, "log": str(log)}
        return Forked(self, self.ask(request))

    def ask(self, request: dict[str, Any]) -> int:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.starter"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                preexec_fn=end_with_the_tests,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> None:
        if self._process is not None:
            self._process.communicate()


class Forked:
    """What is used of subprocess.Popen, of a process whose parent is another."""

    def __init__(self, starter: Starter, pid: int) -> None:
        self._starter = starter
        self.pid = pid
        self._fd = os.pidfd_open(pid)
        self._code: int | None = None

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def _ended(self, timeout: float | None) -> int | None:
        if self._code is None and select.select([self._fd], [], [], timeout)[0]:
            self._code = self._starter.ask({"wait": self.pid})
            os.close(self._fd)
        return self._code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._fd, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


# --- In the process that forks -------------------------------------------------------------------
def serve() -> dict[str, Any] | None:
    """Returns in a fork, with its request; and in the starter itself, with None, at the end."""
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201
        elif pid := os.fork():
            print(pid, flush=True)  # noqa: T201
        else:
            return dict(request)
    return None


def become(request: dict[str, Any]) -> None:
    """The process that was asked for, as a shell would have started it."""
    end_with_the_tests()
    os.setsid()
    log = os.open(request["log"], os.O_WRONLY | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(ours, standard)
    os.environ.clear()
    os.environ.update(request["env"])
    option, module, *arguments = request["command"]
    assert option == "-m", request
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def main() -> None:
    gc.disable()
    for name in LIBRARIES:
        importlib.import_module(name)
    assert "twisted.internet.reactor" not in sys.modules
    assert threading.active_count() == 1
    # What is here stays: no fork is to look through it, and to copy its pages by that.
    gc.collect()
    gc.freeze()
    gc.enable()
    if request := serve():
        become(request)


if __name__ == "__main__":
    main()
