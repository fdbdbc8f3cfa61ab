"""The sidebar, folders, the archive, search and the palette in a real browser."""

import re
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from conversations.models import Conversation, Folder
from conversations.search.index import index_conversation
from tests.chat import OpenChat
from tests.rows import answered
from tests.stack import Web

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser
TITLES = ("Sourdough at 1,200 m", "Regex for durations", "Packing list for Lisbon")


def conversations(user: User, titles: tuple[str, ...] = TITLES) -> dict[str, Conversation]:
    """The first is the newest; each a day older than the one before."""
    made: dict[str, Conversation] = {}
    for age, title in enumerate(titles):
        row = answered(user, title, f"An answer about {title.lower()}.").conversation
        Conversation.objects.filter(pk=row.pk).update(
            updated_at=timezone.now() - timedelta(days=age)
        )
        made[title] = row
    return made


def nav(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Conversations")


def line(page: Page, title: str) -> Locator:
    return nav(page).get_by_role("link", name=title, exact=True)


def shown(page: Page) -> list[str]:
    return nav(page).locator(".conversation-title").all_text_contents()


def choose(page: Page, title: str, action: str) -> None:
    line(page, title).hover()
    nav(page).get_by_role("button", name=f"Actions for {title}").click()
    page.get_by_role("menuitem", name=action).click()


def test_a_chat_is_renamed_in_place_in_every_tab(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    conversations(owner)
    first, second = open_chat(owner, site).page, open_chat(owner, site).page
    choose(first, TITLES[0], "Rename")
    field = first.get_by_role("textbox", name="Title of the chat")
    expect(field).to_be_focused()
    field.fill("Bread")
    field.press("Enter")
    for page in (first, second):
        expect(line(page, "Bread")).to_be_visible()
    expect(line(first, "Bread")).to_be_focused()

    line(second, "Bread").press("F2")
    second.get_by_role("textbox", name="Title of the chat").fill("Cake")
    second.get_by_role("textbox", name="Title of the chat").press("Escape")
    expect(line(second, "Bread")).to_be_focused()
    assert Conversation.objects.filter(title="Bread", title_source="user").exists()


def test_a_pinned_chat_stands_on_top_in_every_tab(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    conversations(owner)
    first, second = open_chat(owner, site).page, open_chat(owner, site).page
    choose(first, TITLES[2], "Pin")
    for page in (first, second):
        expect(nav(page).locator(".conversation-title").first).to_have_text(TITLES[2])
        expect(nav(page).get_by_role("heading", name="Pinned")).to_be_visible()
    first.reload()
    expect(nav(first).locator(".conversation-title").first).to_have_text(TITLES[2])
    choose(first, TITLES[2], "Unpin")
    expect(nav(second).get_by_role("heading", name="Pinned")).to_have_count(0)


def test_a_deleted_chat_is_gone_everywhere_and_comes_back_by_undo(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    made = conversations(owner)
    path = f"/c/{made[TITLES[1]].pk}/"
    first, second = open_chat(owner, site, path).page, open_chat(owner, site).page
    expect(first.locator(".assistant")).to_be_visible()
    line(first, TITLES[1]).press("Delete")
    for page in (first, second):
        expect(line(page, TITLES[1])).to_have_count(0)
    expect(first).to_have_url(f"{site.url}/")
    expect(line(first, TITLES[2])).to_be_focused()
    first.get_by_role("button", name="Undo").click()
    for page in (first, second):
        expect(line(page, TITLES[1])).to_be_visible()
    expect(first).to_have_url(f"{site.url}{path}")
    expect(first.locator(".assistant")).to_be_visible()
    assert not Conversation.objects.exclude(deleted_at=None).exists()


def test_the_archive_is_a_view_of_its_own(owner: User, site: Web, open_chat: OpenChat) -> None:
    conversations(owner)
    page = open_chat(owner, site).page
    choose(page, TITLES[1], "Archive")
    expect(line(page, TITLES[1])).to_have_count(0)
    expect(page.get_by_text("Chat archived")).to_be_visible()
    page.reload()
    expect(line(page, TITLES[0])).to_be_visible()
    expect(line(page, TITLES[1])).to_have_count(0)
    page.get_by_role("button", name="owner").click()
    page.get_by_role("button", name="Archived chats").click()
    expect(line(page, TITLES[1])).to_be_visible()
    expect(line(page, TITLES[0])).to_have_count(0)
    choose(page, TITLES[1], "Take out of the archive")
    expect(page.get_by_text("Nothing is archived.")).to_be_visible()
    page.get_by_role("button", name="Back to the list").click()
    expect(line(page, TITLES[1])).to_be_visible()


def test_what_was_done_is_done_though_the_page_goes_in_the_same_moment(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    conversations(owner)
    page = open_chat(owner, site).page
    nav(page).get_by_role("button", name=f"Actions for {TITLES[1]}").click()
    archive = page.get_by_role("menuitem", name="Archive")
    with page.expect_navigation():
        archive.evaluate("(item) => { item.click(); location.reload(); }")
    deadline = time.monotonic() + 30
    while not Conversation.objects.filter(archived=True, title=TITLES[1]).exists():
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


def test_folders_are_filled_by_menu_and_by_dragging_and_emptied_by_deletion(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    conversations(owner)
    first, second = open_chat(owner, site).page, open_chat(owner, site).page
    nav(first).get_by_role("button", name="New folder").click()
    first.get_by_label("Name").fill("Kitchen")
    first.get_by_role("button", name="Create").click()
    for page in (first, second):
        expect(nav(page).get_by_role("button", name="Kitchen")).to_be_visible()

    choose(first, TITLES[0], "Move to a folder")
    first.get_by_role("menuitemradio", name="Kitchen").click()
    folder = nav(first).locator(".folder")
    expect(folder.locator(".conversation-title")).to_have_text([TITLES[0]])
    expect(line(second, TITLES[0])).to_have_count(0)

    line(first, TITLES[1]).drag_to(folder.get_by_role("button", name="Kitchen"))
    expect(folder.locator(".conversation-title")).to_have_text([TITLES[0], TITLES[1]])
    first.reload()
    expect(folder.locator(".conversation-title")).to_have_text([TITLES[0], TITLES[1]])
    line(first, TITLES[1]).drag_to(line(first, TITLES[2]))
    expect(folder.locator(".conversation-title")).to_have_text([TITLES[0]])

    folder.get_by_role("button", name="Kitchen").hover()
    folder.get_by_role("button", name="Actions for the folder").click()
    first.get_by_role("menuitem", name="Delete folder").click()
    first.get_by_role("dialog").get_by_role("button", name="Delete folder").click()
    for page in (first, second):
        expect(nav(page).locator(".folder")).to_have_count(0)
        expect(line(page, TITLES[2])).to_be_visible()
    expect(line(first, TITLES[0])).to_be_visible()
    assert Conversation.objects.filter(folder=None, deleted_at=None).count() == 3
    assert not Folder.objects.exists()


def test_the_list_goes_on_as_one_scrolls(owner: User, site: Web, open_chat: OpenChat) -> None:
    now = timezone.now()
    Conversation.objects.bulk_create(
        Conversation(owner=owner, title=f"Chat {at}", updated_at=now - timedelta(hours=at))
        for at in range(400)
    )
    page = open_chat(owner, site).page
    expect(line(page, "Chat 0")).to_be_visible()
    assert len(shown(page)) < 250
    seen = 0
    while seen < 400:
        last = nav(page).locator(".conversation").last
        last.scroll_into_view_if_needed()
        before = seen
        expect(nav(page).locator(".conversation").nth(min(399, before + 20))).to_be_attached()
        seen = len(shown(page))
    assert shown(page) == [f"Chat {at}" for at in range(400)]


def test_the_palette_finds_what_was_said_and_opens_it(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    made = conversations(owner)
    page = open_chat(owner, site).page
    page.get_by_role("button", name="Search").click()
    field = page.get_by_role("combobox")
    expect(field).to_be_focused()
    expect(page.get_by_role("option", name=TITLES[0])).to_be_visible()
    field.fill("answer regex")
    hit = page.get_by_role("group", name="Chats").get_by_role("option")
    expect(hit).to_have_count(1)
    expect(hit.locator(".palette-excerpt mark")).to_have_text(["answer", "regex"])
    field.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(re.compile(rf"/c/{made[TITLES[1]].pk}/"))
    expect(page.locator(".assistant")).to_contain_text("An answer about regex")


def test_the_palette_says_so_when_nothing_is_found_and_when_it_cannot_search(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    conversations(owner)
    page = open_chat(owner, site).page
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox")
    field.fill("nowhere to be found")
    expect(page.get_by_text("No chat holds “nowhere to be found”.")).to_be_visible()
    page.route("**/api/v1/search*", lambda route: route.abort())
    field.fill("regex")
    expect(page.get_by_text("The search did not work.")).to_be_visible()
    page.unroute("**/api/v1/search*")
    field.fill("regex ")
    expect(page.get_by_role("group", name="Chats").get_by_role("option").first).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_markup_in_titles_and_answers_is_shown_as_text(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    row = answered(owner, "<img src=x onerror=alert(1)> needle", "<b>needle</b>").conversation
    index_conversation(row)
    page = open_chat(owner, site).page
    expect(nav(page).locator(".conversation-title")).to_have_text([row.title])
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("needle")
    expect(page.get_by_role("group", name="Chats").get_by_role("option")).to_have_count(3)
    expect(page.locator(".palette img, .palette b")).to_have_count(0)


def test_commands_are_run_from_the_palette_and_listed_by_a_question_mark(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    page = open_chat(owner, site).page
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("dark")
    page.get_by_role("combobox").press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator("body").click(position={"x": 640, "y": 300})
    page.get_by_role("button", name="Search").focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog.get_by_text("Copy the last answer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
