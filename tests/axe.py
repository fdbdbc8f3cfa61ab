"""What axe-core, by the rules of WCAG 2.2 AA, finds wrong with a page; and pictures of it, for eyes
to look at too."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests import pictures
from tests.stack import ROOT

AXE = (Path(ROOT) / "node_modules" / "axe-core" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
RUN = """async options => {
  const {violations} = await axe.run(document, {...options, resultTypes: ["violations"]});
  return violations.flatMap(({id, nodes}) =>
    nodes.map(({target, failureSummary}) => `${id}: ${target} ${failureSummary}`));
}"""


def seen_in_both_themes(page: Page, name: str) -> list[str]:
    """What is wrong in the light, and which colours are in the dark, where only they differ."""
    rules = {"type": "tag", "values": RULES}
    found = [f"light: {one}" for one in seen(page, "light", name, rules)]
    rules = {"type": "rule", "values": COLOURS}
    return found + [f"dark: {one}" for one in seen(page, "dark", name, rules)]


def seen(page: Page, scheme: Any, name: str, rules: dict[str, Any]) -> list[str]:
    # Without transitions, so that no colour is measured half-way.
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    pictures.take(page, f"{name} {scheme}")
    if not page.evaluate("'axe' in window"):
        # The page's policy lets no foreign script in; a debugger may.
        page.evaluate(AXE)
    # An open menu lies over a part of what is behind it, which axe takes for too small then.
    sized = not page.locator("[role=menu]:visible").count()
    options = {"runOnly": rules, "rules": {"target-size": {"enabled": sized}}}
    found: list[str] = page.evaluate(RUN, options)
    return found
