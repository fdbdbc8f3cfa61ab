"""`owner` has things, `stranger` has none of them. `web` and `worker` are shared by the tests that
break nothing; those that do start processes of their own with `stack`."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError
from django.db import connection
from django.test import Client, TransactionTestCase

from accounts.models import User
from conversations.models import Generation
from streaming.lease import request_cancel
from tests.client import Tab
from tests.environment import DATABASE, FOLDER, PROVIDER_PORT
from tests.provider import Provider
from tests.redis_server import RedisServer
from tests.stack import Process, Stack, Web

OpenTab = Callable[..., Tab]


@pytest.fixture(scope="session", autouse=True)
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer(FOLDER / "redis", str(FOLDER / "redis.sock"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session", autouse=True)
def shared_provider() -> Iterator[Provider]:
    with Provider(port=PROVIDER_PORT) as provider:
        yield provider


@pytest.fixture
def provider(shared_provider: Provider) -> Provider:
    """The fake provider with an empty memory."""
    shared_provider.reset()
    return shared_provider


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """The test database is a file that other processes can open too."""
    if DATABASE == "sqlite":
        settings.DATABASES["default"]["TEST"]["NAME"] = str(FOLDER / "test.sqlite3")


def database_url() -> str:
    """The database of the tests, for the processes that they start."""
    name = str(connection.settings_dict["NAME"])
    if DATABASE == "sqlite":
        return f"sqlite:///{name}"
    return settings.DATABASE_URL.replace("/postgres?", f"/{name}?", 1)


@pytest.fixture(scope="session")
def process_env(django_db_setup: None) -> dict[str, str]:
    return {"DATABASE_URL": database_url()}


@pytest.fixture(scope="session")
def _shared_stack(process_env: dict[str, str]) -> Iterator[Stack]:
    folder = FOLDER / "shared"
    folder.mkdir()
    stack = Stack(folder, process_env)
    yield stack
    stack.end()


@pytest.fixture(scope="session")
def _shared_web(_shared_stack: Stack) -> Web:
    return _shared_stack.web()


@pytest.fixture(scope="session")
def _shared_worker(_shared_stack: Stack) -> Process:
    return _shared_stack.worker()


@pytest.fixture
def web(_shared_web: Web, transactional_db: None) -> Web:
    return _shared_web


@pytest.fixture
def worker(_shared_worker: Process, transactional_db: None) -> Iterator[Process]:
    yield _shared_worker
    stop_what_runs()


def stop_what_runs() -> None:
    """What a test left running must not write into the next one's database."""
    active = Generation.objects.filter(status__in=Generation.ACTIVE)
    for generation in active.all():
        request_cancel(generation.pk)
    deadline = time.monotonic() + 10
    while active.all().exists():
        assert time.monotonic() < deadline, f"still active: {active.values()}"
        time.sleep(0.05)


@pytest.fixture(scope="session", autouse=True)
def _flush_again() -> Iterator[None]:
    """The flush after a test locks every table, and the shared processes read some of them: the
    database ends such a deadlock, in favour of either."""
    case: Any = TransactionTestCase
    flush = case._fixture_teardown

    def again(self: TransactionTestCase) -> None:
        for attempts_left in (2, 1, 0):
            try:
                flush(self)
                return
            except CommandError:
                if not attempts_left:
                    raise
                connection.rollback()

    case._fixture_teardown = again
    yield
    case._fixture_teardown = flush


@pytest.fixture
def stack(process_env: dict[str, str], tmp_path: Path, transactional_db: None) -> Iterator[Stack]:
    """Processes for one test, with Redis keys and queues of their own: what the shared worker takes
    is not theirs."""
    own = Stack(tmp_path, {**process_env, "REDIS_PREFIX": f"test-{tmp_path.name}"})
    yield own
    own.end()


@pytest.fixture
def owner(transactional_db: None) -> User:
    return User.objects.create_user("owner", "owner@example.com", "correct horse battery")


@pytest.fixture
def stranger(transactional_db: None) -> User:
    return User.objects.create_user("stranger", "stranger@example.com", "correct horse battery")


def session_cookie(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def open_tab() -> Iterator[OpenTab]:
    """`open_tab(user, web)`: a browser tab of that user; closed after the test."""
    with ExitStack() as tabs:

        def make(user: User, node: Web, **options: Any) -> Tab:
            return tabs.enter_context(Tab(node.url, session_cookie(user), **options))

        yield make
