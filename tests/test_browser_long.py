"""Conversations of thousands of messages, of which the page holds the part that is read."""

import re

import pytest
from playwright.sync_api import Locator, expect

from accounts.models import User
from conversations.models import Conversation, Message
from tests.chat import Chat, OpenChat, plain
from tests.long import continue_conversation, long_conversation
from tests.provider import Provider
from tests.stack import Web

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser

TOP_OF = "element => element.getBoundingClientRect().top"
FIRST_IN_VIEW = """() => {
  const edge = document.querySelector("#scroller").getBoundingClientRect().top;
  const all = [...document.querySelectorAll(".message")];
  return all.find((one) => one.getBoundingClientRect().bottom > edge).dataset.message;
}"""


@pytest.fixture
def conversation(owner: User) -> Conversation:
    return long_conversation(owner, 5000)


def numbered(chat: Chat, number: int) -> Locator:
    return chat.page.locator(".message").filter(has_text=re.compile(rf"Message {number}\. "))


def scroll_to(chat: Chat, top: int) -> None:
    """As by a wheel, of which the page hears first: a text that is growing in the same moment would
    else take the reader to its end again."""
    chat.page.locator("#scroller").evaluate(
        "(element, top) => { element.dispatchEvent(new WheelEvent('wheel', { deltaY: -1 }));"
        " element.scrollTo(0, top); }",
        top,
    )


def rest(chat: Chat) -> float:
    """How far the reader is from the end."""
    found: float = chat.page.locator("#scroller").evaluate(
        "element => element.scrollHeight - element.scrollTop - element.clientHeight"
    )
    return found


def wait_until_at_the_end(chat: Chat) -> None:
    chat.page.wait_for_function(
        "() => { const all = document.querySelector('#scroller');"
        " return all.scrollHeight - all.scrollTop - all.clientHeight < 2; }"
    )


def jump_button(chat: Chat) -> Locator:
    return chat.page.get_by_role("button", name="Jump to the latest")


def numbers_on_the_page(chat: Chat) -> list[int]:
    texts = chat.page.locator(".message .bubble, .message .blocks").all_text_contents()
    return [int(found[1]) for text in texts if (found := re.match(r"\s*Message (\d+)\.", text))]


def test_a_long_conversation_opens_at_its_end_with_a_part_of_it(
    owner: User, site: Web, open_chat: OpenChat, conversation: Conversation
) -> None:
    chat = open_chat(owner, site, conversation.get_absolute_url())

    expect(numbered(chat, 4999)).to_be_in_viewport()
    wait_until_at_the_end(chat)
    expect(jump_button(chat)).to_be_hidden()
    shown = numbers_on_the_page(chat)
    assert shown == list(range(shown[0], 5000))
    assert len(shown) < 400


def test_older_messages_come_before_the_reader_gets_there_and_nothing_moves(
    owner: User, site: Web, open_chat: OpenChat, conversation: Conversation
) -> None:
    chat = open_chat(owner, site, conversation.get_absolute_url())
    expect(numbered(chat, 4999)).to_be_in_viewport()
    wait_until_at_the_end(chat)
    for _ in range(6):
        first = min(numbers_on_the_page(chat))
        scroll_to(chat, 900)
        chat.page.evaluate("() => new Promise(requestAnimationFrame)")
        seen = chat.page.locator(f'[data-message="{chat.page.evaluate(FIRST_IN_VIEW)}"]')
        at = seen.evaluate(TOP_OF)

        expect(numbered(chat, first - 40)).to_be_attached()
        chat.page.evaluate("() => new Promise(requestAnimationFrame)")

        assert abs(seen.evaluate(TOP_OF) - at) < 2
    shown = numbers_on_the_page(chat)
    assert shown == list(range(shown[0], 5000))


def test_scrolling_up_leads_to_the_beginning_without_a_hole(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site, long_conversation(owner, 230).get_absolute_url())
    expect(numbered(chat, 229)).to_be_in_viewport()
    while not numbered(chat, 0).is_visible():
        first = min(numbers_on_the_page(chat))
        scroll_to(chat, 0)
        if first > 0:
            expect(numbered(chat, max(0, first - 20))).to_be_attached()

    assert numbers_on_the_page(chat) == list(range(230))
    scroll_to(chat, 0)
    expect(numbered(chat, 0)).to_be_in_viewport()
    expect(chat.page.get_by_text("Loading earlier messages")).to_be_hidden()


def test_a_link_opens_a_message_in_the_middle_and_the_way_down_is_whole(
    owner: User, site: Web, open_chat: OpenChat, conversation: Conversation
) -> None:
    middle = conversation.messages.order_by("created_at")[2500]
    chat = open_chat(owner, site, f"{conversation.get_absolute_url()}?message={middle.pk}")

    expect(numbered(chat, 2500)).to_be_in_viewport()
    expect(numbered(chat, 2500)).to_have_attribute("data-marked", "")
    expect(chat.page).to_have_url(f"{site.url}{conversation.get_absolute_url()}")
    expect(jump_button(chat)).to_be_visible()
    while max(numbers_on_the_page(chat)) < 2600:
        last = max(numbers_on_the_page(chat))
        scroll_to(chat, 10**7)
        expect(numbered(chat, last + 40)).to_be_attached()
    shown = numbers_on_the_page(chat)
    assert shown == list(range(shown[0], shown[-1] + 1))
    expect(jump_button(chat)).to_be_visible()

    jump_button(chat).click()

    expect(numbered(chat, 4999)).to_be_in_viewport()
    wait_until_at_the_end(chat)
    expect(jump_button(chat)).to_be_hidden()
    shown = numbers_on_the_page(chat)
    assert shown == list(range(shown[0], 5000))


def test_a_message_that_is_sent_from_the_middle_follows_the_last_one(
    owner: User,
    site: Web,
    open_chat: OpenChat,
    provider: Provider,
    conversation: Conversation,
) -> None:
    provider.script({"text": plain(10), "rate": 0})
    ordered = conversation.messages.order_by("created_at")
    middle, last = ordered[100], ordered[4999]
    chat = open_chat(owner, site, f"{conversation.get_absolute_url()}?message={middle.pk}")
    expect(numbered(chat, 100)).to_be_in_viewport()

    chat.send("And now?")

    expect(chat.prose).to_have_text(plain(10))
    expect(chat.questions.last).to_have_text("And now?")
    expect(chat.answer).to_be_in_viewport()
    assert Message.objects.get(parent=last).text == "And now?"
    expect(numbered(chat, 4999)).to_be_attached()


def test_the_other_version_of_an_old_message_is_fetched(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    conversation = long_conversation(owner, 120)
    fork = conversation.messages.order_by("created_at")[9]
    edit = Message.objects.create(
        conversation=conversation,
        parent=fork,
        role="user",
        content=[{"type": "text", "text": "The other way"}],
    )
    Message.objects.create(
        conversation=conversation,
        parent=edit,
        role="assistant",
        content=[{"type": "text", "text": "Leads here"}],
    )
    chat = open_chat(owner, site, conversation.get_absolute_url())
    expect(chat.answer).to_contain_text("Leads here")
    question = chat.page.locator(".user").last
    expect(question.locator(".siblings-count")).to_have_text("2/2")

    question.get_by_role("button", name="Previous version").click()

    expect(numbered(chat, 10).locator(".siblings-count")).to_have_text("1/2")
    expect(numbered(chat, 40)).to_be_attached()
    expect(chat.page.get_by_text("Leads here")).to_have_count(0)
    numbered(chat, 10).get_by_role("button", name="Next version").click()
    expect(chat.answer).to_contain_text("Leads here")


def test_a_reader_who_scrolled_up_selects_or_opens_something_is_left_alone(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site, long_conversation(owner, 20).get_absolute_url())
    provider.script({"text": plain(400), "rate": 100})
    chat.send("Count, please")
    chat.wait_for_words(20)
    wait_until_at_the_end(chat)

    chat.questions.last.select_text()
    chat.wait_for_words(40)
    at = chat.questions.last.evaluate(TOP_OF)
    chat.wait_for_words(250)

    assert chat.questions.last.evaluate(TOP_OF) == at
    assert chat.page.evaluate("() => getSelection().toString()") == "Count, please"
    expect(jump_button(chat)).to_be_visible()
    jump_button(chat).click()
    wait_until_at_the_end(chat)
    chat.wait_until_answered()
    wait_until_at_the_end(chat)


def test_a_reader_at_the_end_stays_there_when_the_text_becomes_larger(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site, long_conversation(owner, 60).get_absolute_url())
    expect(numbered(chat, 59)).to_be_in_viewport()
    wait_until_at_the_end(chat)
    height = chat.page.locator("#messages").evaluate("element => element.scrollHeight")

    chat.page.evaluate("() => { document.documentElement.style.fontSize = '150%'; }")

    chat.page.wait_for_function(
        "height => document.querySelector('#messages').scrollHeight > height", arg=height
    )
    wait_until_at_the_end(chat)
    expect(numbered(chat, 59)).to_be_in_viewport()


def test_what_was_written_while_the_line_was_down_leaves_no_hole(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    """More than fits into one part, so that the newest one does not touch what is here."""
    conversation = long_conversation(owner, 60)
    at_the_end = open_chat(owner, site, conversation.get_absolute_url())
    reading = open_chat(owner, site, conversation.get_absolute_url())
    for chat in (at_the_end, reading):
        expect(numbered(chat, 59)).to_be_in_viewport()
        wait_until_at_the_end(chat)
    scroll_to(reading, 600)
    expect(jump_button(reading)).to_be_visible()
    seen = reading.page.locator(f'[data-message="{reading.page.evaluate(FIRST_IN_VIEW)}"]')
    at = seen.evaluate(TOP_OF)
    # Together, for not long: without a network, Chromium's own process for it never rests while a
    # socket is open.
    for chat in (at_the_end, reading):
        chat.page.context.set_offline(True)
    for chat in (at_the_end, reading):
        expect(chat.banner).to_be_visible()

    continue_conversation(conversation, 60, 200)
    for chat in (at_the_end, reading):
        chat.page.context.set_offline(False)
        expect(chat.banner).to_be_hidden()

    expect(numbered(at_the_end, 199)).to_be_in_viewport()
    scroll_to(at_the_end, 0)
    expect(numbered(at_the_end, 120)).to_be_attached()
    shown = numbers_on_the_page(at_the_end)
    assert shown == list(range(shown[0], 200))
    expect(numbered(reading, 70)).to_be_attached()
    assert abs(seen.evaluate(TOP_OF) - at) < 2
    shown = numbers_on_the_page(reading)
    assert shown == list(range(shown[0], shown[-1] + 1))
    jump_button(reading).click()
    expect(numbered(reading, 199)).to_be_in_viewport()
