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
# What a tab before this one kept in the browser: drafts, say. A reload keeps it.
FORGET = """if (location.protocol !== "about:" && !sessionStorage.getItem("opened")) {
  localStorage.clear();
  sessionStorage.setItem("opened", "yes");
}"""


class Walk:
    """`walk(states, look)`: what `look` finds wrong in each of them, by name; {} is well."""

    def __init__(self, owner: User, site: Web, open_context: OpenContext, **device: object) -> None:
        self._owner = owner
        self._url = site.url
        self._signed_in = open_context(owner, site, **device)
        self._signed_out = open_context(**device)
        for context in (self._signed_in, self._signed_out):
            context.add_init_script(FORGET)

    def __call__(self, states: Sequence[State], look: Look) -> dict[str, list[Any]]:
        found = {state.name: self._look_at(state, look) for state in states}
        return {name: wrong for name, wrong in found.items() if wrong}

    def _look_at(self, state: State, look: Look) -> list[Any]:
        for kind in (Conversation, Folder, Import, Prompt, Preset):
            kind._default_manager.filter(owner=self._owner).delete()
        page = (self._signed_in if state.signed_in else self._signed_out).new_page()
        try:
            visit(page, self._url, state, self._owner)
            return look(page, state)
        except (AssertionError, BrowserError) as trouble:
            # The other states are to be seen too.
            return [str(trouble)]
        finally:
            page.close()
