"""For everyone: preferences, languages, the keyboard, small phones, both directions of writing."""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from conversations.models import Generation, GenerationTrace
from llm.models import ChatModel
from llm.trace import Spans
from tests.axe import seen_in_both_themes
from tests.chat import OpenChat, plain
from tests.pages import STATES, State, conversation_with_everything
from tests.provider import Provider
from tests.rows import answered
from tests.stack import Web
from tests.walk import OpenContext, Walk

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def open_settings(page: Page, account: str = "owner") -> None:
    page.get_by_role("button", name=account).click()
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_role("dialog", name="Settings")).to_be_visible()


def background(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return colour


def text_size(page: Page) -> float:
    return float(page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)"))


# --- Preferences ---------------------------------------------------------------------------------
def test_a_theme_shows_at_once_stays_and_reaches_the_other_tab(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site, color_scheme="light")
    other = open_chat(owner, site, context=chat.page.context)
    expect(other.composer).to_be_visible()
    page, light = chat.page, background(chat.page)
    open_settings(page)
    with page.expect_response("**/me/preferences"):
        page.get_by_role("radio", name="Dark").last.check()
    dark = background(page)
    assert dark != light
    expect(other.page.locator("html")).to_have_attribute("data-theme", "dark")
    assert background(other.page) == dark
    page.keyboard.press("Escape")
    chat.reload()
    assert background(page) == dark
    page.context.clear_cookies()
    chat.visit("/accounts/login/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_text_grows_with_all_that_is_measured_in_it(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    page = open_chat(owner, site).page
    before = text_size(page)
    open_settings(page)
    with page.expect_response("**/me/preferences"):
        page.get_by_role("radio", name="Largest").check()
    assert text_size(page) > before * 1.25
    with page.expect_response("**/me/preferences"):
        page.get_by_role("radio", name="Small").check()
    assert text_size(page) < before


def test_what_cannot_be_stored_is_taken_back_with_a_word(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    page = open_chat(owner, site, color_scheme="light").page
    light = background(page)
    page.route("**/me/preferences", lambda route: route.abort())
    open_settings(page)
    # Not `check`, which wants to see it checked: it may be taken back by then.
    page.get_by_role("radio", name="Dark").last.click()
    expect(page.get_by_text("The server cannot be reached. Try again.")).to_be_visible()
    assert background(page) == light
    expect(page.get_by_role("radio", name="Like the system").last).to_be_checked()


def test_another_language_keeps_the_draft_and_says_what_a_worker_stored_in_english(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    page = chat.page
    provider.script({"error": 401})
    chat.send("Hello")
    failed = "The model refused our access. Please tell your administrator."
    expect(chat.answer.locator(".status-text")).to_have_text(failed)
    chat.write("Half a thought")
    open_settings(page)
    page.get_by_role("combobox", name="Language").select_option(label="Français")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("#composer-text")).to_have_value("Half a thought")
    refused = "Le modèle a refusé notre accès. Veuillez le signaler à votre administrateur."
    expect(chat.answer.locator(".status-text")).to_have_text(refused)
    expect(page.get_by_role("heading", name="Aujourd’hui")).to_be_visible()
    page.get_by_role("button", name="owner").click()
    page.get_by_role("button", name="Réglages").click()
    page.get_by_role("combobox", name="Langue").select_option(label="Deutsch")
    expect(page.get_by_role("heading", name="Heute")).to_be_visible()


# Nothing of a cell is cut off, above or below.
WHOLE = """cell => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  const [text, box] = [range.getBoundingClientRect(), cell.getBoundingClientRect()];
  return text.top >= box.top && text.bottom <= box.bottom && text.right <= box.right;
}"""

LINES = """cell => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  return new Set([...range.getClientRects()].map(rect => rect.top)).size;
}"""


# --- Small phones, and both directions of writing ------------------------------------------------
def sideways(page: Page) -> int:
    """By how many pixels the page, or what scrolls in it, is wider than its place."""
    return int(
        page.evaluate(
            """() => Math.max(0, ...["html", "#scroller", ".sidebar-list", "dialog"]
              .map((name) => document.querySelector(name))
              .filter(Boolean)
              .map((element) => element.scrollWidth - element.clientWidth))"""
        )
    )


def too_wide(page: Page, state: State) -> list[str]:
    assert page.evaluate("innerWidth") == 360
    found: list[str] = []
    for direction in ("ltr", "rtl"):
        page.evaluate("direction => { document.documentElement.dir = direction; }", direction)
        found += [f"{direction}: {sideways(page)} px"] * (sideways(page) > 0)
    return found


@pytest.mark.parametrize("half", [0, 1])
def test_a_small_phone_never_scrolls_sideways_and_a_finger_finds_every_control(
    owner: User, site: Web, open_context: OpenContext, half: int
) -> None:
    """In the longest words and the largest text first, and then in the text that most people have,
    without another walk through all pages."""
    owner.text_size = User.TextSize.LARGEST
    owner.language = "de"
    owner.save(update_fields=["text_size", "language"])

    def look(page: Page, state: State) -> list[str]:
        largest = [f"largest text: {one}" for one in too_wide(page, state)]
        page.evaluate("delete document.documentElement.dataset.textSize")
        assert not state.signed_in or text_size(page) == 16
        found = seen_in_both_themes(page, f"{state.name} phone") + small_controls(page)
        return largest + found + too_wide(page, state)

    walk = Walk(owner, site, open_context, reduced_motion="reduce", **PHONE)
    assert walk(STATES[half::2], look) == {}


SMALL_CONTROLS = """() => {
  const controls = "a, button, select, input, textarea, summary, label:has(input)";
  const elsewhere = ".prose, p, .helptext, [inert], .visually-hidden, .skip-link";
  return [...document.querySelectorAll(controls)]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }))
    .filter((one) => !one.closest(elsewhere))
    .filter((one) => !(one.matches("input") && one.closest("label, .field-choice")))
    .map((one) => [one, one.getBoundingClientRect()])
    .filter(([one, { width, height, right }]) =>
      height < 43.5 || width < 35.5 || (right > innerWidth && !one.closest(".tray")))
    .map(([one, { width, height, right }]) =>
      `${one.outerHTML.slice(0, 120)} ${width}x${height}, to ${right}`);
}"""


def small_controls(page: Page) -> list[str]:
    """Controls that are less than 44 px high or 36 px wide, or that a finger finds only after the
    page or a part of it was pushed aside; links within a text are free to be as small as it."""
    found: list[str] = page.evaluate(SMALL_CONTROLS)
    return found


def test_in_a_script_from_right_to_left_the_page_is_mirrored(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    page = open_chat(owner, site).page
    expect(page.locator("#sidebar")).to_be_visible()
    before = page.locator("#sidebar").bounding_box()
    page.evaluate("document.documentElement.dir = 'rtl'")
    after = page.locator("#sidebar").bounding_box()
    assert before is not None
    assert after is not None
    assert before["x"] == 0
    assert after["x"] + after["width"] == page.evaluate("innerWidth")


# --- On a home screen ----------------------------------------------------------------------------
KEPT = """async () => {
  const names = await caches.keys();
  const lists = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  return lists.flat().map((request) => new URL(request.url).pathname);
}"""


def test_without_a_network_a_page_of_ours_stands_in_and_nothing_else_is_kept(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    conversation = conversation_with_everything(owner)
    chat = open_chat(owner, site, f"/c/{conversation.pk}/")
    page = chat.page
    page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    kept = page.evaluate(KEPT)
    assert "/offline/" in kept
    assert [path for path in kept if path != "/offline/" and not path.startswith("/static/")] == []

    page.context.set_offline(True)
    chat.reload()
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius") == "16px"
    page.context.set_offline(False)
    expect(chat.prose.last).to_contain_text("A paragraph with weight")


def test_an_answer_arrives_live_under_the_service_worker(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    chat.page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    chat.reload()
    provider.script({"text": plain(40), "rate": 200})
    chat.send("Count")
    expect(chat.prose).to_have_text(plain(40))
    chat.reload()
    expect(chat.prose).to_have_text(plain(40))


def test_a_long_name_in_a_list_of_the_admin_is_whole_on_a_phone(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    long = "somebody/has-fine-tuned-a-model-and-" + "has_named_it_" * 8
    ChatModel.objects.filter(slug="fake").update(label=long)
    chat = open_chat(owner, site, **PHONE)
    chat.visit("/admin/llm/chatmodel/")
    cell = chat.page.locator(".field-label", has_text=long)
    expect(cell).to_be_visible()
    assert cell.evaluate(WHOLE)


def test_the_admin_in_the_dark_has_dark_controls(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    chat = open_chat(owner, site, color_scheme="dark")
    row = ChatModel.objects.get(slug="fake").provider
    chat.visit(f"/admin/llm/provider/{row.pk}/fetch-models/")
    box = chat.page.locator("input[name=model]").first
    expect(box).to_have_css("color-scheme", "dark")


def test_the_list_of_answers_fits_a_wide_window(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    made = answered(owner).generation
    timings = {"queued_ms": 20, "first_token_ms": 12_340, "total_ms": 12_500}
    usage = {"input_tokens": 120_000, "output_tokens": 3000, "estimated": True}
    Generation.objects.filter(pk=made.pk).update(
        model_slug="claude-sonnet-4-5-20250929",
        status="failed",
        error_code="provider_invalid_response",
        timings=timings,
        usage=usage,
    )
    chat = open_chat(owner, site, viewport={"width": 1440, "height": 900})
    chat.visit("/admin/conversations/generation/")
    table = chat.page.locator("#result_list")
    expect(table).to_contain_text("provider_invalid_response")
    assert table.evaluate("table => table.scrollWidth <= table.parentElement.clientWidth")
    lines = chat.page.locator(".field-took").evaluate(LINES)
    assert lines == 1


def test_the_timeline_of_an_answer_scrolls_by_itself_on_a_phone(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    made = answered(owner).generation
    spans = Spans()
    spans.begin("tool", "a_server_with_a_long_name__and_its_tool", None)
    GenerationTrace.objects.create(generation=made, spans=spans.rows())
    chat = open_chat(owner, site, **PHONE)
    chat.visit(f"/admin/conversations/generation/{made.pk}/change/")
    table = chat.page.get_by_role("table").filter(has_text="a_server_with")
    # What cannot be seen has no width, and would prove nothing.
    expect(table).to_be_visible()
    assert table.evaluate("table => table.scrollWidth > table.parentElement.clientWidth")
    # A phone's window would widen with the page.
    assert chat.page.evaluate("document.documentElement.scrollWidth <= screen.width")
