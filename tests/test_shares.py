"""Read-only links: what they show, to whom, and how they end."""

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from conversations import sharing
from conversations.access import NotFound
from conversations.models import Attachment, Conversation, Message, Share
from conversations.submit import Submitted
from tests.rows import answered, asked

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def plain_static_files(settings: Settings) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def call(client: Client, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body)
    return client.generic(method, f"/api/v1{path}", data or "", content_type="application/json")


def shared(user: User, made: Submitted, **wish: Any) -> dict[str, Any]:
    path = f"/conversations/{made.conversation.pk}/shares"
    answer = call(signed_in(user), "POST", path, {"message": str(made.reply.pk), **wish})
    assert answer.status_code == 201, answer.content
    link: dict[str, Any] = answer.json()
    return link


def path_of(link: dict[str, Any]) -> str:
    token = str(link["url"]).split("/s/")[1]
    return f"/s/{token}"


def shown(link: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages that the page carries, for somebody who is not signed in."""
    page = Client().get(path_of(link)).content.decode()
    found = re.search(r'id="shared-messages" type="application/json">(.*?)</script>', page)
    assert found is not None
    messages: list[dict[str, Any]] = json.loads(found[1])
    return messages


def texts(link: dict[str, Any]) -> list[str]:
    return ["".join(b.get("text", "") for b in one["content"]) for one in shown(link)]


# --- What a link shows ---------------------------------------------------------------------------
def test_whoever_has_the_link_reads_the_conversation_without_signing_in(owner: User) -> None:
    link = shared(owner, answered(owner, "How high is K2?", "8,611 metres"))

    assert texts(link) == ["How high is K2?", "8,611 metres"]
    assert [one["role"] for one in shown(link)] == ["user", "assistant"]


def test_the_page_says_nothing_of_its_owner_and_asks_not_to_be_found(owner: User) -> None:
    made = answered(owner)
    answer = Client().get(path_of(shared(owner, made)))

    page = answer.content.decode()
    rows = [made.conversation, made.message, made.reply, made.generation]
    for secret in (owner.email, owner.username, *(str(row.pk) for row in rows)):
        assert secret not in page
    assert 'name="robots" content="noindex' in page
    assert "noindex" in answer["X-Robots-Tag"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "private, no-cache"
    assert settings.SESSION_COOKIE_NAME not in answer.cookies


def test_a_link_shows_the_shared_path_alone(owner: User) -> None:
    first = answered(owner, "First", "One")
    at = {"conversation": first.conversation.pk, "parent": first.reply.pk}
    second = answered(owner, "Second", "Two", **at)
    answered(owner, "Other second", "Other two", **at)

    assert texts(shared(owner, second)) == ["First", "One", "Second", "Two"]


def test_what_is_written_later_is_not_shown_until_the_link_is_renewed(owner: User) -> None:
    first = answered(owner, "First", "One")
    link = shared(owner, first)
    later = answered(
        owner, "Later", "Two", conversation=first.conversation.pk, parent=first.reply.pk
    )
    assert texts(link) == ["First", "One"]

    renewed = call(
        signed_in(owner), "PUT", f"/shares/{link['id']}", {"message": str(later.reply.pk)}
    )

    assert renewed.json()["url"] == link["url"]
    assert texts(link) == ["First", "One", "Later", "Two"]


def test_only_what_the_page_shows_of_a_block_leaves_the_house(owner: User) -> None:
    made = answered(owner)
    call_block = {"type": "tool_call", "id": "call_1", "name": "look_up", "args": {"order": "7"}}
    Message.objects.filter(pk=made.reply.pk).update(
        content=[
            {"type": "reasoning", "reasoning": "Hm.", "extras": {"signature": "secret"}},
            {**call_block, "extras": {"result": "sent", "trace": "secret"}},
            {"type": "text", "text": "It was sent.", "id": "secret"},
            {"type": "non_standard", "value": "secret"},
        ]
    )

    content = shown(shared(owner, made))[1]["content"]

    assert content == [
        {"type": "reasoning", "reasoning": "Hm."},
        {**call_block, "id": "", "extras": {"result": "sent"}},
        {"type": "text", "text": "It was sent."},
    ]


@pytest.mark.parametrize("wished", [False, True])
def test_attachments_are_named_only_if_wished(owner: User, wished: bool) -> None:
    made = answered(owner)
    file = str(uuid.uuid4())
    block = {
        "type": "file",
        "file_id": file,
        "mime_type": "text/plain",
        "extras": {"name": "a.txt"},
    }
    Message.objects.filter(pk=made.message.pk).update(content=[block])

    content = shown(shared(owner, made, with_attachments=wished))[0]["content"]

    assert content == [block if wished else {"type": "left_out"}]


def test_a_shared_file_is_had_by_its_link_alone(
    owner: User, stranger: User, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    made = answered(owner)
    named, other = with_file(owner, made), with_file(owner, made)
    block = {"type": "file", "file_id": str(named.pk), "mime_type": "text/plain", "extras": {}}
    Message.objects.filter(pk=made.message.pk).update(content=[block])
    wished, plain = shared(owner, made, with_attachments=True), shared(owner, made)

    answer = Client().get(f"{path_of(wished)}attachments/{named.pk}/")

    assert (answer.status_code, answer.content) == (200, b"<script>1</script>")
    assert answer["Content-Disposition"].startswith("attachment")
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("text/plain", "nosniff")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "private, no-cache"
    assert Client().get(f"{path_of(wished)}attachments/{other.pk}/").status_code == 404
    assert Client().get(f"{path_of(plain)}attachments/{named.pk}/").status_code == 404
    # Who continues gets a file of their own.
    token = path_of(wished).split("/")[2]
    copy = call(signed_in(stranger), "POST", f"/shares/{token}/continue").json()["conversation"]
    theirs = Attachment.objects.get(owner=stranger, conversation=copy)
    assert theirs.file.read() == b"<script>1</script>"
    assert theirs.file.name != named.file.name
    call(signed_in(owner), "DELETE", f"/shares/{wished['id']}")
    assert Client().get(f"{path_of(wished)}attachments/{named.pk}/").status_code == 404


def with_file(user: User, made: Submitted) -> Attachment:
    file = Attachment(
        owner=user,
        conversation=made.conversation,
        name="a.html",
        kind="text",
        media_type="text/html",
        size=18,
    )
    file.file.save("a.html", ContentFile(b"<script>1</script>"))
    return file


def test_hostile_text_stays_inside_the_pages_data(owner: User) -> None:
    text = "</script><script>alert(1)</script>"
    link = shared(owner, answered(owner, "Hello", text))

    assert text not in Client().get(path_of(link)).content.decode()
    assert texts(link)[1] == text


# --- What is refused -----------------------------------------------------------------------------
def test_an_unfinished_answer_is_not_shared(owner: User) -> None:
    made = asked(owner)
    answer = call(
        signed_in(owner),
        "POST",
        f"/conversations/{made.conversation.pk}/shares",
        {"message": str(made.reply.pk)},
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "busy")
    assert not Share.objects.exists()


def test_a_message_of_another_conversation_is_no_end_of_this_one(owner: User) -> None:
    one, other = answered(owner), answered(owner)
    answer = call(
        signed_in(owner),
        "POST",
        f"/conversations/{one.conversation.pk}/shares",
        {"message": str(other.reply.pk)},
    )

    assert answer.status_code == 404


def test_a_stranger_can_neither_share_nor_see_nor_change_nor_revoke(
    owner: User, stranger: User
) -> None:
    made = answered(owner)
    link = shared(owner, made)
    theirs = signed_in(stranger)
    wish = {"message": str(made.reply.pk)}
    base = f"/conversations/{made.conversation.pk}/shares"

    assert call(theirs, "POST", base, wish).status_code == 404
    assert call(theirs, "GET", base).status_code == 404
    assert call(theirs, "PUT", f"/shares/{link['id']}", wish).status_code == 404
    assert call(theirs, "DELETE", f"/shares/{link['id']}").status_code == 404
    assert call(theirs, "GET", "/shares").json() == []
    assert call(Client(), "GET", "/shares").status_code == 401
    assert texts(link) == ["Hello", "Good day"]


# --- How it ends ---------------------------------------------------------------------------------
def test_a_revoked_link_looks_like_one_that_never_was(owner: User) -> None:
    link = shared(owner, answered(owner))
    assert call(signed_in(owner), "DELETE", f"/shares/{link['id']}").status_code == 204

    gone, never = Client().get(path_of(link)), Client().get("/s/never/")

    assert gone.status_code == never.status_code == 404
    nonce = re.compile(rb'nonce="[^"]*"')
    assert nonce.sub(b"", gone.content) == nonce.sub(b"", never.content)
    assert Share.objects.get().messages == []
    assert call(signed_in(owner), "GET", "/shares").json() == []
    assert call(signed_in(owner), "DELETE", f"/shares/{link['id']}").status_code == 404


def test_a_deleted_conversation_and_a_closed_account_end_their_links(owner: User) -> None:
    first, second = shared(owner, answered(owner)), shared(owner, answered(owner))
    Conversation.objects.filter(pk=first["conversation"]).update(deleted_at="2026-01-01T00:00Z")
    assert Client().get(path_of(first)).status_code == 404
    assert Client().get(path_of(second)).status_code == 200

    User.objects.filter(pk=owner.pk).update(is_active=False)

    assert Client().get(path_of(second)).status_code == 404


def test_all_links_of_a_user_are_listed_the_newest_first(owner: User) -> None:
    first, second = shared(owner, answered(owner)), shared(owner, answered(owner))

    listed = call(signed_in(owner), "GET", "/shares").json()

    assert [link["id"] for link in listed] == [second["id"], first["id"]]
    of_one = call(signed_in(owner), "GET", f"/conversations/{first['conversation']}/shares").json()
    assert [link["id"] for link in of_one] == [first["id"]]


# --- Going on with it ----------------------------------------------------------------------------
def test_a_reader_continues_in_a_copy_of_their_own(owner: User, stranger: User) -> None:
    made = answered(owner, "How high is K2?", "8,611 metres")
    token = path_of(shared(owner, made)).split("/")[2]

    answer = call(signed_in(stranger), "POST", f"/shares/{token}/continue")

    copy = Conversation.objects.get(pk=answer.json()["conversation"])
    rows = list(copy.messages.order_by("created_at"))
    assert (copy.owner, copy.title) == (stranger, made.conversation.title)
    assert [row.text for row in rows] == ["How high is K2?", "8,611 metres"]
    assert [row.parent for row in rows] == [None, rows[0]]
    assert made.message.pk not in [row.pk for row in rows]
    # It goes on like any other.
    more = asked(stranger, "And Everest?", conversation=copy.pk, parent=rows[1].pk)
    assert more.message.parent == rows[1]


def test_nobody_continues_a_revoked_link(owner: User, stranger: User) -> None:
    link = shared(owner, answered(owner))
    call(signed_in(owner), "DELETE", f"/shares/{link['id']}")
    token = path_of(link).split("/")[2]

    assert call(signed_in(stranger), "POST", f"/shares/{token}/continue").status_code == 404
    assert call(Client(), "POST", f"/shares/{token}/continue").status_code == 401
    assert not Conversation.objects.filter(owner=stranger).exists()


@pytest.mark.parametrize("token", ["%00", "a%00", "%ED%A0%80", "a" * 4_000, "%C3%A9"])
def test_an_address_that_no_link_has_leads_nowhere(owner: User, token: str) -> None:
    assert Client().get(f"/s/{token}/").status_code == 404
    assert call(signed_in(owner), "POST", f"/shares/{token}/continue").status_code == 404


def test_a_link_that_was_taken_back_meanwhile_is_not_renewed(owner: User) -> None:
    made = answered(owner, "First", "One")
    link = sharing.share(made.conversation, made.reply.pk, with_attachments=False)
    sharing.revoke(link)

    with pytest.raises(NotFound):
        sharing.renew(link, made.reply.pk, with_attachments=False)

    assert Share.objects.get().messages == []
