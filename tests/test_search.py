"""Full-text search, the same on both databases."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from conversations import removal
from conversations.models import Conversation, SearchText
from conversations.search.excerpt import excerpt
from conversations.search.index import index_conversation
from conversations.search.match import matching
from conversations.search.words import Term, terms_of
from streaming import lease
from tests.conftest import OpenTab
from tests.rows import answered, asked, completed
from tests.stack import Process, Web

pytestmark = pytest.mark.database


class Searcher:
    def __init__(self, user: User) -> None:
        self._client = Client()
        self._client.force_login(user)

    def page(self, query: str, before: str = "") -> dict[str, Any]:
        response = self._client.get("/api/v1/search", {"q": query, "before": before})
        assert response.status_code == 200, response.content
        found: dict[str, Any] = response.json()
        return found

    def __call__(self, query: str) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = self.page(query)["results"]
        return results

    def texts(self, query: str) -> list[str]:
        """Of the messages that are found."""
        return [joined(hit["excerpt"]) for hit in self(query) if hit["message"]]


@pytest.fixture
def find(owner: User) -> Searcher:
    return Searcher(owner)


def joined(pieces: list[dict[str, Any]]) -> str:
    return "".join(piece["text"] for piece in pieces)


def marked(pieces: list[dict[str, Any]]) -> list[str]:
    return [piece["text"] for piece in pieces if piece["hit"]]


# --- What is found -------------------------------------------------------------------------------
def test_questions_answers_and_titles_are_found_with_their_hits(
    owner: User, find: Searcher
) -> None:
    made = answered(owner, "How do lighthouses work?", "A lamp turns behind a Fresnel lens.")
    (answer,) = find("fresnel")
    assert answer["message"] == str(made.reply.pk)
    assert (answer["conversation"], answer["role"]) == (str(made.conversation.pk), "assistant")
    assert joined(answer["excerpt"]) == "A lamp turns behind a Fresnel lens."
    assert marked(answer["excerpt"]) == ["Fresnel"]

    title, question = find("lighthouses")
    assert (title["message"], title["excerpt"]) == (None, [])
    assert marked(title["title"]) == ["lighthouses"]
    assert question["message"] == str(made.message.pk)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("queue", True),
        ("asyncio", True),
        ("ASYNCIO.queue", True),
        ("get_nowait", True),
        ("nowait", True),
        ("nowa", True),
        ("nowa ", False),
        ("owait", False),
        ('"bounded queue"', True),
        ('"queue bounded"', False),
        ('"bounded que', True),
        ("bounded -unbounded", True),
        ("bounded -nowait", False),
        ('-"bounded queue" asyncio', False),
        ("creme", True),
        ("brûlée", True),
        ("CRÈME", True),
        ("крем", True),
        ("8601", True),
        ("iso 8601", True),
        ("example", True),
        ("docs.example.com/path", True),
        ("don't", True),
        ("quoted", True),
        ("0x1f", True),
        ("bounded missing", False),
    ],
)
def test_words_are_found_as_they_were_meant(
    owner: User, find: Searcher, query: str, found: bool
) -> None:
    text = (
        "Use a bounded queue: `asyncio.Queue.get_nowait()`. Crème brûlée, Крем. ISO-8601 and 0x1F;"
        " see https://docs.example.com/path/file.html, don't wait, “quoted”—so."
    )
    answered(owner, "Hi", text)
    assert bool(find.texts(query)) is found


@pytest.mark.parametrize(
    "query",
    ["", " ", "-", '"', '""', "-only", "&|!()", "'", "\\", "%", "*", ":*", "a:*b", "😀", '"(',
     "NOT", "OR AND", "NEAR(a b)", "text : a", "' | 'a", "x" * 200, "\0", "a\0b", "^a", "{a}"],
)  # fmt: skip
def test_no_query_is_an_error(owner: User, find: Searcher, query: str) -> None:
    answered(owner)
    find(query)


def test_a_longer_query_is_refused(owner: User) -> None:
    client = Client()
    client.force_login(owner)
    assert client.get("/api/v1/search", {"q": "x" * 201}).status_code == 422


def test_the_newest_come_first_and_pages_follow_each_other(owner: User, find: Searcher) -> None:
    first = answered(owner, "needle 0", "needle a")
    for number in range(1, 15):
        answered(owner, f"needle {number}", "needle a", conversation=first.conversation.pk)
    found = find.page("needle")
    assert found["results"][0]["message"] is None
    messages = [hit for hit in found["results"] if hit["message"]]
    rest = find.page("needle", found["next"])
    assert (len(messages), len(rest["results"]), rest["next"]) == (20, 10, None)
    times = [hit["at"] for hit in messages + rest["results"]]
    assert times == sorted(times, reverse=True)
    assert len({hit["message"] for hit in messages + rest["results"]}) == 30


# --- What is never found -------------------------------------------------------------------------
def test_nothing_of_others_deleted_or_temporary_is_found(
    owner: User, stranger: User, find: Searcher
) -> None:
    secret = answered(stranger, "zebra", "zebra").conversation
    deleted = answered(owner, "zebra", "zebra").conversation
    temporary = answered(owner, "zebra", "zebra").conversation
    removal.hide(deleted)
    Conversation.objects.filter(pk=temporary.pk).update(expires_at=timezone.now())
    assert find("zebra") == []
    assert len(Searcher(stranger)("zebra")) == 3
    assert {hit["conversation"] for hit in Searcher(stranger)("zebra")} == {str(secret.pk)}
    removal.bring_back(owner, deleted.pk)
    assert {hit["conversation"] for hit in find("zebra")} == {str(deleted.pk)}


def test_the_words_that_part_owners_cannot_be_typed(owner: User, stranger: User) -> None:
    answered(owner, f"zebra owner {stranger.pk}")
    assert Searcher(stranger)(f"owner {stranger.pk}") == []
    assert Searcher(stranger)("zebra") == []


def test_an_archived_conversation_is_found_and_says_so(owner: User, find: Searcher) -> None:
    row = answered(owner, "zebra").conversation
    Conversation.objects.filter(pk=row.pk).update(archived=True)
    assert [hit["archived"] for hit in find("zebra")] == [True, True]


def test_thoughts_and_tool_calls_are_not_found(owner: User, find: Searcher) -> None:
    made = asked(owner)
    claimed = lease.claim(made.generation.pk, "a test")
    assert claimed
    outcome = completed("plain")
    outcome.content.insert(0, {"type": "reasoning", "reasoning": "zebra"})
    assert lease.finish(made.generation.pk, claimed.attempt, outcome)
    assert find("zebra") == []
    assert len(find("plain")) == 1


# --- What is kept in step ------------------------------------------------------------------------
def test_a_new_title_takes_the_old_ones_place(owner: User, find: Searcher) -> None:
    row = answered(owner, "zebra").conversation
    client = Client()
    client.force_login(owner)
    changes = json.dumps({"title": "Giraffe"})
    client.patch(f"/api/v1/conversations/{row.pk}", changes, content_type="application/json")
    assert [hit["message"] for hit in find("giraffe")] == [None]
    assert [hit["message"] is None for hit in find("zebra")] == [False]


def test_what_is_indexed_twice_is_found_once(owner: User, find: Searcher) -> None:
    row = answered(owner, "zebra", "okapi").conversation
    index_conversation(row)
    index_conversation(row)
    assert len(find("okapi")) == 1
    assert SearchText.objects.count() == 3


def test_what_is_removed_is_not_found_any_more(owner: User, find: Searcher) -> None:
    row = answered(owner, "zebra").conversation
    answered(owner, "okapi")
    row.delete()
    assert find("zebra") == []
    assert len(find("okapi")) == 2
    check_index()


def check_index() -> None:
    """SQLite tells by itself whether the index and the texts agree."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO conversations_searchindex (conversations_searchindex, rank)"
                " VALUES ('integrity-check', 1)"
            )


def test_a_very_long_answer_is_stored_and_found_by_its_beginning(
    owner: User, find: Searcher
) -> None:
    # Every word is another one and none is ASCII: the worst that an index can be given.
    text = "zebra " + " ".join(chr(0x20000 + at % 40_000) + chr(0x4E00 + at % 20_000)
                               for at in range(300_000))  # fmt: skip
    answered(owner, "Hi", text)
    assert len(find("zebra")) == 1


def test_a_word_that_is_too_long_to_be_indexed_is_no_error(owner: User, find: Searcher) -> None:
    answered(owner, "zebra", "zebra " + "x" * 90_000)
    assert len(find.texts("zebra")) == 2


def test_an_answer_is_found_once_it_has_ended(
    owner: User, find: Searcher, web: Web, worker: Process, open_tab: OpenTab
) -> None:
    tab = open_tab(owner, web)
    tab.submit(json.dumps({"text": "A lamp turns behind a Fresnel lens."}))
    tab.wait_for(lambda event: event["type"] == "generation.completed")
    assert find.texts("fresnel")[0] == "A lamp turns behind a Fresnel lens."


def test_the_migration_finds_what_is_there_already(owner: User, find: Searcher) -> None:
    answered(owner, "zebra", "okapi")
    call_command("migrate", "conversations", "0006", verbosity=0)
    try:
        assert "conversations_searchtext" not in connection.introspection.table_names()
    finally:
        call_command("migrate", verbosity=0)
    assert len(find("zebra")) == 2
    assert find.texts("okapi") == ["okapi"]


# --- Speed ---------------------------------------------------------------------------------------
MANY = """
    WITH written AS (
        INSERT INTO conversations_message (id, conversation_id, role, content, created_at)
        SELECT gen_random_uuid(), %s, 'user', '[]', now() - at * interval '1 minute'
        FROM generate_series(1, %s) AS at RETURNING id, created_at
    )
    INSERT INTO conversations_searchtext (owner_id, conversation_id, message_id, text, created_at)
    SELECT %s, %s, id, 'common words ' || repeat(left(id::text, 3) || ' ', 8) || %s, created_at
    FROM written
"""


def write_many(user: User, number: int, word: str) -> None:
    at = Conversation.objects.create(owner=user).pk
    with connection.cursor() as cursor:
        cursor.execute(MANY, [at, number, user.pk, at, word])
        cursor.execute("ANALYZE conversations_searchtext")


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_postgresql_reads_the_index_and_nothing_of_others(
    owner: User, stranger: User, find: Searcher
) -> None:
    write_many(owner, 200, "zebra")
    write_many(stranger, 2_000, "zebra")
    found = SearchText.objects.filter(matching([Term(("zebra",))], owner.pk))
    with transaction.atomic(), connection.cursor() as cursor:
        # A table this small is read faster as a whole.
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = found.explain(analyze=True)
    assert "Bitmap Index Scan on conversations_searchtext_vector " in plan
    assert "rows=200.00" in plan.split("Bitmap Index Scan")[1]
    assert len(find("common zebra")) == 20


# --- Words and excerpts --------------------------------------------------------------------------
def test_a_query_becomes_terms() -> None:
    assert terms_of('rust "borrow checker" -async it') == [
        Term(("rust",)),
        Term(("borrow", "checker")),
        Term(("async",), excluded=True),
        Term(("it",), prefix=True),
    ]
    assert terms_of("one ") == [Term(("one",))]
    assert terms_of("snake_case") == [Term(("snake", "case"), prefix=True)]
    assert terms_of("-async") == []


def test_an_excerpt_shows_the_hit_on_one_line() -> None:
    text = "word " * 100 + "the **needle**\n\n| is | here |\n" + "more " * 100
    shown = excerpt(text, terms_of("needle"))
    assert [piece["text"] for piece in shown if piece["hit"]] == ["needle"]
    line = "".join(piece["text"] for piece in shown)
    assert "the needle is here more" in line
    assert line.startswith("…word ")
    assert line.endswith("more…")
    assert len(line) < 220


def test_an_excerpt_of_a_text_without_the_hit_is_its_beginning() -> None:
    assert excerpt("short text", terms_of("needle")) == [{"text": "short text", "hit": False}]
