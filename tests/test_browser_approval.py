"""The moment in which a user decides whether a tool may run."""

import json

import pytest
from playwright.sync_api import Locator, expect

from accounts.models import User
from llm.models import ChatModel
from tests.approvals import CLOCK
from tests.chat import Chat, OpenChat
from tests.stack import Web

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser
TOKYO = {"name": "current_time", "args": {"timezone": "Asia/Tokyo"}}


def questions(chat: Chat) -> Locator:
    return chat.answer.get_by_role("group", name="Approval: Look up the time")


def test_every_tab_asks_until_one_of_them_has_answered(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    """One call is approved with the mouse, the other is refused by keyboard."""
    names = ["current_time"]
    ChatModel.objects.filter(slug="fake").update(tools=names, tools_to_approve=names)
    here = open_chat(owner, site)
    here.send(json.dumps({"tool": [CLOCK, TOKYO], "tokens": 3}))
    expect(questions(here)).to_have_count(2)
    expect(here.composer).to_be_focused()
    said = "Waiting for your approval: Look up the time"
    expect(here.page.locator("#announcer")).to_contain_text(said)
    there = open_chat(owner, site, here.page.url.removeprefix(site.url))
    expect(questions(there)).to_have_count(2)
    expect(there.answer.locator(".tool-args").last).to_have_text("timezoneAsia/Tokyo")

    questions(here).first.get_by_role("button", name="Approve").click()
    expect(questions(here)).to_have_count(1)
    expect(questions(there)).to_have_count(1)

    questions(here).get_by_role("button", name="Approve").focus()
    here.page.keyboard.press("Tab")
    expect(questions(here).get_by_role("button", name="Refuse")).to_be_focused()
    here.page.keyboard.press("Enter")

    for chat in (here, there):
        chat.wait_until_answered()
        expect(questions(chat)).to_have_count(0)
        expect(chat.answer.locator(".tool-state")).to_have_text(["", "Refused"])
    # The button is gone; who used it is still at its call.
    expect(here.answer.locator(".tool > summary").last).to_be_focused()
