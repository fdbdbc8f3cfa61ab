"""One way through many pages on one device, which is quicker than a device for each."""

from collections.abc import Callable, Sequence
from typing import Any

from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as BrowserError

from accounts.models import User
from conversations.models import Conversation, Folder, Import, Preset, Prompt
from tests.pages import State, visit
from tests.stack import Web

OpenContext = Callable[..., BrowserContext]
Look = Callable[[Page, State], list[Any]]
# What the state before this one kept in the browser: drafts, say. A reload keeps it. A name stays
# with its tab, from one page to the next, until `Walk` takes it away.
FORGET = """if (location.protocol !== "about:" && window.name !== "opened") {
  localStorage.clear();
  sessionStorage.clear();
  window.name = "opened";
}"""


class Walk:
    """`walk(states, look)`: what `look` finds wrong in each of them, by name; {} is well."""

    def __init__(self, owner: User, site: Web, open_context: OpenContext, **device: object) -> None:
        self._owner = owner
        self._url = site.url
        signed_in, signed_out = open_context(owner, site, **device), open_context(**device)
        self._contexts = {True: signed_in, False: signed_out}
        for context in (signed_in, signed_out):
            context.add_init_script(FORGET)
        # One tab of each, because a new one reads every script of the page again.
        self._pages: dict[bool, Page] = {}

    def __call__(self, states: Sequence[State], look: Look) -> dict[str, list[Any]]:
        found = {state.name: self._look_at(state, look) for state in states}
        return {name: wrong for name, wrong in found.items() if wrong}

    def _look_at(self, state: State, look: Look) -> list[Any]:
        self._forget()
        try:
            page = self._tab(state)
            visit(page, self._url, state, self._owner)
            return look(page, state)
        except (AssertionError, BrowserError) as trouble:
            # The other states are to be seen too, from a tab without this one's trouble.
            self._pages.pop(state.signed_in).close()
            return [str(trouble)]
        finally:
            # An answer that was prepared as one that runs, nobody would end.
            self._forget()

    def _forget(self) -> None:
        for kind in (Conversation, Folder, Import, Prompt, Preset):
            kind._default_manager.filter(owner=self._owner).delete()

    def _tab(self, state: State) -> Page:
        page = self._pages.get(state.signed_in)
        if page is None:
            page = self._pages[state.signed_in] = self._contexts[state.signed_in].new_page()
        page.evaluate("window.name = ''")
        page.mouse.move(0, 0)
        return page
