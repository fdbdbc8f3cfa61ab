"""Writing in a real browser: continue a cut answer, queue the next message, choose a model, and the
settings and texts of one's own."""

import pytest
from playwright.sync_api import expect

from accounts.models import User
from conversations.models import Message
from tests.chat import OpenChat, plain
from tests.provider import Provider
from tests.stack import Web

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser
SHORT = {"text": plain(20), "rate": 200}
LONG = {"text": plain(160), "rate": 40}
CUT = {"text": "The quick brown fox ju", "finish_reason": "length"}
REST = {"text": "brown fox jumps over the lazy dog."}
WHOLE = "The quick brown fox jumps over the lazy dog."


def test_a_cut_answer_is_continued_with_one_click(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script(CUT, REST)
    chat.send("Go on")
    expect(chat.answer.get_by_text("The answer reached its length limit.")).to_be_visible()
    chat.reload()
    expect(chat.answer.get_by_text("The answer reached its length limit.")).to_be_visible()

    chat.answer.get_by_role("button", name="Continue").click()

    expect(chat.prose).to_have_text(WHOLE)
    expect(chat.answer.get_by_text("The answer reached its length limit.")).to_be_hidden()
    expect(chat.answer.locator(".siblings-count")).to_have_text("2/2")
    chat.reload()
    expect(chat.prose).to_have_text(WHOLE)


def test_a_stopped_answer_is_continued(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script(LONG, {"text": " and that is all."})
    chat.send("Count, please")
    chat.wait_for_words(20)
    chat.composer.press("Escape")
    chat.wait_until_answered()
    before = Message.objects.get(role="assistant").text

    chat.answer.get_by_role("button", name="Continue").click()

    expect(chat.prose).to_contain_text("and that is all.")
    assert chat.copy_answer() == f"{before} and that is all."
