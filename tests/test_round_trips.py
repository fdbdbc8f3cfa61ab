"""How often one answer asks the database: on a busy host, that is most of what it costs beside its
tokens. A feature that needs one more statement changes a number here, and knows that it does."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from conversations.submit import Submitted
from llm.catalogue import default_model, known, open_default
from streaming.conclude import store_now
from streaming.dispatch import store
from streaming.job import Job, begin
from streaming.lease import Outcome
from tests.rows import answered

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def statements(call: Any, *args: Any, **kwargs: Any) -> tuple[list[str], Any]:
    """What a call sends, BEGIN and COMMIT among it, and what it returns."""
    with CaptureQueriesContext(connection) as asked:
        result = call(*args, **kwargs)
    return [query["sql"] for query in asked.captured_queries], result


def sent(owner: User, **at: Any) -> tuple[list[str], Submitted]:
    given = {"conversation": None, "parent": None, "model": None, **at}
    sql, (made, _) = statements(store, owner, client_message_id=uuid.uuid4(), text="Hello", **given)
    return sql, made


def begun(made: Submitted) -> tuple[list[str], Job]:
    return statements(begin, str(made.generation.pk), "a test")


@pytest.fixture(autouse=True)
def _a_busy_second(settings: Settings, owner: User) -> Iterator[None]:
    """In which others have asked the same models a moment ago."""
    settings.MODELS_KEPT_SECONDS = 60
    model = default_model(owner)
    assert model is not None
    known(model.pk)
    yield
    for kept in (known, open_default):
        kept.forget()


def test_a_first_message(owner: User) -> None:
    sql, made = sent(owner)
    # BEGIN, conversation, two messages, what is searched for, generation, COMMIT.
    assert len(sql) == 6, sql

    sql, job = begun(made)
    # Read, and take.
    assert len(sql) == 2, sql

    outcome = Outcome("completed", 3, [{"type": "text", "text": "Good day"}], {}, {})
    sql, _ = statements(store_now, job.run, outcome)
    # BEGIN, generation, message, what is searched for (read, and put), COMMIT, and what the user's
    # tabs are told.
    assert len(sql) == 7, sql


def test_a_message_that_follows(owner: User) -> None:
    first = answered(owner)
    sql, made = sent(owner, conversation=first.conversation.pk, parent=first.reply.pk)
    # Beside those of a first one: the conversation's last model and whether it is still there, the
    # parent, the conversation's time, and what the tabs are told.
    assert len(sql) == 11, sql

    sql, job = begun(made)
    # The history is two more, however long it is: the tree, and the texts of one path in it.
    assert len(sql) == 4, sql
    assert [turn.role for turn in job.turns] == ["user", "assistant", "user"]
