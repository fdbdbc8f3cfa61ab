"""What a model gets of the files of a conversation, over the wire of a real provider."""

import base64
import json
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from conversations.history import turns_until
from conversations.models import Attachment, Message
from llm.models import ChatModel
from tests import files
from tests.conftest import OpenTab
from tests.provider import Provider
from tests.rows import NOBODYS, answered, asked
from tests.stack import Process, Web

pytestmark = pytest.mark.database
ANSWER = json.dumps({"tokens": 3})


@pytest.fixture
def uploaded(owner: User) -> Any:
    """`uploaded(name, content)`: the id of a file of the owner's."""
    client = Client()
    client.force_login(owner)

    def send(name: str, content: bytes) -> uuid.UUID:
        answer = client.post("/api/v1/attachments", {"file": SimpleUploadedFile(name, content)})
        assert answer.status_code == 201, answer.content
        return uuid.UUID(answer.json()["id"])

    return send


def ask(open_tab: OpenTab, owner: User, web: Web, text: str, **fields: Any) -> dict[str, Any]:
    tab = open_tab(owner, web)
    fields["attachments"] = [str(each) for each in fields.get("attachments", ())]
    ack = tab.submit(text, **fields)
    tab.wait_for_end(ack["generation"])
    return ack


def told(provider: Provider, number: int = 1) -> Any:
    """The content of the last message of a request."""
    return provider.wait_for(number).body["messages"][-1]["content"]


# --- On the wire ---------------------------------------------------------------------------------
def test_an_image_reaches_the_provider_byte_for_byte(
    owner: User, web: Web, worker: Process, provider: Provider, open_tab: OpenTab, uploaded: Any
) -> None:
    picture = uploaded("red.png", files.image(colour=(250, 0, 0)))
    ask(open_tab, owner, web, ANSWER, attachments=[picture])
    image, text = told(provider)
    assert (image["type"], text) == ("image_url", {"type": "text", "text": ANSWER})
    head, _, data = image["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == Attachment.objects.get(pk=picture).file.read()


def test_the_text_of_files_reaches_the_provider_under_their_names(
    owner: User, web: Web, worker: Process, provider: Provider, open_tab: OpenTab, uploaded: Any
) -> None:
    ids = [uploaded("report.pdf", files.pdf("Total 42")), uploaded("a.csv", b"x,y\n1,2")]
    ask(open_tab, owner, web, ANSWER, attachments=ids)
    assert told(provider) == (
        '<file name="report.pdf" pages="1">\nTotal 42\n</file>\n\n'
        f'<file name="a.csv">\nx,y\n1,2\n</file>\n\n{ANSWER}'
    )


def test_a_later_question_still_sees_the_image(
    owner: User, web: Web, worker: Process, provider: Provider, open_tab: OpenTab, uploaded: Any
) -> None:
    ack = ask(open_tab, owner, web, ANSWER, attachments=[uploaded("a.png", files.image())])
    more = {"conversation": ack["conversation"], "parent": ack["reply"]}
    ask(open_tab, owner, web, "And now?", **more)
    asked_first, _, asked_then = provider.wait_for(2).body["messages"]
    assert asked_first["content"][0]["type"] == "image_url"
    assert asked_then["content"] == "And now?"


def test_files_without_a_word_are_answered(
    owner: User, web: Web, worker: Process, provider: Provider, open_tab: OpenTab, uploaded: Any
) -> None:
    ask(open_tab, owner, web, "", attachments=[uploaded("a.png", files.image())])
    assert [part["type"] for part in told(provider)] == ["image_url"]


# --- What is read --------------------------------------------------------------------------------
def read(made: Any, **model: Any) -> list[dict[str, Any]]:
    """The content that a model of this kind gets for a message."""
    chat_model = ChatModel(**model)
    made.message.refresh_from_db()
    return turns_until(made.message, chat_model)[-1].content


def test_a_model_that_sees_no_images_is_told_of_them(owner: User, uploaded: Any) -> None:
    made = asked(owner, "Look", attachments=[uploaded("cat.png", files.image())])
    note, text = read(made, images=False)
    assert (note["type"], text["text"]) == ("text", "Look")
    assert "cat.png" in note["text"]
    assert "cannot see images" in note["text"]
    assert read(made, images=True)[0]["type"] == "image"


def test_a_file_without_text_is_told_of(owner: User, uploaded: Any) -> None:
    made = asked(owner, attachments=[uploaded("scan.pdf", files.pdf(""))])
    assert "scan.pdf has no text that can be read" in read(made)[0]["text"]


def test_a_small_model_gets_the_beginning_and_is_told_so(owner: User, uploaded: Any) -> None:
    made = asked(owner, attachments=[uploaded("long.txt", b"abcdefghijklmnop")])
    content = read(made, context_window=4)[0]["text"]
    assert "\nabcdefgh\n\n[The rest of this file is left out.]\n</file>" in content


def test_the_newest_files_come_first_where_not_all_fit(owner: User, uploaded: Any) -> None:
    first = answered(owner, attachments=[uploaded("old.txt", b"old words")])
    place: dict[str, Any] = {"conversation": first.conversation.pk, "parent": first.reply.pk}
    made = asked(owner, attachments=[uploaded("new.txt", b"new words")], **place)
    turns = turns_until(made.message, ChatModel(context_window=4))
    assert "new word" in turns[-1].content[0]["text"]
    assert "old.txt is left out" in turns[0].content[0]["text"]


def test_too_many_images_are_named_and_not_sent(
    owner: User, uploaded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.attachments.reading.MAX_IMAGES", 1)
    ids = [uploaded("one.png", files.image()), uploaded("two.png", files.image())]
    content = read(asked(owner, attachments=ids))
    assert [block["type"] for block in content] == ["image", "text", "text"]
    assert "two.png is an image that is left out" in content[1]["text"]


def test_a_file_whose_bytes_are_lost_is_told_of(owner: User, uploaded: Any) -> None:
    made = asked(owner, attachments=[uploaded("cat.png", files.image())])
    file = Attachment.objects.get().file
    file.storage.delete(str(file.name))
    assert "cat.png is no longer there" in read(made)[0]["text"]


def test_a_name_cannot_end_its_own_header(owner: User, uploaded: Any) -> None:
    made = asked(owner, attachments=[uploaded('a"><x>.txt', b"Hello")])
    assert read(made)[0]["text"].startswith('<file name="a&quot;&gt;&lt;x&gt;.txt">\nHello')


@pytest.mark.parametrize("reference", ["the stranger's", NOBODYS, "no id at all"])
def test_a_block_cannot_reach_a_file_of_another_conversation(
    owner: User, stranger: User, uploaded: Any, reference: str
) -> None:
    foreign = uploaded("secret.txt", b"a secret")
    asked(owner, attachments=[foreign])
    mine = asked(stranger)
    block = {"type": "file", "file_id": str(foreign) if "stranger" in reference else reference}
    Message.objects.filter(pk=mine.message.pk).update(content=[block])
    (content,) = read(mine)
    assert "secret" not in content["text"]
    assert "no longer there" in content["text"]


def test_a_file_is_never_named_by_its_id(owner: User, uploaded: Any) -> None:
    made = asked(owner, attachments=[uploaded("a.png", files.image())])
    assert all("file_id" not in block and "extras" not in block for block in read(made))
