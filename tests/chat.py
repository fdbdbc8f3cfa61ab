"""A tab of a real browser, in the words of its user."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.stack import Process, Stack, Web, quickly

PATIENCE_MS = 30_000


def start_again(stack: Stack, node: Web) -> None:
    """Another web node where a killed one was; the page finds it by itself."""
    env = {**stack.env, "PORT": str(node.port)}
    log = stack.folder / "web-again.log"
    stack.processes.append(Process("web", ["-m", "chatsite.web"], env, log, quickly))


@dataclass
class Chat:
    """`asks`: whether each of the page's requests is looked at, which are some sixty each time that
    it is opened. What is not allowed to a page of another host, its policy stops, and says so."""

    page: Page
    url: str
    asks: bool = False

    def __post_init__(self) -> None:
        self.troubles: list[str] = []
        self.page.set_default_timeout(PATIENCE_MS)
        self._hears: dict[Any, Callable[[Any], None]] = {
            "console": lambda message: self._said(message.text),
            "pageerror": lambda error: self.troubles.append(f"script error: {error}"),
            "dialog": lambda dialog: self.troubles.append(f"dialog: {dialog.message}"),
        }
        if self.asks:
            self._hears["request"] = lambda request: self._asked(request.url)
            self._hears["websocket"] = lambda socket: self._asked(socket.url)
        for event, hear in self._hears.items():
            self.page.on(event, hear)

    def leave(self) -> None:
        """Without a word more of what its page does."""
        for event, hear in self._hears.items():
            self.page.remove_listener(event, hear)

    def _asked(self, url: str) -> None:
        if url.startswith(("http", "ws")) and urlsplit(url).netloc != urlsplit(self.url).netloc:
            self.troubles.append(f"foreign request: {url}")

    def _said(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.troubles.append(text)

    # --- What the user does ----------------------------------------------------------------------
    def visit(self, path: str = "/") -> "Chat":
        self.page.goto(f"{self.url}{path}")
        return self

    def write(self, text: str) -> None:
        self.composer.fill(text)

    def send(self, text: str) -> None:
        """Write and press Enter. The composer is ready once no answer is on its way."""
        self.write(text)
        expect(self.send_button).to_be_enabled()
        self.composer.press("Enter")

    def reload(self) -> None:
        self.page.reload()

    def copy_answer(self) -> str:
        """The last answer as the Copy button gives it: the very text, before any markup."""
        self.page.evaluate("() => navigator.clipboard.writeText('')")
        button = self.answer.locator(".actions").get_by_role("button", name="Copy")
        button.click()
        expect(button).to_have_attribute("data-done", "")
        copied: str = self.page.evaluate("() => navigator.clipboard.readText()")
        return copied

    # --- What the user sees ----------------------------------------------------------------------
    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    @property
    def send_button(self) -> Locator:
        return self.page.locator("#composer").get_by_role("button", name="Send")

    @property
    def stop_button(self) -> Locator:
        return self.page.locator("#composer").get_by_role("button", name="Stop")

    @property
    def answer(self) -> Locator:
        return self.page.locator(".assistant").last

    @property
    def prose(self) -> Locator:
        return self.answer.locator(".prose")

    @property
    def questions(self) -> Locator:
        return self.page.locator(".user .bubble")

    @property
    def banner(self) -> Locator:
        return self.page.locator("#line-banner")

    def text(self) -> str:
        """Of the last answer, as far as it is here."""
        return "".join(self.prose.all_text_contents())

    def wait_for_words(self, number: int) -> None:
        """Until so many words of a `plain` answer are here."""
        expect(self.prose).to_contain_text(f"word{number} ")

    def wait_until_answered(self) -> None:
        expect(self.answer).not_to_have_attribute("data-live", "", timeout=60_000)
        expect(self.send_button).to_be_visible()


OpenChat = Callable[..., Chat]


def plain(words: int) -> str:
    """Text that looks the same before and after it has become HTML."""
    return " ".join(f"word{number}" for number in range(words))
