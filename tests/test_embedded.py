"""`make run`'s supervisor with its real processes, in data folders of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from redis import Redis, RedisError

ROOT = Path(__file__).resolve().parent.parent
# What the processes may know of this machine; the settings of the test run are not among it.
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")
PATIENCE_SECONDS = 90
MARKS = {
    "redis": "redis-server",
    "web": "chatsite.web",
    "worker": "--without-gossip",
    "beat": "celerybeat-schedule",
}

T = TypeVar("T")


def wait_for(what: str, look: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {PATIENCE_SECONDS} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**settings: str) -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | settings


class Instance:
    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data, port
        self.log = data.parent / f"{data.name}.log"
        self.settings = {"DATA_DIR": str(data), "PORT": str(port), "DEMO_PASSWORD": "open sesame"}

    def start(self) -> "Instance":
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.embedded"],
                cwd=ROOT, env=environment(**self.settings), stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        return self

    def refused(self, **settings: str) -> str:
        """The sentence with which a second start ends."""
        done = subprocess.run(
            [sys.executable, "-m", "deploy.embedded"],
            cwd=ROOT, env=environment(**self.settings | settings),
            capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stderr

    def children(self) -> dict[str, psutil.Process]:
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(self.process.pid).children():
            try:
                line = " ".join(child.cmdline())
            except psutil.Error:
                continue
            found |= {name: child for name, mark in MARKS.items() if mark in line}
        return found

    def all_children(self) -> dict[str, psutil.Process]:
        def look() -> dict[str, psutil.Process] | None:
            assert self.process.poll() is None, self.log.read_text()
            found = self.children()
            return found if found.keys() == MARKS.keys() else None

        return wait_for("one process of each kind", look)

    def page(self) -> str:
        def look() -> str | None:
            assert self.process.poll() is None, self.log.read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as answer:
                    return str(answer.read().decode())
            except OSError:
                return None

        return wait_for("the first page", look)

    def redis(self) -> "Redis":
        client = Redis(unix_socket_path=str(self.data / "redis.sock"))
        wait_for("Redis", lambda: reachable(client))
        return client

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def reachable(client: "Redis") -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    instance = Instance(tmp_path_factory.mktemp("embedded") / "data", free_port()).start()
    yield instance
    instance.end()


@pytest.fixture(scope="module")
def _other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    instance = Instance(tmp_path_factory.mktemp("other") / "data", free_port()).start()
    yield instance
    instance.end()


@pytest.fixture
def other(_other: Instance) -> Instance:
    """One that a test may end: the next one starts it again, in the same data folder."""
    return _other if _other.process.poll() is None else _other.start()


def test_the_first_page_comes_and_both_log_ins_are_printed(running: Instance) -> None:
    assert "Chatsite" in running.page()
    log = running.log.read_text()
    assert all(word in log for word in ("demo", "admin", "open sesame", str(running.port)))


@pytest.mark.parametrize("name", MARKS)
def test_what_is_killed_is_started_again(running: Instance, name: str) -> None:
    victim = running.all_children()[name]
    victim.kill()
    wait_for(f"the end of the old {name}", lambda: gone([victim]))
    assert running.all_children()[name].pid != victim.pid
    assert "Chatsite" in running.page()


def test_a_killed_redis_comes_back_with_what_it_was_told(running: Instance) -> None:
    running.redis().set("kept", "word")
    victim = running.all_children()["redis"]
    victim.kill()
    wait_for("the end of the old Redis", lambda: gone([victim]))
    assert running.redis().get("kept") == b"word"


def test_a_data_folder_serves_one_instance_only(running: Instance) -> None:
    running.all_children()
    sentence = running.refused(PORT=str(free_port()))
    assert f"in use by process {running.process.pid}" in sentence


def test_a_port_that_is_taken_is_named(running: Instance, tmp_path: Path) -> None:
    running.page()
    assert f"PORT: {running.port} is in use" in running.refused(DATA_DIR=str(tmp_path / "other"))


@pytest.mark.parametrize("port", ["x", "0", "80.5", "70000"])
def test_a_wrong_port_is_quoted(running: Instance, port: str) -> None:
    sentence = running.refused(PORT=port)
    assert sentence.startswith("PORT: expected")
    assert port in sentence


def test_a_second_instance_works_beside_the_first(running: Instance, other: Instance) -> None:
    assert "Chatsite" in other.page()
    assert "Chatsite" in running.page()
    running.redis().set("mine", 1)
    assert other.redis().get("mine") is None


def test_a_killed_supervisor_leaves_no_orphan(other: Instance) -> None:
    other.page()
    children = list(other.all_children().values())
    other.process.kill()
    other.process.wait()
    wait_for("the end of all processes", lambda: gone(children))
    assert "Chatsite" in other.start().page()


@pytest.fixture
def _hang_up_is_heard() -> Iterator[None]:
    """Under nohup it is ignored, here and in every child, and rightly so."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("_hang_up_is_heard")
@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_everything_in_order(other: Instance, sig: signal.Signals) -> None:
    other.page()
    children = list(other.all_children().values())
    wait_for("the worker", lambda: " ready." in other.log.read_text())
    other.process.send_signal(sig)
    assert other.process.wait(PATIENCE_SECONDS) == 0
    assert gone(children)
    log = other.log.read_text()
    assert log.index("worker_drained") < log.index("User requested shutdown")
    assert log.rstrip().endswith("Stopped")
