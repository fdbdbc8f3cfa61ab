"""Without a mouse: the way of the focus, dialogs that give it back, and what is read out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.chat import OpenChat, plain
from tests.pages import STATES, State, nothing
from tests.provider import Provider
from tests.stack import Web
from tests.walk import OpenContext, Walk

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser
MOST_STOPS = 80
# What has the focus: its name for a reader of the test, its place, and whether one sees it there.
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const shown = one.matches("input[type=radio]") ? one.closest("label") ?? one : one;
  const { outlineStyle } = getComputedStyle(shown);
  const inComposer = one.matches("#composer-text");
  const { width, height } = shown.getBoundingClientRect();
  window.stops ??= new Map();
  if (!window.stops.has(one)) window.stops.set(one, window.stops.size);
  return {
    id: window.stops.get(one),
    name: one.outerHTML.slice(0, 100),
    seen: width > 0 && height > 0 && (inComposer || outlineStyle !== "none"),
  };
}"""
# What can be reached, but for the members of a group of radio buttons: arrow keys go among those.
REACHABLE = """() => [
  ...document.querySelectorAll("a[href], button, input, select, textarea, summary"),
]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled)
  .filter((one) => !one.closest("[inert]") && one.tabIndex >= 0)
  .filter((one) => !one.matches("input[type=radio]"))
  .map((one) => one.outerHTML.slice(0, 100))"""


def begin_at_the_top(page: Page) -> None:
    page.evaluate("() => { document.body.tabIndex = -1; document.body.focus(); }")
    page.evaluate("() => document.body.removeAttribute('tabindex')")


def go_round(page: Page) -> list[dict[str, object]]:
    """Every stop of the Tab key, once round."""
    stops: list[dict[str, object]] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None or any(stop["id"] == earlier["id"] for earlier in stops):
            return stops
        stops.append(stop)
    raise AssertionError(f"the Tab key does not come round: {stops}")


def unreached_and_unseen(page: Page, state: State) -> list[object]:
    if page.locator("#composer-text").count():
        expect(page.locator("#composer-text")).to_be_focused()
    begin_at_the_top(page)
    stops = go_round(page)
    names = {stop["name"] for stop in stops}
    unseen = [stop["name"] for stop in stops if not stop["seen"]]
    return [*unseen, *(one for one in page.evaluate(REACHABLE) if one not in names)]


def test_the_tab_key_reaches_everything_and_one_sees_where_it_is(
    owner: User, site: Web, open_context: OpenContext
) -> None:
    walk = Walk(owner, site, open_context)
    as_they_open = [state for state in STATES if state.steps is nothing]
    assert walk(as_they_open, unreached_and_unseen) == {}


def test_the_first_stop_leads_past_the_sidebar(owner: User, site: Web, open_chat: OpenChat) -> None:
    page = open_chat(owner, site).page
    expect(page.locator("#composer-text")).to_be_focused()
    begin_at_the_top(page)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the message")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#composer-text")).to_be_focused()


def test_a_dialog_keeps_the_focus_and_gives_it_back(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    page = open_chat(owner, site).page
    account = page.get_by_role("button", name="owner")
    account.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Settings").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Settings")
    expect(dialog).to_be_visible()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "() => !document.hasFocus() || document.activeElement === document.body"
            " || document.activeElement.closest('dialog') !== null"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(account).to_be_focused()


def test_escape_in_a_dialog_stops_no_answer(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script({"text": plain(100), "rate": 40})
    chat.send("Count")
    chat.wait_for_words(2)
    chat.page.get_by_role("button", name="owner").click()
    chat.page.get_by_role("button", name="Settings").click()
    expect(chat.page.get_by_role("dialog")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(chat.page.get_by_role("dialog")).to_have_count(0)
    expect(chat.prose).to_have_text(plain(100))


def test_a_click_into_a_dialogs_margin_does_not_close_it_one_beside_it_does(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    page = open_chat(owner, site).page
    page.get_by_role("button", name="owner").click()
    page.get_by_role("button", name="Settings").click()
    dialog = page.get_by_role("dialog")
    dialog.click(position={"x": 4, "y": 4})
    expect(dialog).to_be_visible()
    page.mouse.click(2, 2)
    expect(dialog).to_have_count(0)


def test_hiding_the_sidebar_loses_no_focus(owner: User, site: Web, open_chat: OpenChat) -> None:
    page = open_chat(owner, site).page
    page.get_by_role("button", name="Hide sidebar").focus()
    page.keyboard.press("Enter")
    opener = page.get_by_role("button", name="Sidebar", exact=True)
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Hide sidebar")).to_be_visible()


# --- What is read out ----------------------------------------------------------------------------
def test_an_answer_is_read_out_in_sentences_and_its_end_is_told(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    heard = record(chat.page)
    sentence = "This is one sentence of the answer. "
    provider.script({"text": sentence * 30, "rate": 30})
    chat.send("Tell me")
    chat.wait_until_answered()
    parts = heard()
    assert 1 < len(parts) < 15
    assert all(part.strip().endswith(".") for part in parts)
    assert " ".join("".join(parts).split()) == (sentence * 30).strip()


def test_a_stop_and_a_failure_are_told(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    page = chat.page
    record(page)
    provider.script({"text": plain(400), "rate": 20})
    chat.send("Count")
    chat.wait_for_words(2)
    chat.stop_button.click()
    page.wait_for_function("() => window.heard.at(-1) === 'Stopped'")
    provider.script({"error": 401})
    chat.send("Again")
    page.wait_for_function("() => window.heard.at(-1).startsWith('The model refused our access')")


def record(page: Page) -> Callable[[], list[str]]:
    """All that the live region says from now on."""
    page.evaluate(
        """() => {
          window.heard = [];
          new MutationObserver((changes) => {
            const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
            window.heard.push(...added.map((node) => node.textContent));
          }).observe(document.querySelector("#announcer"), { childList: true });
        }"""
    )
    return lambda: list(page.evaluate("() => window.heard"))


# --- The drawer of a phone -----------------------------------------------------------------------
SWIPE = """([from, to, y]) => {
  const target = document.elementFromPoint(Math.max(1, from), y);
  const touch = (x) => new Touch({ identifier: 1, target, clientX: x, clientY: y });
  const send = (kind, x, touches) => target.dispatchEvent(new TouchEvent(kind, {
    touches, changedTouches: [touch(x)], bubbles: true, cancelable: true,
  }));
  send("touchstart", from, [touch(from)]);
  send("touchend", to, []);
}"""


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_a_finger_pulls_the_drawer_out_and_pushes_it_back(
    owner: User, site: Web, open_chat: OpenChat, direction: str
) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    page = open_chat(owner, site, **phone).page
    expect(page.locator("#composer-text")).to_be_visible()
    page.evaluate("direction => { document.documentElement.dir = direction; }", direction)
    edge, middle = (2, 200) if direction == "ltr" else (358, 160)
    page.evaluate(SWIPE, [middle, edge, 300])
    page.evaluate(SWIPE, [middle, (edge + middle * 3) / 4, 300])
    expect(page.locator("#sidebar")).to_be_hidden()
    page.evaluate(SWIPE, [edge, middle, 300])
    expect(page.locator("#sidebar")).to_be_visible()
    expect(page.get_by_role("link", name="New chat").first).to_be_in_viewport()
    page.evaluate(SWIPE, [middle, edge, 300])
    expect(page.locator("#sidebar")).to_be_hidden()
    expect(page.locator(".sidebar-opener")).to_be_focused()
