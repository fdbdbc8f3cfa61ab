"""Conversations as files: complete, their owner's alone, and sent piece by piece."""

import io
import json
import secrets
import urllib.request
import uuid
import zipfile
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from accounts.models import User
from api.streamed import next_piece
from conversations.models import Attachment, Conversation, Folder, Message
from conversations.transfer.archive import as_zip
from tests.conftest import session_cookie
from tests.rows import answered, asked
from tests.stack import Web

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def of_one(user: User, conversation: Any, **query: Any) -> Any:
    return signed_in(user).get(f"/api/v1/conversations/{conversation}/export", query)


def of_all(user: User, web: Web, form: str) -> bytes:
    """Over real HTTP: how it is sent is a matter of the server."""
    request = urllib.request.Request(f"{web.url}/api/v1/export?form={form}")
    request.add_header("Cookie", f"{settings.SESSION_COOKIE_NAME}={session_cookie(user)}")
    with urllib.request.urlopen(request) as answer:
        assert "attachment" in answer.headers["Content-Disposition"]
        content: bytes = answer.read()
    return content


def random_text(chars: int) -> str:
    """What a ZIP cannot make small."""
    return secrets.token_hex(chars // 2)


# --- One conversation ----------------------------------------------------------------------------
def test_markdown_holds_the_wished_path(owner: User) -> None:
    first = answered(owner, "First", "One")
    at = {"conversation": first.conversation.pk, "parent": first.reply.pk}
    second = answered(owner, "Second", "Two", **at)
    answered(owner, "Other second", "Other two", **at)

    answer = of_one(owner, first.conversation.pk, form="markdown", leaf=second.reply.pk)

    model = second.generation.model_slug
    assert answer.content.decode() == (
        f"# First\n\n## You\n\nFirst\n\n## Answer ({model})\n\nOne\n\n"
        f"## You\n\nSecond\n\n## Answer ({model})\n\nTwo\n"
    )
    assert answer["Content-Disposition"] == 'attachment; filename="First.md"'


def test_without_a_leaf_it_is_the_newest_version(owner: User) -> None:
    first = answered(owner, "First", "One")
    at = {"conversation": first.conversation.pk, "parent": first.reply.pk}
    answered(owner, "Second", "Two", **at)
    answered(owner, "Other second", "Other two", **at)

    text = of_one(owner, first.conversation.pk).content.decode()

    assert "Other two" in text
    assert "Second\n\n" not in text.replace("Other second", "")


def test_json_holds_all_versions_and_settings(owner: User) -> None:
    made = answered(owner, "First", "One")
    other = answered(owner, "Other first", "Other", conversation=made.conversation.pk)
    folder = Folder.objects.create(owner=owner, name="Mountains")
    Conversation.objects.filter(pk=made.conversation.pk).update(
        folder=folder, pinned=True, system_prompt="Be brief.", temperature=0.5, tools=["x"]
    )

    file = json.loads(of_one(owner, made.conversation.pk, form="json").content)

    assert (file["format"], file["version"]) == ("chatsite", 1)
    (one,) = file["conversations"]
    assert [m["parent"] for m in one["messages"]] == [
        None,
        str(made.message.pk),
        None,
        str(other.message.pk),
    ]
    assert one["messages"][1]["status"] == "completed"
    assert one["messages"][1]["model"] == made.generation.model_slug
    kept = {name: one[name] for name in ("folder", "pinned", "system_prompt", "temperature")}
    assert kept == {
        "folder": "Mountains",
        "pinned": True,
        "system_prompt": "Be brief.",
        "temperature": 0.5,
    }


def test_an_answer_that_is_being_written_is_a_stopped_one_in_the_file(owner: User) -> None:
    made = asked(owner)
    file = json.loads(of_one(owner, made.conversation.pk, form="json").content)
    assert file["conversations"][0]["messages"][1]["status"] == "cancelled"


def test_a_title_makes_no_path(owner: User) -> None:
    made = answered(owner, '../../etc/"passwd"\r\nX: y')
    name = of_one(owner, made.conversation.pk)["Content-Disposition"]
    assert name == 'attachment; filename="etc passwd X y.md"'


def test_a_stranger_exports_nothing_of_it(owner: User, stranger: User) -> None:
    made = answered(owner)
    assert of_one(stranger, made.conversation.pk).status_code == 404
    assert of_one(stranger, uuid.uuid4()).status_code == 404
    path = f"/api/v1/conversations/{made.conversation.pk}/export"
    assert Client().get(path).status_code == 401
    assert Client().get("/api/v1/export").status_code == 401


# --- All of them ---------------------------------------------------------------------------------
def test_all_are_in_one_file_but_not_the_deleted_the_temporary_and_those_of_others(
    owner: User, stranger: User, web: Web
) -> None:
    kept = [answered(owner, f"Number {number}").conversation for number in range(3)]
    deleted, temporary = answered(owner).conversation, answered(owner).conversation
    Conversation.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    Conversation.objects.filter(pk=temporary.pk).update(expires_at=timezone.now())
    answered(stranger)

    file = json.loads(of_all(owner, web, "json"))

    assert [one["id"] for one in file["conversations"]] == [str(one.pk) for one in kept]
    assert json.loads(of_all(stranger, web, "json"))["conversations"] != file["conversations"]


def test_nobody_with_nothing_gets_an_empty_file(owner: User, web: Web) -> None:
    assert json.loads(of_all(owner, web, "json"))["conversations"] == []


def test_the_archive_holds_json_markdown_and_files(
    owner: User, web: Web, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    made = answered(owner, "A / strange: title?")
    file = Attachment(
        owner=owner,
        conversation=made.conversation,
        name="../notes.txt",
        kind="text",
        media_type="text/plain",
        size=5,
    )
    file.file.save("notes.txt", ContentFile(b"notes"))
    gone = Attachment(
        owner=owner, conversation=made.conversation, name="b", kind="text", media_type="x", size=1
    )
    gone.file.name = "attachments/not/there"
    gone.save()

    with zipfile.ZipFile(io.BytesIO(b"".join(as_zip(owner)))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "conversations.json",
            "markdown/0001 A strange title.md",
            f"attachments/{file.pk}/notes.txt",
        ]
        assert archive.read(f"attachments/{file.pk}/notes.txt") == b"notes"
        assert "Good day" in archive.read("markdown/0001 A strange title.md").decode()
        (one,) = json.loads(archive.read("conversations.json"))["conversations"]
    assert one["id"] == str(made.conversation.pk)
    # The same over HTTP; the web node has another folder, so that the file is left out there.
    with zipfile.ZipFile(io.BytesIO(of_all(owner, web, "zip"))) as archive:
        assert archive.testzip() is None
        assert "conversations.json" in archive.namelist()


def test_every_file_of_many_comes(owner: User, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    (tmp_path / "note").write_bytes(b"note")
    made = answered(owner)
    common = {"kind": "text", "media_type": "text/plain", "size": 4, "file": "note"}
    Attachment.objects.bulk_create(
        Attachment(owner=owner, conversation=made.conversation, name=f"{number}.txt", **common)
        for number in range(2_050)
    )
    pieces, whole = as_zip(owner), b""
    # As it is sent: on PostgreSQL without the connection between two pieces.
    while (piece := next_piece(pieces)) is not None:
        whole += piece

    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        names = archive.namelist()
    assert sum(name.startswith("attachments/") for name in names) == 2_050


def test_a_long_export_comes_in_pieces(owner: User) -> None:
    for number in range(4):
        made = answered(owner, f"Number {number}")
        big = [{"type": "text", "text": random_text(600_000)}]
        Message.objects.filter(pk=made.reply.pk).update(content=big)

    pieces = [len(piece) for piece in as_zip(owner)]

    assert len([size for size in pieces if size]) > 4
    assert max(pieces) < sum(pieces) / 3
