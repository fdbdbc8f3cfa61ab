"""A real browser: Chromium, against the hashed build of the static files as production serves it.

`site` is a web node, with a worker behind it, that tests share; `open_chat(user, url)` is a tab.
What a page must never do is checked of every tab when its test ends: no script error, and nothing
that the Content-Security-Policy had to stop, as a request to another host.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from accounts.models import User
from tests.chat import PATIENCE_MS, Chat, OpenChat
from tests.conftest import session_cookie
from tests.devices import Devices
from tests.environment import SHARED
from tests.stack import ROOT, Process, Stack, Web

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_GET_IT = "no Chromium on this machine; get it with: apt-get install chromium"
# Chromium takes the last of several lists: this is Playwright's, with what it draws in windows
# that nobody sees. The popup of an address bar is two pages of its own for each window, which cost
# more than many a page of ours.
WITHOUT = [
    "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades",
    "LensOverlay", "MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints",
    "PaintHolding", "PreconnectToSearch", "SpareRendererForSitePerProcess",
    "ThirdPartyStoragePartitioning",
    "WebUIOmniboxAimPopup", "WebUIOmniboxPopup",
]  # fmt: skip
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    f"--disable-features={','.join(WITHOUT)}",
]
EXECUTABLE = next((found for name in BROWSERS if (found := shutil.which(name))), None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Not in a fixture: pytest would then give each test a line of its own."""
    if EXECUTABLE or not item.get_closest_marker("browser"):
        return
    if os.environ.get("CI") == "true":
        pytest.fail(HOW_TO_GET_IT, pytrace=False)
    pytest.skip(HOW_TO_GET_IT)


class Chromium:
    """Started by the first test that opens a page, and ended by `pytest_runtest_teardown` after the
    last of those in a row: Playwright keeps an event loop running in this thread, which tests
    with a loop of their own cannot have."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._browser: Browser | None = None
        self.devices = Devices()

    def browser(self) -> Browser:
        if self._browser is None:
            expect.set_options(timeout=PATIENCE_MS)
            # Django takes the queries of the tests for some of a coroutine then.
            patch = self._running.enter_context(pytest.MonkeyPatch.context())
            patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
            playwright = self._running.enter_context(sync_playwright())
            self._browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
            self._running.callback(self._browser.close)
        return self._browser

    def end(self) -> None:
        self._browser = None
        self.devices = Devices()
        self._running.close()


CHROMIUM = Chromium()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    if nextitem is None or not nextitem.get_closest_marker("browser"):
        CHROMIUM.end()


@pytest.fixture
def browser() -> Browser:
    return CHROMIUM.browser()


@pytest.fixture(scope="session")
def static_root() -> Path:
    """One build for all processes of a run, made by the first of them that needs it."""
    root = SHARED / "static"
    with (SHARED / "static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            subprocess.run(
                [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
                cwd=ROOT,
                env={**os.environ, "STATIC_ROOT": str(root)},
                check=True,
            )
    return root


@pytest.fixture(scope="session")
def page_env(static_root: Path) -> dict[str, str]:
    """For processes whose pages a browser opens. The exception that `browser` makes for the tests'
    own queries is not for them."""
    return {"STATIC_ROOT": str(static_root), "DJANGO_ALLOW_ASYNC_UNSAFE": ""}


@pytest.fixture(scope="session")
def _shared_site(_shared_stack: Stack, page_env: dict[str, str]) -> Web:
    return _shared_stack.web(**page_env)


@pytest.fixture
def site(_shared_site: Web, worker: Process) -> Web:
    return _shared_site


@pytest.fixture
def own_stack(stack: Stack, page_env: dict[str, str]) -> Stack:
    """Processes for one test, that it may kill."""
    stack.env = {**stack.env, **page_env}
    return stack


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A device: what its tabs share is its own."""
    contexts: list[BrowserContext] = []

    def make(user: User | None = None, web: Web | None = None, **options: object) -> BrowserContext:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        if user is not None and web is not None:
            sign_in(context, user, web)
        return context

    yield make
    for context in contexts:
        context.close()


def sign_in(context: BrowserContext, user: User, web: Web) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=web.url)
    name, value = settings.SESSION_COOKIE_NAME, session_cookie(user)
    context.add_cookies([{"name": name, "value": value, "url": web.url}])


@pytest.fixture
def asks() -> bool:
    """Whether each request of a tab is looked at; see Chat. A file of tests may say that it is."""
    return False


@pytest.fixture
def open_chat(
    open_context: Callable[..., BrowserContext], _shared_site: Web, asks: bool
) -> Iterator[OpenChat]:
    """`open_chat(user, web)`: a tab on a device of its own, or in `context` of an earlier one."""
    devices = CHROMIUM.devices
    chats: list[Chat] = []
    borrowed: list[Page] = []

    def tab(user: User | None, web: Web, context: BrowserContext | None, options: Any) -> Page:
        if context is not None:
            return context.new_page()
        if options or web is not _shared_site:
            return open_context(user, web, **options).new_page()
        page = devices.borrow(CHROMIUM.browser())
        borrowed.append(page)
        if user is not None:
            sign_in(page.context, user, web)
        return page

    def make(
        user: User | None,
        web: Web,
        path: str = "/",
        context: BrowserContext | None = None,
        **options: object,
    ) -> Chat:
        chat = Chat(tab(user, web, context, options), web.url, asks)
        chats.append(chat)
        return chat.visit(path)

    yield make
    for chat in chats:
        chat.leave()
    for page in borrowed:
        devices.give_back(page, _shared_site.url)
    assert [trouble for chat in chats for trouble in chat.troubles] == []
