"""axe-core finds nothing to say about any page, in both themes; on phones see
test_browser_everyone.py."""

import pytest
from playwright.sync_api import Page

from accounts.models import User
from tests.axe import seen_in_both_themes
from tests.pages import STATES, State
from tests.stack import Web
from tests.walk import OpenContext, Walk

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser


@pytest.mark.parametrize("half", [0, 1])
def test_axe_finds_nothing(owner: User, site: Web, open_context: OpenContext, half: int) -> None:
    def look(page: Page, state: State) -> list[str]:
        return seen_in_both_themes(page, f"{state.name} wide")

    walk = Walk(owner, site, open_context, viewport={"width": 1280, "height": 800})
    assert walk(STATES[half::2], look) == {}
