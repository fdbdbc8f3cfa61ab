"""Temporary chats, and taking everything away: it is gone at once, and then it is really gone."""

import json
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.keys import create_key
from accounts.models import User
from api import leaving
from api.tasks import expire_conversations, pick_up_removals, purge_conversations, remove_account
from conversations.models import (
    Attachment,
    Conversation,
    Folder,
    Generation,
    Import,
    Message,
    Prompt,
    Share,
)
from conversations.removal import bring_back
from tests.conftest import PASSWORD, OpenTab
from tests.rows import answered, asked
from tests.stack import Process, Web

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path, no_worker: None) -> Path:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.MEDIA_ROOT = str(tmp_path)
    cache.clear()
    return tmp_path


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def call(client: Client, method: str, path: str, body: Any = None) -> Any:
    data = "" if body is None else json.dumps(body)
    return client.generic(method, f"/api/v1{path}", data, content_type="application/json")


def temporary(user: User) -> uuid.UUID:
    answer = call(signed_in(user), "POST", "/conversations", {"temporary": True})
    assert answer.status_code == 201, answer.content
    assert answer.json()["temporary"] is True
    return uuid.UUID(answer.json()["id"])


def with_file(user: User, conversation: Conversation | None, media: Path) -> Path:
    file = Attachment(
        owner=user, conversation=conversation, name="a", kind="text", media_type="x", size=1
    )
    file.file.save("a", ContentFile(b"a"))
    return media / str(file.file.name)


# --- Temporary chats -----------------------------------------------------------------------------
def test_a_temporary_chat_works_like_any_other(owner: User) -> None:
    key = temporary(owner)
    made = answered(owner, "What is this rash?", conversation=key)

    page = signed_in(owner).get(f"/c/{key}/")

    assert page.status_code == 200
    assert "What is this rash?" in page.content.decode()
    assert made.conversation.pk == key
    assert Conversation.objects.get(pk=key).title == "What is this rash?"


def test_it_is_in_no_list_no_search_no_export_and_cannot_be_shared(owner: User) -> None:
    key = temporary(owner)
    made = answered(owner, "What is this rash?", conversation=key)
    client = signed_in(owner)

    assert call(client, "GET", "/conversations").json()["conversations"] == []
    assert "rash" not in client.get("/").content.decode()
    assert "rash" not in call(client, "GET", "/search?q=rash").content.decode()
    shared = call(client, "POST", f"/conversations/{key}/shares", {"message": str(made.reply.pk)})
    assert (shared.status_code, shared.json()["code"]) == (409, "conflict")


def test_it_is_its_owners_alone(owner: User, stranger: User) -> None:
    assert signed_in(stranger).get(f"/c/{temporary(owner)}/").status_code == 404
    assert call(Client(), "POST", "/conversations", {"temporary": True}).status_code == 401


def test_it_goes_by_itself_and_the_others_stay(owner: User) -> None:
    old, young = temporary(owner), temporary(owner)
    answered(owner, conversation=old)
    kept = answered(owner)
    Conversation.objects.filter(pk=old).update(expires_at=timezone.now() - timedelta(minutes=1))

    expire_conversations()
    expire_conversations()

    left = set(Conversation.objects.values_list("pk", flat=True))
    assert left == {young, kept.conversation.pk}
    assert not Message.objects.filter(conversation=old).exists()


# --- All conversations ---------------------------------------------------------------------------
def test_all_conversations_are_gone_at_once_and_then_for_good(
    owner: User, stranger: User, media: Path
) -> None:
    made = [answered(owner) for _ in range(3)]
    theirs = answered(stranger)
    file = with_file(owner, made[0].conversation, media)
    Conversation.objects.filter(pk=made[1].conversation.pk).update(archived=True)
    share = Share.objects.create(conversation=made[2].conversation, messages=[])
    client = signed_in(owner)

    assert call(client, "DELETE", "/account/conversations").json() == {"conversations": 3}

    assert client.get(f"/c/{made[0].conversation.pk}/").status_code == 404
    assert call(client, "GET", "/conversations").json()["conversations"] == []
    assert Client().get(share.get_absolute_url()).status_code == 404
    purge_conversations()
    assert list(Conversation.objects.all()) == [theirs.conversation]
    assert Message.objects.filter(conversation__owner=owner).count() == 0
    assert not file.exists()
    assert User.objects.filter(pk=owner.pk).exists()


def test_what_was_deleted_for_good_is_not_brought_back(owner: User) -> None:
    made = answered(owner)
    client = signed_in(owner)
    call(client, "DELETE", "/account/conversations")

    answer = call(client, "POST", f"/conversations/{made.conversation.pk}/restore")

    assert answer.status_code == 404
    with pytest.raises(LookupError):
        bring_back(owner, made.conversation.pk)


def test_running_answers_are_asked_to_stop(owner: User) -> None:
    made = asked(owner)
    call(signed_in(owner), "DELETE", "/account/conversations")
    assert Generation.objects.get(pk=made.generation.pk).cancel_requested_at is not None


def test_an_import_would_bring_new_ones(owner: User) -> None:
    client = signed_in(owner)
    client.post("/api/v1/imports", {"file": SimpleUploadedFile("a.json", b"[]")})
    answer = call(client, "DELETE", "/account/conversations")
    assert (answer.status_code, answer.json()["code"]) == (409, "busy")


def test_open_tabs_see_everything_go(
    owner: User, stranger: User, web: Web, open_tab: OpenTab
) -> None:
    made = answered(owner)
    tab, other = open_tab(owner, web), open_tab(stranger, web)

    call(signed_in(owner), "DELETE", "/account/conversations")

    gone = tab.wait_for_type("conversation.deleted")
    assert gone["conversation"] == str(made.conversation.pk)
    assert [event for event in other.events if event["type"] == "conversation.deleted"] == []


def test_nobody_deletes_without_being_signed_in(owner: User) -> None:
    answered(owner)
    assert call(Client(), "DELETE", "/account/conversations").status_code == 401
    assert call(Client(), "POST", "/account/delete", {"proof": PASSWORD}).status_code == 401
    _, secret = create_key(owner, "a program")
    program = Client(headers={"authorization": f"Bearer {secret}"})
    assert call(program, "GET", "/conversations").status_code == 200
    assert call(program, "DELETE", "/account/conversations").status_code == 401
    assert call(program, "POST", "/account/delete", {"proof": PASSWORD}).status_code == 401
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert call(strict, "DELETE", "/account/conversations").status_code == 403
    assert call(strict, "POST", "/account/delete", {"proof": PASSWORD}).status_code == 403
    assert Conversation.objects.filter(deleted_at=None).count() == 1


# --- The account ---------------------------------------------------------------------------------
def test_an_account_is_closed_at_once_and_then_really_removed(
    owner: User, stranger: User, media: Path
) -> None:
    made, theirs = answered(owner), answered(stranger)
    files = [with_file(owner, made.conversation, media), with_file(owner, None, media)]
    Prompt.objects.create(owner=owner, title="a", text="a")
    Folder.objects.create(owner=owner, name="a")
    share = Share.objects.create(conversation=made.conversation, messages=[])
    client, elsewhere = signed_in(owner), signed_in(owner)

    assert call(client, "POST", "/account/delete", {"proof": PASSWORD}).status_code == 204

    assert elsewhere.get("/").status_code == 302
    assert not Client().login(username="owner", password=PASSWORD)
    assert Client().get(share.get_absolute_url()).status_code == 404
    remove_account(str(owner.pk))
    assert list(User.objects.all()) == [stranger]
    assert list(Conversation.objects.all()) == [theirs.conversation]
    assert [kind.objects.count() for kind in (Attachment, Prompt, Folder, Share)] == [0] * 4
    assert not any(file.exists() for file in files)


@pytest.mark.parametrize("proof", ["", "wrong", "owner"])
def test_a_wrong_password_deletes_nothing(owner: User, proof: str) -> None:
    answered(owner)
    answer = call(signed_in(owner), "POST", "/account/delete", {"proof": proof})

    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_proof")
    owner.refresh_from_db()
    assert (owner.is_active, owner.leaving_at) == (True, None)
    assert Conversation.objects.filter(deleted_at=None).count() == 1


def test_guesses_are_limited(owner: User) -> None:
    client = signed_in(owner)
    codes = [
        call(client, "POST", "/account/delete", {"proof": "wrong"}).json()["code"]
        for _ in range(12)
    ]
    assert (codes[0], codes[-1]) == ("wrong_proof", "limit_reached")
    answer = call(client, "POST", "/account/delete", {"proof": PASSWORD})
    assert answer.json()["code"] == "limit_reached"


def test_somebody_without_a_password_types_their_name(owner: User) -> None:
    owner.set_unusable_password()
    owner.save(update_fields=["password"])
    client = signed_in(owner)
    assert call(client, "POST", "/account/delete", {"proof": "stranger"}).status_code == 400
    assert call(client, "POST", "/account/delete", {"proof": "owner"}).status_code == 204


def test_the_last_administrator_stays(owner: User, stranger: User) -> None:
    owner.is_superuser = True
    owner.save(update_fields=["is_superuser"])
    client = signed_in(owner)

    refused = call(client, "POST", "/account/delete", {"proof": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")

    User.objects.filter(pk=stranger.pk).update(is_superuser=True)
    assert call(client, "POST", "/account/delete", {"proof": PASSWORD}).status_code == 204


def test_what_a_worker_left_behind_is_removed_by_the_next(owner: User, media: Path) -> None:
    answered(owner)
    answered(owner)
    client = signed_in(owner)
    client.post("/api/v1/imports", {"file": SimpleUploadedFile("a.json", b"[]")})
    (brought,) = [path for path in media.rglob("*") if path.is_file()]
    leaving.leave(owner)
    Conversation.objects.first().delete()  # type: ignore[union-attr]

    assert list(leaving.leaving()) == [owner]
    remove_account(str(owner.pk))
    remove_account(str(owner.pk))
    pick_up_removals()

    assert not User.objects.exists()
    assert not Import.objects.exists()
    assert not brought.exists()


def test_a_user_who_stays_is_never_removed(owner: User) -> None:
    answered(owner)
    remove_account(str(owner.pk))
    User.objects.filter(pk=owner.pk).update(is_active=False)
    remove_account(str(owner.pk))
    assert User.objects.filter(pk=owner.pk).exists()
    assert Conversation.objects.count() == 1


def test_a_worker_removes_an_account_and_its_tabs_are_shut(
    owner: User, web: Web, worker: Process, open_tab: OpenTab
) -> None:
    """Over the broker, while an answer is being written."""
    tab = open_tab(owner, web)
    tab.submit(json.dumps({"tokens": 2000, "rate": 50}))
    tab.wait_for_type("text.delta")

    answer = call(signed_in(owner), "POST", "/account/delete", {"proof": PASSWORD})

    assert answer.status_code == 204
    assert tab.wait_for_close() == 4501
    deadline = time.monotonic() + 120
    while User.objects.filter(pk=owner.pk).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not Generation.objects.exists()


# --- The page ------------------------------------------------------------------------------------
def test_the_page_asks_for_what_the_user_has(owner: User) -> None:
    assert "Your password" in signed_in(owner).get("/accounts/data/").content.decode()
    owner.set_unusable_password()
    owner.save(update_fields=["password"])
    assert "Type your username, owner" in signed_in(owner).get("/accounts/data/").content.decode()
    assert Client().get("/accounts/data/").status_code == 302
