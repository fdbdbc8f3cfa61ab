"""axe-core finds nothing to say about any page, in both themes, by the rules of WCAG 2.2 AA.

Pictures of all that was looked at are left in test-results/, for eyes to look at too.
"""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from accounts.models import User
from tests.pages import STATES, State
from tests.stack import ROOT, Web
from tests.walk import OpenContext, Walk

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser
PICTURES = Path(ROOT) / "test-results"
AXE = Path(ROOT) / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = {"wide": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}


@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing(owner: User, site: Web, open_context: OpenContext, size: str) -> None:
    def look(page: Page, state: State) -> list[str]:
        found: list[str] = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.screenshot(path=PICTURES / f"{state.name} {size} {scheme}.png")
            found += [f"{scheme}: {one}" for one in violations(page)]
        return found

    # Without transitions, so that no colour is measured half-way.
    walk = Walk(owner, site, open_context, reduced_motion="reduce", viewport=SIZES[size])
    assert walk(STATES, look) == {}


def violations(page: Page) -> list[str]:
    """What is wrong, and where. The page's policy lets no foreign script in; a debugger may."""
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
    )
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
