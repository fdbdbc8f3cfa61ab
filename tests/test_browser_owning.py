"""Sharing, taking along, bringing and taking away, as a person does it in a browser."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from conversations.models import Conversation, Message
from tests.chat import Chat, OpenChat, plain
from tests.chatgpt_file import with_other_id
from tests.conftest import PASSWORD
from tests.pictures import take_in_both_themes
from tests.rows import answered
from tests.stack import Web

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser
ANSWER = """A table, some code and a formula:

| peak | metres |
|---|---|
| Everest | 8,849 |
| K2 | 8,611 |

```python
print("so high")
```

And that was **all**."""


def no_sideways_scroll(page: Page) -> bool:
    fits: bool = page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    return fits


def share(chat: Chat) -> str:
    """Create a link, as those do who click everything twice; the address that the dialog shows."""
    chat.page.get_by_role("button", name="Share").dblclick()
    chat.page.get_by_role("button", name="Create a link").dblclick()
    field = chat.page.get_by_role("textbox", name="Link")
    expect(field).to_have_value(re.compile(r"/s/[\w-]+/$"))
    return field.input_value()


def test_a_conversation_is_shared_read_renewed_and_revoked(
    site: Web, owner: User, open_chat: OpenChat
) -> None:
    made = answered(owner, "How high are they?", ANSWER)
    chat = open_chat(owner, site, f"/c/{made.conversation.pk}/")
    address = share(chat)
    copied = chat.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == address
    take_in_both_themes(chat.page, "share-dialog")

    reader = open_chat(None, site, address.removeprefix(site.url))
    expect(reader.page.get_by_role("heading", name="How high are they?", level=1)).to_be_visible()
    expect(reader.page.locator(".shared-page table")).to_contain_text("8,611")
    expect(reader.page.locator(".shared-page .code")).to_contain_text('print("so high")')
    assert no_sideways_scroll(reader.page)
    take_in_both_themes(reader.page, "share-page")

    chat.page.get_by_role("button", name="Revoke").click()
    chat.page.get_by_role("dialog", name="Revoke this link?").get_by_role(
        "button", name="Revoke"
    ).click()
    expect(chat.page.locator(".share-link")).to_have_count(0)
    answer = reader.page.reload()
    assert answer is not None
    assert answer.status == 404


def test_a_shared_page_fits_a_phone_and_paper(site: Web, owner: User, open_chat: OpenChat) -> None:
    made = answered(owner, "How high are they?", ANSWER)
    chat = open_chat(
        owner, site, f"/c/{made.conversation.pk}/", viewport={"width": 360, "height": 740}
    )
    address = share(chat)
    take_in_both_themes(chat.page, "share-dialog-phone")
    assert no_sideways_scroll(chat.page)

    reader = open_chat(
        None, site, address.removeprefix(site.url), viewport={"width": 360, "height": 740}
    )
    expect(reader.page.locator(".shared-page table")).to_be_visible()
    assert no_sideways_scroll(reader.page)
    take_in_both_themes(reader.page, "share-page-phone")
    reader.page.emulate_media(media="print")
    expect(reader.page.locator(".shared-top")).to_be_hidden()
    expect(reader.page.locator(".shared-page table")).to_be_visible()


def test_hostile_text_is_harmless_on_the_shared_page(
    site: Web, owner: User, open_chat: OpenChat
) -> None:
    hostile = (
        '<img src=x onerror="document.title=1"> <script>document.title = 2</script>\n\n'
        "[click](javascript:document.title=3) ![](https://example.com/spy.png)"
    )
    made = answered(owner, '<img src=x onerror="document.title=4">', hostile)
    address = share(open_chat(owner, site, f"/c/{made.conversation.pk}/"))

    reader = open_chat(None, site, address.removeprefix(site.url))

    expect(reader.page.locator(".bubble")).to_contain_text("<img src=x")
    assert reader.page.locator(".shared-page img, .shared-page script").count() == 0
    assert "Chatsite" in reader.page.title()


def test_a_reader_continues_a_shared_conversation(
    site: Web, owner: User, stranger: User, open_chat: OpenChat
) -> None:
    made = answered(owner, "How high is K2?", "8,611 metres")
    address = share(open_chat(owner, site, f"/c/{made.conversation.pk}/"))
    reader = open_chat(stranger, site, address.removeprefix(site.url))

    reader.page.get_by_role("button", name="Continue this conversation").click()

    expect(reader.page).to_have_url(re.compile("/c/"))
    expect(reader.prose).to_have_text("8,611 metres")
    reader.send(plain(3))
    expect(reader.page.locator(".message.assistant")).to_have_count(2)
    reader.wait_until_answered()
    assert Conversation.objects.get(owner=stranger).messages.count() == 4
    assert made.conversation.messages.count() == 2


def test_the_open_conversation_is_downloaded_as_it_is_shown(
    site: Web, owner: User, open_chat: OpenChat
) -> None:
    made = answered(owner, "How high is K2?", "8,611 metres")
    chat = open_chat(owner, site, f"/c/{made.conversation.pk}/")
    chat.page.locator("#conversation-menu-button").click()

    with chat.page.expect_download() as waiting:
        chat.page.get_by_role("menuitem", name="Download as Markdown").click()

    assert waiting.value.suggested_filename == "How high is K2.md"
    assert "8,611 metres" in waiting.value.path().read_text()


def test_a_temporary_chat_says_what_it_is_and_survives_a_reload(
    site: Web, owner: User, open_chat: OpenChat
) -> None:
    chat, other = open_chat(owner, site), open_chat(owner, site)
    chat.page.get_by_role("button", name="Temporary chat").click()
    expect(chat.page.get_by_role("heading", name="Temporary chat")).to_be_visible()
    take_in_both_themes(chat.page, "temporary-empty")

    chat.send(plain(5))
    chat.wait_until_answered()
    expect(chat.page.locator("#temporary-banner")).to_contain_text("deleted")
    expect(chat.page.locator("#share")).to_be_hidden()
    take_in_both_themes(chat.page, "temporary")
    chat.reload()

    expect(chat.questions).to_have_text(plain(5))
    expect(chat.page.locator("#temporary-banner")).to_be_visible()
    for page in (chat.page, other.page):
        expect(page.locator("a.conversation")).to_have_count(0)
    other.send(plain(3))
    other.wait_until_answered()
    expect(chat.page.locator("a.conversation")).to_have_count(1)


def test_chats_of_chatgpt_are_brought_with_progress_and_an_end(
    site: Web, owner: User, open_chat: OpenChat, tmp_path: Path
) -> None:
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps([*(with_other_id(n) for n in range(5)), {"mapping": 7}]))
    chat = open_chat(owner, site, "/accounts/data/")
    expect(chat.page.locator("#no-links")).to_be_visible()

    chat.page.locator('input[type="file"]').set_input_files(str(file))
    chat.page.locator("#import-form button").click()

    line = chat.page.locator("#import-line")
    expect(line).to_have_text("conversations.json: 5 conversations imported · 1 left out")
    chat.page.get_by_text("What was left out").click()
    expect(chat.page.locator("#import-problems li")).to_contain_text("Conversation 6")
    take_in_both_themes(chat.page, "data-imported")
    chat.reload()
    expect(line).to_contain_text("5 conversations imported")
    assert Conversation.objects.filter(owner=owner).count() == 5
    chat.visit("/")
    chat.page.get_by_role("link", name="Chat 3").first.click()
    expect(chat.questions.first).to_be_visible()


def test_the_page_about_ones_data_lists_links_and_exports(
    site: Web, owner: User, open_chat: OpenChat
) -> None:
    made = answered(owner, "How high is K2?", "8,611 metres")
    chat = open_chat(owner, site, f"/c/{made.conversation.pk}/")
    share(chat)
    chat.visit("/accounts/data/")
    expect(chat.page.get_by_role("link", name="How high is K2?")).to_be_visible()
    take_in_both_themes(chat.page, "data")
    chat.page.set_viewport_size({"width": 360, "height": 740})
    assert no_sideways_scroll(chat.page)
    take_in_both_themes(chat.page, "data-phone")

    with chat.page.expect_download() as waiting:
        chat.page.get_by_role("link", name="Download as ZIP").click()

    assert waiting.value.suggested_filename.endswith(".zip")
    chat.page.get_by_role("button", name="Revoke").click()
    chat.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(chat.page.locator("#no-links")).to_be_visible()


def test_all_conversations_are_deleted_by_whoever_types_it(
    site: Web, owner: User, open_chat: OpenChat
) -> None:
    made = [answered(owner) for _ in range(3)]
    other = open_chat(owner, site, f"/c/{made[0].conversation.pk}/")
    expect(other.prose).to_be_visible()
    chat = open_chat(owner, site, "/accounts/data/")
    chat.page.get_by_role("button", name="Delete all conversations").click()
    dialog = chat.page.get_by_role("dialog")
    button = dialog.get_by_role("button", name="Delete all conversations")
    expect(button).to_be_disabled()
    take_in_both_themes(chat.page, "delete-all")

    dialog.get_by_role("textbox").fill("delete")
    button.click()

    expect(chat.page.locator("#toasts")).to_contain_text("3 conversations were deleted")
    expect(other.page.locator("a.conversation")).to_have_count(0)
    expect(other.page).to_have_url(f"{site.url}/")
    assert not Message.objects.filter(conversation__deleted_at=None).exists()


def test_an_account_is_deleted_with_the_password(
    site: Web, owner: User, open_chat: OpenChat
) -> None:
    answered(owner)
    chat = open_chat(owner, site, "/accounts/data/")
    chat.page.get_by_role("button", name="Delete account").click()
    dialog = chat.page.get_by_role("dialog")
    dialog.get_by_label("Your password").fill("wrong")
    dialog.get_by_role("button", name="Delete account").click()
    expect(dialog.get_by_role("alert")).to_have_text("This is not your password.")
    take_in_both_themes(chat.page, "delete-account")

    dialog.get_by_label("Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Delete account").click()

    expect(chat.page).to_have_url(re.compile("/accounts/login/"))
    expect(chat.page.get_by_text("Your account has been deleted.")).to_be_visible()
    assert not User.objects.filter(username="owner", is_active=True).exists()
