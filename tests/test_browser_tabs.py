"""What happens in one tab is seen in the others, on this device and elsewhere; and a line that was
down, or dead without saying so, comes back with all that was missed."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from accounts.models import User
from conversations.models import Conversation, Message
from tests.chat import PATIENCE_MS, Chat, OpenChat, plain, start_again
from tests.environment import free_port
from tests.provider import Provider
from tests.proxy import Proxy
from tests.rows import answered
from tests.stack import Stack, Web

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser
SHORT = {"text": plain(20), "rate": 0}
LONG = {"text": plain(160), "rate": 40}

ASK = """([method, path, body]) => fetch(`/api/v1${path}`, {
  method, body: body && JSON.stringify(body),
  headers: {
    "content-type": "application/json",
    "X-CSRFToken": document.cookie.match(/csrftoken=([^;]+)/)[1],
  },
}).then((answer) => answer.status)"""


def listed(chat: Chat, title: str) -> Locator:
    return chat.page.get_by_role("navigation").get_by_role("link", name=title)


def dot(chat: Chat, title: str) -> Locator:
    return listed(chat, title).get_by_role("img", name="An answer is arriving")


def own_path(conversation: Conversation) -> str:
    return conversation.get_absolute_url()


def test_a_new_conversation_appears_everywhere_with_its_dot(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    provider.script(LONG)
    other = answered(owner, "Something else").conversation
    first = open_chat(owner, site)
    tab = open_chat(owner, site, own_path(other), context=first.page.context)
    device = open_chat(owner, site)
    expect(tab.questions).to_have_text(["Something else"])

    first.send("Count, please")

    for chat in (tab, device):
        expect(dot(chat, "Count, please")).to_be_visible()
    expect(tab.questions).to_have_text(["Something else"])
    first.wait_until_answered()
    for chat in (first, tab, device):
        expect(listed(chat, "Count, please")).to_be_visible()
        expect(chat.page.get_by_role("img", name="An answer is arriving")).to_be_hidden()
    listed(device, "Count, please").click()
    expect(device.prose).to_have_text(plain(160))


def test_what_is_sent_edited_and_tried_again_in_one_tab_is_shown_in_the_others(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    provider.script(SHORT)
    conversation = answered(owner, "first one").conversation
    tabs = [open_chat(owner, site, own_path(conversation)) for _ in range(2)]
    here, there = tabs
    for chat in tabs:
        expect(chat.questions).to_have_text(["first one"])

    here.send("second one")
    for chat in tabs:
        expect(chat.questions).to_have_text(["first one", "second one"])
        expect(chat.prose).to_have_text(plain(20))
        chat.wait_until_answered()

    question = there.page.locator(".user").last
    question.hover()
    question.get_by_role("button", name="Edit").click()
    there.send("second one, better")
    for chat in tabs:
        expect(chat.questions).to_have_text(["first one", "second one, better"])
        expect(chat.page.locator(".user .siblings-count").last).to_have_text("2/2")
        chat.wait_until_answered()
    assert Message.objects.filter(role="user").count() == 3


def test_a_new_name_is_shown_everywhere(owner: User, site: Web, open_chat: OpenChat) -> None:
    conversation = answered(owner, "first one").conversation
    here = open_chat(owner, site)
    there = open_chat(owner, site, own_path(conversation))
    expect(there.page.get_by_role("heading", name="first one", level=1)).to_be_visible()
    expect(here.banner).to_be_hidden()

    there.page.evaluate(ASK, ["PATCH", f"/conversations/{conversation.pk}", {"title": "Greetings"}])

    expect(listed(here, "Greetings")).to_be_visible()
    expect(there.page.get_by_role("heading", name="Greetings", level=1)).to_be_visible()
    expect(there.page).to_have_title(re.compile("^Greetings"))


def test_what_is_thought_of_an_answer_and_chosen_for_a_chat_is_shown_everywhere(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    conversation = answered(owner, "a question").conversation
    here, there = (open_chat(owner, site, own_path(conversation)) for _ in range(2))
    for chat in (here, there):
        expect(chat.answer.locator('[data-action="good"]')).to_have_attribute(
            "aria-pressed", "false"
        )
    here.answer.locator('[data-action="good"]').click()
    expect(there.answer.locator('[data-action="good"]')).to_have_attribute("aria-pressed", "true")
    there.answer.locator('[data-action="good"]').click()
    expect(here.answer.locator('[data-action="good"]')).to_have_attribute("aria-pressed", "false")

    path = f"/conversations/{conversation.pk}/settings"
    here.page.evaluate(ASK, ["PATCH", path, {"system_prompt": "Answer in verse."}])
    for chat in (here, there):
        expect(chat.page.locator("#settings-chip")).to_be_visible()


def test_a_conversation_that_is_deleted_elsewhere_goes_and_the_draft_stays(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    doomed = answered(owner, "first one").conversation
    other = answered(owner, "Something else").conversation
    here = open_chat(owner, site, own_path(other))
    reader = open_chat(owner, site, own_path(doomed))
    expect(reader.questions).to_have_text(["first one"])
    expect(listed(here, "first one")).to_be_visible()
    reader.write("half a thought")

    here.page.evaluate(ASK, ["DELETE", f"/conversations/{doomed.pk}", None])

    expect(reader.page.get_by_role("alert")).to_have_text("This conversation is no longer there.")
    expect(reader.page).to_have_url(f"{site.url}/")
    expect(reader.composer).to_have_value("half a thought")
    for chat in (here, reader):
        expect(listed(chat, "first one")).to_have_count(0)
        expect(listed(chat, "Something else")).to_be_visible()
    expect(here.questions).to_have_text(["Something else"])


def test_the_banner_says_when_it_tries_again_and_typing_goes_on(
    owner: User, own_stack: Stack, open_chat: OpenChat
) -> None:
    web, _ = own_stack.web(), own_stack.worker()
    conversation = answered(owner, "first one").conversation
    chat = open_chat(owner, web, own_path(conversation))
    expect(chat.questions).to_have_text(["first one"])
    expect(chat.send_button).to_be_visible()

    web.kill()
    chat.composer.press_sequentially("half a ")
    expect(chat.banner).to_contain_text(re.compile(r"Reconnecting… \d+ s"))
    chat.banner.get_by_role("button", name="Try now").click()
    chat.composer.press_sequentially("thought")
    expect(chat.composer).to_be_focused()
    expect(chat.composer).to_have_value("half a thought")
    chat.composer.press("Enter")
    expect(chat.page.get_by_text("Waiting for the connection")).to_be_visible()
    start_again(own_stack, web)

    expect(chat.answer).to_contain_text("You wrote: half a thought")
    expect(chat.banner).to_be_hidden()
    assert Message.objects.filter(role="user", parent__isnull=False).count() == 1


def test_a_line_that_died_in_its_sleep_is_noticed_when_the_page_is_looked_at(
    owner: User,
    site: Web,
    open_chat: OpenChat,
    open_context: Callable[..., BrowserContext],
    provider: Provider,
) -> None:
    provider.script(SHORT)
    conversation = answered(owner, "first one").conversation
    with Proxy(free_port(), site.port) as line:
        context = open_context(owner, site)
        asleep = Chat(context.new_page(), f"http://127.0.0.1:{line.port}")
        asleep.visit(own_path(conversation))
        expect(asleep.questions).to_have_text(["first one"])
        awake = open_chat(owner, site, own_path(conversation))
        line.cut_half_open()
        awake.send("second one")
        awake.wait_until_answered()
        expect(asleep.questions).to_have_text(["first one"])

        asleep.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")

        # What the browser keeps for requests is as dead, and given up one after the other.
        both = ["first one", "second one"]
        expect(asleep.questions).to_have_text(both, timeout=3 * PATIENCE_MS)
        expect(asleep.prose).to_have_text(plain(20))
        expect(asleep.banner).to_be_hidden()
        assert asleep.troubles == []
        asleep.page.close()
