"""A real browser: Chromium, against the hashed build of the static files as production serves it.

`site` is a web node, with a worker behind it, that tests share; `open_chat(user, url)` is a tab.
What a page must never do is checked of every tab when its test ends: no script error, no request to
another host, nothing that the Content-Security-Policy had to stop.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from accounts.models import User
from tests.chat import PATIENCE_MS, Chat, OpenChat
from tests.conftest import session_cookie
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop running in this thread, and Django then takes the queries
        # of the tests for some of a coroutine.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        launched = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield launched
        launched.close()


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
def site(browser: Browser, _shared_site: Web, worker: Process) -> Web:
    return _shared_site


@pytest.fixture
def own_stack(browser: Browser, stack: Stack, page_env: dict[str, str]) -> Stack:
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
            context.grant_permissions(["clipboard-read", "clipboard-write"], origin=web.url)
            name, value = settings.SESSION_COOKIE_NAME, session_cookie(user)
            context.add_cookies([{"name": name, "value": value, "url": web.url}])
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def open_chat(open_context: Callable[..., BrowserContext]) -> Iterator[OpenChat]:
    """`open_chat(user, web)`: a tab on a device of its own, or in `context` of an earlier one."""
    chats: list[Chat] = []

    def make(
        user: User | None,
        web: Web,
        path: str = "/",
        context: BrowserContext | None = None,
        **options: object,
    ) -> Chat:
        context = context or open_context(user, web, **options)
        chat = Chat(context.new_page(), web.url)
        chats.append(chat)
        return chat.visit(path)

    yield make
    assert [trouble for chat in chats for trouble in chat.troubles] == []
