"""Files, as a user attaches them: chosen, pasted or dropped, and what the page makes of them."""

import base64
import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, Route, expect

from accounts.models import User
from conversations.models import Attachment, Message
from llm.models import ChatModel
from tests import files
from tests.chat import Chat, OpenChat
from tests.provider import Provider
from tests.stack import Web

pytestmark = pytest.mark.browser
pytest_plugins = ["tests.browser"]
ANSWER = json.dumps({"tokens": 3})
RED = files.image(size=(300, 200), colour=(200, 30, 30))
UPLOADS = re.compile(r"/api/v1/attachments$")
SHOWN = re.compile(r":\d+/attachments/")


def payload(name: str, content: bytes, kind: str = "") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


PICTURE = payload("red.png", RED, "image/png")
NOTES = payload("notes.md", b"# Notes\n\nBuy milk.", "text/markdown")
REPORT = payload("report.pdf", files.pdf("Total 42"), "application/pdf")


def choose(chat: Chat, *chosen: FilePayload) -> None:
    chat.page.locator("#composer input[type=file]").set_input_files(list(chosen))


def chips(chat: Chat) -> Locator:
    return chat.page.locator("#tray .attachment")


def ready(chat: Chat, count: int = 1) -> None:
    expect(chat.page.locator('#tray .attachment[data-state="ready"]')).to_have_count(count)


def file_transfer(chat: Chat, *given: FilePayload) -> Any:
    """A DataTransfer of the page's own, as a paste or a drop brings it."""
    listed = [
        {
            "name": each["name"],
            "type": each["mimeType"],
            "data": base64.b64encode(each["buffer"]).decode(),
        }
        for each in given
    ]
    return chat.page.evaluate_handle(
        """(files) => {
          const transfer = new DataTransfer();
          for (const { name, type, data } of files) {
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], name, { type }));
          }
          return transfer;
        }""",
        listed,
    )


def asked(message: Locator) -> Locator:
    return message.locator(".message-files")


# --- The whole way -------------------------------------------------------------------------------
def test_an_image_goes_from_the_composer_to_the_model_and_onto_the_page(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    choose(chat, PICTURE)
    ready(chat)
    expect(chips(chat)).to_contain_text("red.png")
    chat.send(ANSWER)
    chat.wait_until_answered()
    image, _ = provider.wait_for().body["messages"][-1]["content"]
    sent = base64.b64decode(image["image_url"]["url"].partition(",")[2])
    assert sent == Attachment.objects.get().file.read()
    expect(chips(chat)).to_have_count(0)
    shown = asked(chat.page.locator(".user")).locator("img")
    expect(shown).to_have_js_property("naturalWidth", 300)
    expect(shown).to_have_attribute("width", "300")
    chat.reload()
    expect(shown).to_have_js_property("naturalWidth", 300)


def test_files_alone_can_be_sent(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    expect(chat.send_button).to_be_disabled()
    choose(chat, NOTES, REPORT)
    ready(chat, 2)
    chat.send_button.click()
    chat.wait_until_answered()
    told = provider.wait_for().body["messages"][-1]["content"]
    assert "Buy milk." in told
    assert "Total 42" in told
    message = chat.page.locator(".user")
    expect(message.locator(".message-file")).to_have_count(2)
    expect(message.locator(".bubble")).to_be_hidden()
    expect(chat.page.get_by_role("heading", name="notes.md")).to_be_visible()


def test_a_file_of_a_message_is_saved_under_its_name(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    choose(chat, NOTES)
    ready(chat)
    chat.send("Hello")
    chat.wait_until_answered()
    with chat.page.expect_download() as download:
        chat.page.get_by_role("link", name="notes.md").click()
    assert download.value.suggested_filename == "notes.md"
    assert download.value.path().read_bytes() == NOTES["buffer"]


def test_an_image_opens_large_and_closes_with_escape(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    choose(chat, PICTURE)
    ready(chat)
    chat.send("Hello")
    chat.wait_until_answered()
    button = chat.page.get_by_role("button", name="Show red.png large")
    button.click()
    dialog = chat.page.get_by_role("dialog", name="red.png")
    expect(dialog.get_by_role("img")).to_have_js_property("naturalWidth", 300)
    chat.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()


# --- The ways in ---------------------------------------------------------------------------------
def paste(chat: Chat, **content: bytes) -> None:
    """By the keyboard, from the real clipboard; `image` and `text`."""
    types = {"image": "image/png", "text": "text/plain"}
    given = {types[kind]: base64.b64encode(data).decode() for kind, data in content.items()}
    chat.page.evaluate(
        """async (given) => {
          const blobs = Object.entries(given).map(([type, data]) => {
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            return [type, new Blob([bytes], { type })];
          });
          await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(blobs))]);
        }""",
        given,
    )
    chat.composer.press("Control+V")


def test_an_image_can_be_pasted(owner: User, site: Web, open_chat: OpenChat) -> None:
    chat = open_chat(owner, site)
    paste(chat, image=RED)
    ready(chat)


def test_a_picture_of_text_that_comes_along_with_the_text_is_left_aside(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    paste(chat, image=RED, text=b"a cell")
    expect(chat.composer).to_have_value("a cell")
    expect(chips(chat)).to_have_count(0)


def test_files_can_be_dropped_anywhere(owner: User, site: Web, open_chat: OpenChat) -> None:
    chat = open_chat(owner, site)
    transfer = file_transfer(chat, PICTURE, NOTES)
    zone = chat.page.get_by_text("Drop files to attach them")
    expect(zone).to_be_hidden()
    chat.page.dispatch_event("#scroller", "dragover", {"dataTransfer": transfer})
    expect(zone).to_be_visible()
    chat.page.dispatch_event("#scroller", "drop", {"dataTransfer": transfer})
    expect(zone).to_be_hidden()
    ready(chat, 2)


def test_the_drop_zone_goes_when_the_pointer_leaves(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    transfer = file_transfer(chat, PICTURE)
    chat.page.dispatch_event("#scroller", "dragover", {"dataTransfer": transfer})
    chat.page.dispatch_event("#scroller", "dragleave", {"dataTransfer": transfer})
    expect(chat.page.get_by_text("Drop files to attach them")).to_be_hidden()


def test_the_paper_clip_opens_the_choice_of_files(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Attach files").press("Enter")
    assert chooser.value.is_multiple()
    chooser.value.set_files(PICTURE)
    ready(chat)
    expect(chat.composer).to_be_focused()


# --- Refusals ------------------------------------------------------------------------------------
def test_each_refused_file_says_why_and_the_others_go(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    choose(
        chat,
        NOTES,
        payload("film.mp4", b"x", "video/mp4"),
        payload("nothing.txt", b"", "text/plain"),
        payload("fake.png", b"<html>", "image/png"),
    )
    ready(chat)
    expect(chips(chat).filter(has_text="film.mp4")).to_contain_text("cannot be read")
    expect(chips(chat).filter(has_text="nothing.txt")).to_contain_text("empty")
    expect(chips(chat).filter(has_text="fake.png")).to_contain_text("not what its name says")
    chat.send("Hello")
    chat.wait_until_answered()
    question = Message.objects.get(role="user")
    assert [block["extras"]["name"] for block in question.content[:-1]] == ["notes.md"]
    expect(chips(chat)).to_have_count(0)


def test_a_file_over_the_limit_is_refused_before_it_is_sent(
    owner: User, site: Web, open_chat: OpenChat, tmp_path: Path
) -> None:
    large = tmp_path / "large.txt"
    large.write_bytes(b"x" * 20_000_001)
    chat = open_chat(owner, site)
    asked_for: list[str] = []
    chat.page.on("request", lambda request: asked_for.append(request.url))
    chat.page.locator("#composer input[type=file]").set_input_files(large)
    expect(chips(chat)).to_contain_text("at most 20 MB")
    assert not [url for url in asked_for if UPLOADS.search(url)]


def test_the_eleventh_file_is_refused(owner: User, site: Web, open_chat: OpenChat) -> None:
    chat = open_chat(owner, site)
    choose(chat, *(payload(f"{number}.txt", b"Hello", "text/plain") for number in range(11)))
    ready(chat, 10)
    expect(chips(chat).filter(has_text="10.txt")).to_contain_text("at most 10 files")


# --- On the way ----------------------------------------------------------------------------------
Held = Callable[[], None]


@pytest.fixture
def hold() -> Callable[[Chat], Held]:
    """Keeps uploads back until what it returns is called."""

    def start(chat: Chat) -> Held:
        waiting: list[Route] = []
        chat.page.route(UPLOADS, lambda route: waiting.append(route))

        def go() -> None:
            for route in waiting:
                route.continue_()
            chat.page.unroute(UPLOADS)

        return go

    return start


def test_a_message_waits_for_its_files(
    owner: User, site: Web, open_chat: OpenChat, hold: Callable[[Chat], Held]
) -> None:
    chat = open_chat(owner, site)
    let_go = hold(chat)
    choose(chat, PICTURE)
    expect(chips(chat).get_by_role("progressbar")).to_be_visible()
    chat.send("Look")
    expect(chat.send_button).to_have_attribute("data-waits", "")
    expect(chat.page.locator(".user")).to_have_count(0)
    let_go()
    chat.wait_until_answered()
    (image, _) = Message.objects.get(role="user").content
    assert image["extras"]["name"] == "red.png"


def test_a_file_can_be_removed_while_it_is_on_its_way(
    owner: User, site: Web, open_chat: OpenChat, hold: Callable[[Chat], Held]
) -> None:
    chat = open_chat(owner, site)
    hold(chat)
    choose(chat, PICTURE)
    chat.page.get_by_role("button", name="Remove red.png").click()
    expect(chips(chat)).to_have_count(0)
    expect(chat.composer).to_be_focused()
    expect(chat.send_button).to_be_disabled()


def test_a_removed_file_is_removed_on_the_server(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    choose(chat, PICTURE)
    ready(chat)
    with chat.page.expect_response(lambda response: response.request.method == "DELETE"):
        chat.page.get_by_role("button", name="Remove red.png").click()
    assert not Attachment.objects.exists()


def test_an_upload_without_a_network_can_be_tried_again(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    # Playwright's routes do not see what a service worker takes over in the same moment.
    chat = open_chat(owner, site, service_workers="block")
    chat.page.route(UPLOADS, lambda route: route.abort("internetdisconnected"))
    choose(chat, PICTURE)
    expect(chips(chat)).to_contain_text("The server cannot be reached.")
    chat.write("Look")
    expect(chat.send_button).to_be_disabled()
    chat.page.unroute(UPLOADS)
    chat.page.get_by_role("button", name="Try to attach red.png again").click()
    ready(chat)
    expect(chat.send_button).to_be_enabled()


# --- Drafts and edits ----------------------------------------------------------------------------
def test_what_is_attached_outlives_a_reload(owner: User, site: Web, open_chat: OpenChat) -> None:
    chat = open_chat(owner, site)
    choose(chat, PICTURE, NOTES)
    ready(chat, 2)
    chat.reload()
    ready(chat, 2)
    expect(chips(chat).locator("img").first).to_be_visible()
    chat.send("Look")
    chat.wait_until_answered()
    assert len(Message.objects.get(role="user").content) == 3


def test_a_draft_whose_file_is_gone_says_so(owner: User, site: Web, open_chat: OpenChat) -> None:
    chat = open_chat(owner, site)
    choose(chat, NOTES)
    ready(chat)
    Attachment.objects.all().delete()
    chat.reload()
    expect(chips(chat)).to_contain_text("no longer there")


def test_each_conversation_has_its_own_files(owner: User, site: Web, open_chat: OpenChat) -> None:
    chat = open_chat(owner, site)
    chat.send("Hello")
    chat.wait_until_answered()
    choose(chat, NOTES)
    ready(chat)
    chat.page.get_by_role("link", name="New chat").first.click()
    expect(chips(chat)).to_have_count(0)
    chat.page.go_back()
    ready(chat)


def test_an_edit_keeps_and_changes_the_files_of_its_message(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    choose(chat, PICTURE, NOTES)
    ready(chat, 2)
    chat.send("First")
    chat.wait_until_answered()
    chat.page.locator(".user").get_by_role("button", name="Edit").click()
    ready(chat, 2)
    chat.page.get_by_role("button", name="Remove notes.md").click()
    choose(chat, REPORT)
    ready(chat, 2)
    chat.send("Second")
    expect(chat.questions).to_have_text("Second")
    chat.wait_until_answered()
    edit = Message.objects.filter(role="user").latest("created_at")
    names = [block["extras"]["name"] for block in edit.content[:-1]]
    assert names == ["red.png", "report.pdf"]
    # The first version still has what it was sent with.
    assert Attachment.objects.count() == 3
    expect(chips(chat)).to_have_count(0)


def test_giving_up_an_edit_brings_the_draft_back(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    choose(chat, PICTURE)
    ready(chat)
    chat.send("First")
    chat.wait_until_answered()
    choose(chat, NOTES)
    ready(chat)
    chat.page.locator(".user").get_by_role("button", name="Edit").click()
    expect(chips(chat)).to_contain_text("red.png")
    chat.page.keyboard.press("Escape")
    expect(chips(chat)).to_contain_text("notes.md")


def test_a_message_that_waits_for_the_line_shows_its_files(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    with chat.page.expect_event("requestfinished", lambda request: bool(SHOWN.search(request.url))):
        choose(chat, PICTURE)
        ready(chat)
    chat.page.context.set_offline(True)
    chat.page.evaluate("() => dispatchEvent(new Event('offline'))")
    expect(chat.banner).to_be_visible()
    chat.send("Look")
    pending = chat.page.locator(".pending")
    expect(asked(pending).locator("img")).to_have_js_property("naturalWidth", 300)
    chat.page.context.set_offline(False)
    chat.page.evaluate("() => dispatchEvent(new Event('online'))")
    chat.wait_until_answered()
    assert len(Message.objects.get(role="user").content) == 2


def test_a_message_that_waits_its_turn_keeps_its_files(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    chat.send(json.dumps({"tokens": 40, "rate": 20}))
    expect(chat.stop_button).to_be_visible()
    choose(chat, NOTES)
    ready(chat)
    chat.composer.press("Enter")
    expect(chat.page.locator(".queued")).to_contain_text("notes.md")
    expect(chips(chat)).to_have_count(0)
    expect(chat.page.locator(".user:not(.pending) .message-file")).to_be_visible()
    chat.wait_until_answered()
    (block,) = Message.objects.filter(role="user").latest("created_at").content
    assert block["extras"]["name"] == "notes.md"


def test_a_model_that_cannot_see_is_named_before_anything_is_sent(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    ChatModel.objects.update(images=False)
    chat = open_chat(owner, site)
    choose(chat, NOTES)
    ready(chat)
    note = chat.page.get_by_text("The chosen model cannot see images.")
    expect(note).to_be_hidden()
    choose(chat, PICTURE)
    expect(note).to_be_visible()


# --- Everyone ------------------------------------------------------------------------------------
def test_what_happens_to_a_file_is_said_politely(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    status = chat.page.locator("#tray").get_by_role("status")
    choose(chat, NOTES)
    expect(status).to_have_text("notes.md is attached.")
    choose(chat, payload("fake.pdf", b"text", "application/pdf"))
    expect(status).to_contain_text("fake.pdf is not attached: The file is not what its name says.")


def test_another_tab_sees_the_files_of_a_message(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    chat.send("Hello")
    chat.wait_until_answered()
    other = open_chat(owner, site, chat.page.url.removeprefix(site.url))
    choose(chat, PICTURE)
    ready(chat)
    chat.send("Look")
    expect(other.page.locator(".message-image img")).to_have_js_property("naturalWidth", 300)


def test_a_hostile_file_does_nothing_when_its_owner_opens_it(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    choose(chat, payload(f"{uuid.uuid4()}.svg", svg, "image/svg+xml"))
    ready(chat)
    address = f"{site.url}/attachments/{Attachment.objects.get().pk}/"
    with chat.page.expect_download() as download:
        chat.page.evaluate("(address) => location.assign(address)", address)
    assert download.value.path().read_bytes() == svg
    expect(chat.composer).to_be_visible()
