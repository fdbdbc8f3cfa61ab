"""`owner` has things, `stranger` has none of them. `web` and `worker` are shared by the tests that
break nothing; those that do start processes of their own with `stack`."""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import OperationalError, connection, transaction
from django.test import Client, TransactionTestCase

from accounts.models import User
from conversations.models import Generation
from llm.catalogue import sync_environment
from streaming.lease import request_cancel
from tests.client import Tab
from tests.environment import DATABASE, FOLDER, PROVIDER_PORT
from tests.provider import Provider
from tests.redis_server import RedisServer
from tests.stack import Process, Stack, Web

OpenTab = Callable[..., Tab]
# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile(
    "suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")
PASSWORD = "correct horse battery"


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


class SharedWorker:
    """Runs while tests that share it do. It sweeps the whole database, so that it must not live
    beside a stack of a test's own, whose Redis keys are others."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._process: Process | None = None

    def process(self) -> Process:
        if self._process is None or not self._process.running:
            self._process = self._stack.worker()
        return self._process

    def end(self) -> None:
        if self._process is not None and self._process.running:
            self._process.kill()


@pytest.fixture(scope="session")
def _shared_worker(_shared_stack: Stack) -> SharedWorker:
    return SharedWorker(_shared_stack)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that share a worker first, so that it is started once."""
    items.sort(key=lambda item: "stack" in getattr(item, "fixturenames", ()))


@pytest.fixture
def web(_shared_web: Web, transactional_db: None) -> Web:
    return _shared_web


@pytest.fixture
def worker(_shared_worker: SharedWorker, transactional_db: None) -> Iterator[Process]:
    yield _shared_worker.process()
    stop_what_runs()


@pytest.fixture
def no_worker(_shared_worker: SharedWorker) -> None:
    """For tests that do themselves what the views ask a worker for: none is to come before them."""
    _shared_worker.end()


def stop_what_runs() -> None:
    """What a test left running must not write into the next one's database."""
    active = Generation.objects.filter(status__in=Generation.ACTIVE)
    for generation in active.all():
        request_cancel(generation.pk)
    deadline = time.monotonic() + 40
    while active.all().exists():
        assert time.monotonic() < deadline, f"still active: {active.values()}"
        time.sleep(0.05)


# What no test changes; making it again after each would take longer than most tests.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}


@functools.cache
def emptying() -> list[str]:
    tables = set(connection.introspection.django_table_names(only_existing=True)) - KEPT
    return [f'DELETE FROM "{table}"' for table in sorted(tables)]


def empty_database(_: TransactionTestCase) -> None:
    """In place of Django's `flush`, which locks every table while the shared processes read some of
    them, and then lets every app make its permissions again."""
    for attempts_left in (2, 1, 0):
        try:
            delete_all()
            break
        except OperationalError:
            # A shared process was writing: the database ends such a deadlock, in favour of either.
            if not attempts_left:
                raise
    sync_environment()


def delete_all() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Without foreign keys and triggers, and so in any order.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("; ".join(emptying()))
        else:
            # Which looks at its foreign keys when it commits.
            for statement in emptying():
                cursor.execute(statement)


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_database)
        yield


@pytest.fixture
def stack(
    process_env: dict[str, str],
    tmp_path: Path,
    transactional_db: None,
    _shared_worker: SharedWorker,
) -> Iterator[Stack]:
    """Processes for one test, with Redis keys and queues of their own: what the shared worker takes
    is not theirs."""
    _shared_worker.end()
    own = Stack(tmp_path, {**process_env, "REDIS_PREFIX": f"test-{tmp_path.name}"})
    yield own
    own.end()


@pytest.fixture(scope="session")
def hashed_password() -> str:
    """Made once: hashing is slow on purpose."""
    return make_password(PASSWORD)


@pytest.fixture
def owner(transactional_db: None, hashed_password: str) -> User:
    return User.objects.create(
        username="owner", email="owner@example.com", password=hashed_password
    )


@pytest.fixture
def stranger(transactional_db: None, hashed_password: str) -> User:
    return User.objects.create(
        username="stranger", email="stranger@example.com", password=hashed_password
    )


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
