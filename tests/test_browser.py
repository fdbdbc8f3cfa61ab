"""The page in a real browser, against a real web node, worker, Redis and provider."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from conversations.models import Conversation, Generation, Message
from tests.chat import Chat, OpenChat, plain, start_again
from tests.provider import Provider, expected_text
from tests.stack import Stack, Web

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"
SHORT = {"text": plain(20), "rate": 100}
LONG = {"text": plain(160), "rate": 40}
# Longer than any test looks at it: to be stopped.
ENDLESS = {"text": plain(4_000), "rate": 40}
# Markup, emoji, joiners and line separators: its text is compared by what Copy gives.
HARD = {"tokens": 160, "rate": 40}
CONVERSATION = re.compile(r"/c/[0-9a-f-]{36}/$")


def sign_in(page: Page, name: str) -> None:
    page.get_by_label("Username or email").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_new_user_signs_up_and_watches_an_answer_arrive(
    site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(None, site, "/accounts/signup/")
    page = chat.page
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="What can I help with, ada?")).to_be_visible()
    page.get_by_role("button", name="ada").click()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "ada")
    expect(page.get_by_role("heading", name="What can I help with, ada?")).to_be_visible()
    expect(page.get_by_text("Your conversations will be listed here.")).to_be_visible()

    provider.script(LONG)
    chat.send("Count, please")
    states = growing_states(chat)

    assert len(states) >= 3
    assert all(plain(160).startswith(state.rstrip()) for state in states)
    expect(chat.prose).to_have_text(plain(160))
    expect(page.get_by_role("img", name="An answer is arriving")).to_be_hidden()
    listed = page.get_by_role("navigation").get_by_role("link", name="Count, please")
    expect(listed).to_have_attribute("aria-current", "page")
    expect(page).to_have_url(CONVERSATION)
    expect(page).to_have_title("Count, please · Chatsite")
    chat.reload()
    expect(chat.prose).to_have_text(plain(160))
    expect(chat.questions).to_have_text(["Count, please"])
    expect(page.get_by_role("navigation").get_by_role("link", name="Count, please")).to_be_visible()


def growing_states(chat: Chat) -> list[str]:
    """Every text of the answer that was seen while it arrived."""
    expect(chat.stop_button).to_be_visible()
    states: list[str] = []
    while chat.stop_button.is_visible():
        text = chat.text()
        if text and text not in states[-1:]:
            states.append(text)
        chat.page.wait_for_timeout(20)
    return states


def test_a_reload_in_the_middle_loses_and_doubles_nothing(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script(HARD)
    chat.send("Count, please")
    for seen in ("w20 ", "w60 "):
        expect(chat.prose).to_contain_text(seen)
        chat.reload()
    chat.wait_until_answered()

    assert chat.copy_answer() == expected_text(HARD)
    streamed = chat.prose.inner_html()
    chat.reload()
    expect(chat.answer).to_have_count(1)
    assert chat.prose.inner_html() == streamed
    assert Generation.objects.get().attempt == 1


def test_a_second_tab_shows_the_same_and_can_stop_it(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    first = open_chat(owner, site)
    provider.script(ENDLESS, SHORT)
    first.send("Count, please")
    first.wait_for_words(20)
    path = first.page.url.removeprefix(site.url)
    tab = open_chat(owner, site, path, context=first.page.context)
    device = open_chat(owner, site, path)
    tab.wait_for_words(60)
    device.wait_for_words(60)

    device.stop_button.click()

    for chat in (first, tab, device):
        expect(chat.answer.get_by_text("Stopped")).to_be_visible()
    stored = Message.objects.get(role="assistant").text
    assert plain(4_000).startswith(stored.strip())
    assert device.copy_answer() == stored
    assert first.text() == tab.text() == device.text()

    tab.answer.get_by_role("button", name="Try again").click()

    for chat in (first, tab, device):
        expect(chat.prose).to_have_text(plain(20))
        expect(chat.answer.locator(".siblings-count")).to_have_text("2/2")
    first.answer.get_by_role("button", name="Previous version").click()
    expect(first.answer.locator(".siblings-count")).to_have_text("1/2")
    assert first.copy_answer() == stored


def test_a_killed_worker_starts_the_answer_again_before_the_readers_eyes(
    owner: User, own_stack: Stack, open_chat: OpenChat, provider: Provider
) -> None:
    web, worker = own_stack.web(), own_stack.worker()
    chat = open_chat(owner, web)
    provider.script({**HARD, "rate": 20}, {**HARD, "rate": 30})
    chat.send("Count, please")
    expect(chat.prose).to_contain_text("w30 ")

    worker.kill()
    own_stack.worker()

    expect(chat.page.get_by_text("The answer was started again")).to_be_visible()
    chat.wait_until_answered()
    assert chat.copy_answer() == expected_text(HARD)
    assert Generation.objects.get().attempt == 2


def test_a_killed_web_node_is_found_again_by_the_page_itself(
    owner: User, own_stack: Stack, open_chat: OpenChat, provider: Provider
) -> None:
    """The answer goes on without a node; a message that is written meanwhile is sent once."""
    web, _ = own_stack.web(), own_stack.worker()
    chat = open_chat(owner, web)
    provider.script(HARD)
    chat.send("Count, please")
    expect(chat.prose).to_contain_text("w30 ")

    web.kill()
    expect(chat.banner).to_contain_text("Reconnecting")
    start_again(own_stack, web)

    chat.wait_until_answered()
    expect(chat.banner).to_be_hidden()
    assert chat.copy_answer() == expected_text(HARD)
    assert Generation.objects.get().attempt == 1


def test_a_message_written_without_a_server_is_sent_once(
    owner: User, own_stack: Stack, open_chat: OpenChat
) -> None:
    web, _ = own_stack.web(), own_stack.worker()
    chat = open_chat(owner, web)
    expect(chat.banner).to_be_hidden()
    chat.send("first one")
    chat.wait_until_answered()
    web.kill()
    expect(chat.banner).to_contain_text("Reconnecting")

    chat.send("second one")

    expect(chat.page.get_by_text("Waiting for the connection")).to_be_visible()
    assert Message.objects.filter(role="user").count() == 1
    start_again(own_stack, web)
    expect(chat.answer).to_contain_text("You wrote: second one")
    chat.wait_until_answered()
    expect(chat.questions).to_have_text(["first one", "second one"])
    chat.reload()
    expect(chat.questions).to_have_text(["first one", "second one"])
    assert Message.objects.filter(role="user").count() == 2


def test_an_offline_browser_catches_up(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script(HARD)
    chat.send("Count, please")
    expect(chat.prose).to_contain_text("w30 ")

    chat.page.context.set_offline(True)
    expect(chat.banner).to_contain_text("You are offline")
    chat.page.context.set_offline(False)

    chat.wait_until_answered()
    expect(chat.banner).to_be_hidden()
    assert chat.copy_answer() == expected_text(HARD)


def test_two_conversations_stream_at_the_same_time(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    slow, quick = {"tokens": 400, "rate": 40}, {"tokens": 20, "rate": 40}
    chat.send(json.dumps(slow))
    expect(chat.prose).to_contain_text("w20 ")
    chat.page.get_by_role("link", name="New chat").first.click()
    expect(chat.page.get_by_role("heading", name="What can I help with")).to_be_visible()
    chat.send(json.dumps(quick))
    chat.wait_until_answered()
    assert chat.copy_answer() == expected_text(quick)
    assert Generation.objects.filter(status="in_progress").count() == 1

    chat.page.get_by_role("navigation").get_by_role("link", name=json.dumps(slow)).click()

    expect(chat.prose).to_contain_text("w40 ")
    chat.wait_until_answered()
    assert chat.copy_answer() == expected_text(slow)


def test_a_session_that_ends_elsewhere_keeps_the_draft(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    chat.send("first one")
    chat.wait_until_answered()
    chat.write("half a thought")
    other = open_chat(owner, site, context=chat.page.context)
    other.page.get_by_role("button", name="owner").click()
    other.page.get_by_role("button", name="Sign out").click()

    expect(chat.banner).to_contain_text("You have been signed out. Your draft is kept.")
    chat.banner.get_by_role("link", name="Sign in").click()
    sign_in(chat.page, "owner")

    expect(chat.page).to_have_url(CONVERSATION)
    expect(chat.questions).to_have_text(["first one"])
    expect(chat.composer).to_have_value("half a thought")


def test_a_conversation_that_goes_away_says_so_and_keeps_the_draft(
    owner: User, own_stack: Stack, open_chat: OpenChat
) -> None:
    web, _ = own_stack.web(), own_stack.worker()
    chat = open_chat(owner, web)
    chat.send("first one")
    chat.wait_until_answered()
    chat.write("half a thought")
    web.kill()
    Conversation.objects.get().delete()
    start_again(own_stack, web)

    expect(chat.page.get_by_role("alert")).to_have_text("This conversation is no longer there.")
    expect(chat.page).to_have_url(f"{web.url}/")
    expect(chat.composer).to_have_value("half a thought")


def test_a_failed_answer_says_why_and_is_tried_again(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script({**SHORT, "cut_after": 10}, SHORT)
    chat.send("Count, please")

    expect(chat.answer.locator(".status")).to_contain_text("The answer was cut off.")
    expect(chat.prose).to_have_text(plain(10))
    chat.answer.get_by_role("button", name="Try again").click()

    expect(chat.prose).to_have_text(plain(20))
    expect(chat.answer.locator(".siblings-count")).to_have_text("2/2")


def test_an_answer_without_a_word_says_so_and_is_tried_again(
    site: Web, open_chat: OpenChat, owner: User, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script({"tokens": 0, "reasoning": 3}, SHORT)
    chat.send("Say nothing")
    status = chat.answer.locator(".status")
    expect(status).to_contain_text("The model gave no answer.")
    chat.reload()
    expect(status).to_contain_text("The model gave no answer.")

    status.get_by_role("button", name="Try again").click()

    expect(chat.prose).to_have_text(plain(20))
    expect(status).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_never_scrolls_sideways(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider, scheme: str
) -> None:
    phone = {"width": 360, "height": 740}
    chat = open_chat(owner, site, viewport=phone, color_scheme=scheme)
    assert sideways(chat) == 0
    wide = (
        "| one | two |\n|---|---|\n| " + "a" * 90 + " | b |\n\n```python\n" + "c" * 200 + "\n```\n"
    )
    provider.script({"text": wide + "d" * 300, "rate": 0})
    chat.send("e" * 300)
    chat.wait_until_answered()
    expect(chat.answer.locator("table")).to_be_visible()
    assert sideways(chat) == 0
    chat.page.get_by_role("button", name="Sidebar").click()
    expect(chat.page.get_by_role("link", name="New chat").first).to_be_in_viewport()
    assert sideways(chat) == 0
    chat.page.context.clear_cookies()
    for path in ("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nowhere"):
        chat.visit(path)
        assert sideways(chat) == 0


def sideways(chat: Chat) -> int:
    wider: int = chat.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return wider


def test_everything_is_reached_with_the_keyboard(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    page = chat.page
    provider.script(LONG, SHORT)
    page.keyboard.press("/")
    expect(chat.composer).to_be_focused()
    page.keyboard.type("Count, please")
    page.keyboard.press("Enter")
    chat.wait_for_words(10)
    page.keyboard.press("Tab")
    expect(chat.stop_button).to_be_focused()
    assert_visible_focus(page)
    page.keyboard.press("Enter")
    expect(chat.answer.get_by_text("Stopped")).to_be_visible()
    expect(chat.composer).to_be_focused()

    again = chat.answer.get_by_role("button", name="Try again")
    for _ in range(8):
        page.keyboard.press("Shift+Tab")
        if again.evaluate("button => button === document.activeElement"):
            break
    expect(again).to_be_focused()
    assert_visible_focus(page)
    page.keyboard.press("Enter")
    expect(chat.prose).to_have_text(plain(20))


def assert_visible_focus(page: Page) -> None:
    outline = page.evaluate(
        "() => { const style = getComputedStyle(document.activeElement);"
        " return [style.outlineStyle, parseFloat(style.outlineWidth)]; }"
    )
    assert outline == ["solid", 2]
