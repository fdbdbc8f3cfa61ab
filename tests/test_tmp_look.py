import pytest
from tests.browser import *
from tests.pages import STATES, visit
from tests.walk import Walk
from tests.test_browser_everyone import PHONE
from accounts.models import User
pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser
WIDE = """() => [...document.querySelectorAll('dialog[open] *')].filter(e => e.checkVisibility() && (e.getBoundingClientRect().right > 352 || e.getBoundingClientRect().left < -1)).map(e => e.tagName + '.' + e.className + '#' + e.id + ' ' + Math.round(e.getBoundingClientRect().left) + '..' + Math.round(e.getBoundingClientRect().right)).slice(0, 12)"""
def test_look(owner, site, open_context):
    owner.text_size = User.TextSize.LARGEST
    owner.language = "de"
    owner.save(update_fields=["text_size", "language"])
    walk = Walk(owner, site, open_context, reduced_motion="reduce", **PHONE)
    def look(page, state):
        page.screenshot(path=f"/tmp/look-{state.name}.png")
        return page.evaluate(WIDE)
    print(walk([s for s in STATES if s.name in ("share", "library")], look))
    assert 0
