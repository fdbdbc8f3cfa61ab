"""Lists, folders, the archive and deletion over `/api/v1/`."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from conversations import removal
from conversations.lists import Cursor, sidebar
from conversations.models import Conversation, Folder, Generation
from conversations.tasks import purge
from tests.conftest import OpenTab
from tests.rows import answered, asked
from tests.stack import Process, Web

pytestmark = pytest.mark.database
ROOT = "/api/v1"
Ask = Callable[..., tuple[int, Any]]


def caller(user: User) -> Ask:
    client = Client()
    client.force_login(user)

    def ask(method: str, path: str, **body: Any) -> tuple[int, Any]:
        response = client.generic(
            method, ROOT + path, json.dumps(body), content_type="application/json"
        )
        return response.status_code, response.json() if response.content else None

    return ask


@pytest.fixture
def ask(owner: User) -> Ask:
    return caller(owner)


@pytest.fixture
def foreign(stranger: User) -> Ask:
    return caller(stranger)


def made(user: User, number: int, **fields: Any) -> list[Conversation]:
    """The first is the newest. Pairs share their time, as imported ones do."""
    now = timezone.now()
    return Conversation.objects.bulk_create(
        Conversation(
            owner=user, title=f"t{at}", updated_at=now - timedelta(hours=at // 2), **fields
        )
        for at in range(number)
    )


def titles(answer: dict[str, Any]) -> list[str]:
    return [one["title"] for one in answer["conversations"]]


# --- Pages ---------------------------------------------------------------------------------------
def test_pages_follow_each_other_without_a_hole_or_a_double(owner: User, ask: Ask) -> None:
    made(owner, 25)
    seen: list[str] = []
    before = ""
    for size in (10, 10, 5):
        status, found = ask("GET", f"/conversations?limit=10&before={before}")
        assert (status, len(found["conversations"])) == (200, size)
        seen += titles(found)
        before = found["next"]
    assert before is None
    assert sorted(seen) == sorted(f"t{at}" for at in range(25))
    assert [int(title[1:]) // 2 for title in seen] == sorted(at // 2 for at in range(25))


def test_a_page_says_what_is_running(owner: User, ask: Ask) -> None:
    running = asked(owner)
    _, found = ask("GET", "/conversations")
    assert found["conversations"][0]["active"] == [str(running.generation.pk)]


def test_deleted_temporary_archived_and_foreign_ones_are_not_listed(
    owner: User, stranger: User, ask: Ask
) -> None:
    now = timezone.now()
    made(owner, 1)
    made(owner, 1, deleted_at=now)
    made(owner, 1, expires_at=now + timedelta(days=1))
    made(stranger, 1)
    made(owner, 2, archived=True)
    assert len(ask("GET", "/conversations")[1]["conversations"]) == 1
    assert len(ask("GET", "/conversations?archived=true")[1]["conversations"]) == 2


def test_a_folder_lists_what_is_in_it(owner: User, stranger: User, ask: Ask) -> None:
    folder = Folder.objects.create(owner=owner, name="Work")
    made(owner, 2, folder=folder)
    made(owner, 1)
    made(owner, 1, pinned=True)
    foreign = Folder.objects.create(owner=stranger, name="Work")
    assert len(ask("GET", f"/conversations?folder={folder.pk}")[1]["conversations"]) == 2
    assert len(ask("GET", "/conversations?folder=none")[1]["conversations"]) == 1
    assert len(ask("GET", "/conversations")[1]["conversations"]) == 4
    assert ask("GET", f"/conversations?folder={foreign.pk}")[0] == 404
    assert ask("GET", "/conversations?folder=some")[0] == 422


@pytest.mark.parametrize("before", ["x", "1.x", "99999999999999999999.00", "-", "1", "%00"])
def test_a_cursor_that_no_page_gave_is_refused(ask: Ask, before: str) -> None:
    status, error = ask("GET", f"/conversations?before={before}")
    assert (status, error["message"][:8]) == (422, "before: ")


def test_a_cursor_is_exact_to_the_microsecond() -> None:
    cursor = Cursor(timezone.now(), uuid.uuid4())
    assert Cursor.read(str(cursor)) == cursor


def test_the_page_opens_with_few_queries_however_many_there_are(owner: User) -> None:
    made(owner, 120)
    made(owner, 3, pinned=True)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = sidebar(owner)
    assert len(found["conversations"]) == 53
    assert found["next"]
    assert len(queries) <= 5


@pytest.mark.skipif("connection.vendor != 'postgresql'")
@pytest.mark.parametrize("query", ["folder=none", "archived=true"])
def test_postgresql_walks_an_index_instead_of_sorting(owner: User, query: str) -> None:
    made(owner, 3000, archived="archived" in query)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE conversations_conversation")
    client = Client()
    client.force_login(owner)
    with CaptureQueriesContext(connection) as queries:
        client.get(f"{ROOT}/conversations?{query}")
    wanted = next(q["sql"] for q in queries if "ORDER BY" in q["sql"] and "owner_id" in q["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {wanted}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan or "Incremental" in plan


# --- Changes -------------------------------------------------------------------------------------
def test_what_is_changed_reaches_every_tab(
    owner: User, ask: Ask, web: Web, open_tab: OpenTab
) -> None:
    row = answered(owner).conversation
    row.refresh_from_db()
    used = row.updated_at
    folder = Folder.objects.create(owner=owner, name="Work")
    tab = open_tab(owner, web)
    tab.ask("ping")
    for changes in (
        {"title": "Renamed"},
        {"pinned": True},
        {"archived": True},
        {"folder": str(folder.pk)},
        {"folder": None},
    ):
        status, answer = ask("PATCH", f"/conversations/{row.pk}", **changes)
        assert status == 200
        assert {name: answer[name] for name in changes} == changes
        news = tab.wait_for(lambda event: event["type"] == "conversation.updated")
        assert {name: news[name] for name in changes} == changes
    row.refresh_from_db()
    assert (row.title_source, row.updated_at) == ("user", used)


@pytest.mark.parametrize(
    "changes", [{"title": ""}, {"title": "  "}, {"title": "x" * 81}, {"title": "a\0b"}]
)
def test_a_title_that_cannot_be_is_refused(owner: User, ask: Ask, changes: dict[str, str]) -> None:
    row = answered(owner).conversation
    assert ask("PATCH", f"/conversations/{row.pk}", **changes)[0] == 422


def test_a_conversation_cannot_go_into_the_folder_of_another(
    owner: User, stranger: User, ask: Ask
) -> None:
    row = answered(owner).conversation
    folder = Folder.objects.create(owner=stranger, name="Theirs")
    assert ask("PATCH", f"/conversations/{row.pk}", folder=str(folder.pk))[0] == 404
    row.refresh_from_db()
    assert row.folder is None


def test_a_stranger_finds_nothing_to_change(owner: User, foreign: Ask) -> None:
    row = answered(owner).conversation
    folder = Folder.objects.create(owner=owner, name="Work")
    at, within = f"/conversations/{row.pk}", f"/folders/{folder.pk}"
    answers = [
        foreign("PATCH", at, title="Mine"),
        foreign("DELETE", at),
        foreign("POST", f"{at}/restore"),
        foreign("PATCH", within, name="Mine"),
        foreign("DELETE", within),
    ]
    assert [status for status, _ in answers] == [404] * 5
    row.refresh_from_db()
    assert (row.title, row.deleted_at, Folder.objects.get().name) == ("Hello", None, "Work")


# --- Deletion ------------------------------------------------------------------------------------
def test_what_is_deleted_is_gone_everywhere_and_can_be_brought_back(
    owner: User, ask: Ask, web: Web, open_tab: OpenTab
) -> None:
    row = answered(owner).conversation
    tab = open_tab(owner, web)
    tab.ask("ping")
    assert ask("DELETE", f"/conversations/{row.pk}") == (204, None)
    tab.wait_for(lambda event: event["type"] == "conversation.deleted")
    assert ask("DELETE", f"/conversations/{row.pk}")[0] == 404
    assert ask("PATCH", f"/conversations/{row.pk}", pinned=True)[0] == 404
    assert tab.ask("resume", conversation=str(row.pk))["code"] == "not_found"
    status, answer = ask("POST", f"/conversations/{row.pk}/restore")
    assert (status, answer["title"]) == (200, "Hello")
    tab.wait_for(lambda event: event["type"] == "conversation.updated")
    assert tab.ask("resume", conversation=str(row.pk))["type"] == "ack"


def test_an_answer_on_its_way_is_stopped_by_the_deletion(
    owner: User, ask: Ask, web: Web, worker: Process, open_tab: OpenTab
) -> None:
    tab = open_tab(owner, web)
    sent = tab.submit(json.dumps({"tokens": 2000, "rate": 20}))
    tab.wait_for(lambda event: event["type"] == "text.delta")
    assert ask("DELETE", f"/conversations/{sent['conversation']}")[0] == 204
    tab.wait_for(lambda event: event["type"] == "generation.cancelled")
    assert Generation.objects.get().status == "cancelled"


def test_only_what_was_deleted_long_enough_ago_is_removed(owner: User, ask: Ask) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    kept, recent, old = (answered(owner, text).conversation for text in ("a", "b", "c"))
    removal.hide(recent)
    Conversation.objects.filter(pk=old.pk).update(deleted_at=long_ago)
    purge()
    purge()
    assert set(Conversation.objects.values_list("pk", flat=True)) == {kept.pk, recent.pk}
    assert ask("POST", f"/conversations/{old.pk}/restore")[0] == 404
    assert ask("POST", f"/conversations/{recent.pk}/restore")[0] == 200


# --- Folders -------------------------------------------------------------------------------------
def test_folders_are_made_renamed_and_deleted_in_every_tab(
    owner: User, ask: Ask, web: Web, open_tab: OpenTab
) -> None:
    tab = open_tab(owner, web)
    tab.ask("ping")

    def news() -> list[str]:
        event = tab.wait_for(lambda event: event["type"] == "folders.updated")
        return [folder["name"] for folder in event["folders"]]

    status, folder = ask("POST", "/folders", name=" Work ")
    assert (status, folder["name"], news()) == (201, "Work", ["Work"])
    row = answered(owner).conversation
    ask("PATCH", f"/conversations/{row.pk}", folder=folder["id"])
    assert ask("PATCH", f"/folders/{folder['id']}", name="Play")[0] == 200
    assert news() == ["Play"]
    assert ask("GET", "/folders") == (200, [{"id": folder["id"], "name": "Play"}])
    assert ask("DELETE", f"/folders/{folder['id']}") == (204, None)
    assert news() == []
    row.refresh_from_db()
    assert (row.folder, row.deleted_at) == (None, None)


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\0b"])
def test_a_folder_needs_a_name(ask: Ask, name: str) -> None:
    assert ask("POST", "/folders", name=name)[0] == 422


def test_two_folders_of_a_name_are_refused(ask: Ask, foreign: Ask) -> None:
    _, first = ask("POST", "/folders", name="Work")
    _, other = ask("POST", "/folders", name="Play")
    status, error = ask("POST", "/folders", name="Work")
    assert (status, error["code"]) == (409, "conflict")
    assert ask("PATCH", f"/folders/{other['id']}", name="Work")[0] == 409
    assert ask("PATCH", f"/folders/{first['id']}", name="Work")[0] == 200
    assert foreign("POST", "/folders", name="Work")[0] == 201


def test_nothing_is_answered_without_a_session(owner: User) -> None:
    row = answered(owner).conversation
    for method, path in (("get", "/conversations"), ("delete", f"/conversations/{row.pk}")):
        response = getattr(Client(), method)(ROOT + path)
        assert (response.status_code, response.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/me/preferences", '{"language": "\\ud800"}'),
        ("/account/delete", '{"proof": "\\ud800"}'),
        ("/presets", '{"name": "x", "temperature": NaN}'),
        ("/folders", '{"name": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    ],
)
def test_what_is_no_json_is_refused(owner: User, path: str, body: str) -> None:
    client = Client()
    client.force_login(owner)
    method = "PATCH" if path.startswith("/me") else "POST"
    answer = client.generic(method, f"/api/v1{path}", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["code"] == "refused"
