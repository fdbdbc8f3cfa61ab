"""Storing a message: once, where it belongs, and with nothing left behind where it is refused."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from conversations.access import NotFound
from conversations.models import TITLE_CHARS, Conversation, Generation, Message
from conversations.retry import retry
from conversations.submit import Refused, Submitted
from llm.models import ChatModel
from streaming import lease
from tests.rows import answered, asked, kept

pytestmark = pytest.mark.database
THREADS = 4
TIMES = 10


def refused(code: str, call: Callable[[], Any], *, retryable: bool = False) -> str:
    """The sentence of a refusal, after which everything is as it was."""
    before = kept()
    with pytest.raises(Refused) as error:
        call()
    assert (error.value.code, error.value.retryable) == (code, retryable)
    assert kept() == before
    return str(error.value)


def in_threads(work: Callable[[int], Any]) -> list[Any]:
    """What each of many threads that begin at the same moment got, or was refused with."""
    together = threading.Barrier(THREADS)

    def run(number: int) -> Any:
        try:
            together.wait(10)
            return work(number)
        except Refused as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


# --- What is stored ------------------------------------------------------------------------------
def test_a_first_message_opens_a_conversation(owner: User) -> None:
    made = asked(owner, "  What is\n the   answer? ")
    assert (made.created, made.new_conversation) == (True, True)
    conversation = Conversation.objects.get()
    assert (conversation.owner, conversation.title) == (owner, "What is the answer?")
    question, reply = Message.objects.order_by("created_at")
    assert (question.role, question.parent, question.text) == (
        "user",
        None,
        "  What is\n the   answer? ",
    )
    assert (reply.role, reply.parent, reply.content) == ("assistant", question, [])
    generation = Generation.objects.get()
    assert (generation.prompt, generation.message) == (question, reply)
    assert (generation.status, generation.attempt, generation.seq) == ("queued", 0, 0)
    assert generation.model_slug == "fake"


def test_a_long_first_message_gives_a_short_title(owner: User) -> None:
    title = asked(owner, "word " * 100).conversation.title
    assert len(title) <= TITLE_CHARS
    assert title.endswith("word…")


def test_a_message_follows_an_answer(owner: User) -> None:
    first = answered(owner)
    second = asked(owner, "And?", conversation=first.conversation.pk, parent=first.reply.pk)
    assert (second.created, second.new_conversation) == (True, False)
    assert second.message.parent == first.reply
    assert Conversation.objects.count() == 1
    assert second.conversation.title == first.conversation.title


def test_a_message_with_the_parent_of_another_is_its_edit(owner: User) -> None:
    first = answered(owner)
    at: dict[str, Any] = {"conversation": first.conversation.pk, "parent": first.reply.pk}
    second, third = answered(owner, "And?", **at), asked(owner, "And then?", **at)
    assert second.message.parent == third.message.parent == first.reply
    assert asked(owner, "Hello again", conversation=first.conversation.pk).message.parent is None


def test_two_branches_may_be_answered_at_the_same_time(owner: User) -> None:
    first = answered(owner)
    at: dict[str, Any] = {"conversation": first.conversation.pk, "parent": first.reply.pk}
    asked(owner, "One way", **at)
    asked(owner, "Another way", **at)
    assert Generation.objects.filter(status__in=Generation.ACTIVE).count() == 2


def test_the_model_that_is_named_answers(owner: User) -> None:
    assert asked(owner, model="demo").generation.model_slug == "demo"


# --- Sending twice is sending once ---------------------------------------------------------------
def ids(made: Submitted) -> tuple[Any, ...]:
    return made.conversation.pk, made.message.pk, made.reply.pk, made.generation.pk


def test_the_same_message_again_is_the_first_one(owner: User) -> None:
    same = uuid.uuid4()
    first = asked(owner, client_message_id=same)
    before = kept()
    for conversation in (None, first.conversation.pk):
        again = asked(owner, client_message_id=same, conversation=conversation)
        assert (ids(again), again.created) == (ids(first), False)
    assert kept() == before


def test_the_same_message_finds_no_conversation_that_was_deleted(owner: User) -> None:
    same = uuid.uuid4()
    first = asked(owner, client_message_id=same)
    Conversation.objects.update(deleted_at=timezone.now())
    for conversation in (None, first.conversation.pk):
        with pytest.raises(NotFound):
            asked(owner, client_message_id=same, conversation=conversation)


def test_the_same_message_after_its_answer_is_the_first_one(owner: User) -> None:
    same = uuid.uuid4()
    first = answered(owner, client_message_id=same)
    again = asked(owner, client_message_id=same)
    assert (ids(again), again.generation.status) == (ids(first), "completed")


def test_the_same_id_for_another_message_is_a_conflict(owner: User) -> None:
    same = uuid.uuid4()
    first = answered(owner, client_message_id=same)
    at = first.conversation.pk
    refused("conflict", lambda: asked(owner, "Other", client_message_id=same))
    refused("conflict", lambda: asked(owner, "Other", client_message_id=same, conversation=at))
    parent = first.reply.pk
    refused(
        "conflict",
        lambda: asked(owner, client_message_id=same, conversation=at, parent=parent),
    )


def test_the_same_id_in_another_conversation_is_another_message(owner: User) -> None:
    same, other = uuid.uuid4(), answered(owner)
    first = asked(owner, client_message_id=same)
    second = asked(owner, "Other", client_message_id=same, conversation=other.conversation.pk)
    assert ids(first) != ids(second)


def test_the_same_id_of_another_user_is_another_message(owner: User, stranger: User) -> None:
    same = uuid.uuid4()
    mine, theirs = asked(owner, client_message_id=same), asked(stranger, client_message_id=same)
    assert mine.conversation.pk != theirs.conversation.pk
    assert theirs.conversation.owner == stranger


def test_a_message_that_many_send_at_once_is_stored_once(owner: User) -> None:
    for _ in range(TIMES):
        same = uuid.uuid4()
        made = in_threads(lambda _: asked(owner, client_message_id=same))  # noqa: B023
        assert len({ids(one) for one in made}) == 1
        assert sum(one.created for one in made) == 1
    assert Conversation.objects.count() == Generation.objects.count() == TIMES
    assert Message.objects.count() == 2 * TIMES


def test_of_two_texts_with_one_id_at_once_one_is_stored(owner: User) -> None:
    for _ in range(TIMES):
        same = uuid.uuid4()
        made = in_threads(lambda number: asked(owner, f"{number}", client_message_id=same))  # noqa: B023
        stored = [one for one in made if isinstance(one, Submitted)]
        conflicts = [one for one in made if isinstance(one, Refused)]
        assert len(stored) == 1
        assert {one.code for one in conflicts} == {"conflict"}
        assert Message.objects.get(pk=stored[0].message.pk).text == stored[0].message.text
    assert Generation.objects.count() == TIMES


# --- One active generation for each branch -------------------------------------------------------
def test_a_retry_is_a_sibling(owner: User) -> None:
    first = answered(owner)
    reply, generation = retry(owner, first.reply.pk, None)[:2]
    assert (reply.parent, generation.prompt) == (first.message, first.message)
    assert reply.pk != first.reply.pk
    assert generation.model_slug == first.generation.model_slug


def test_an_answer_that_is_being_written_can_neither_be_followed_nor_tried_again(
    owner: User,
) -> None:
    first = asked(owner)
    at: dict[str, Any] = {"conversation": first.conversation.pk, "parent": first.reply.pk}
    for worker in (None, "a test"):
        if worker:
            lease.claim(first.generation.pk, worker)
        refused("busy", lambda: asked(owner, "And?", **at), retryable=True)
        refused("busy", lambda: retry(owner, first.reply.pk, None), retryable=True)


def test_of_many_retries_at_once_one_is_started(owner: User) -> None:
    for _ in range(TIMES):
        first = answered(owner)
        in_threads(lambda _: retry(owner, first.reply.pk, None))  # noqa: B023
        assert first.message.answers.filter(status__in=Generation.ACTIVE).count() == 1
        assert first.message.children.count() == 2


def test_only_an_answer_can_be_tried_again(owner: User) -> None:
    first = answered(owner)
    refused("conflict", lambda: retry(owner, first.message.pk, None))
    system = Message.objects.create(conversation=first.conversation, role="system")
    refused("conflict", lambda: retry(owner, system.pk, None))


# --- What is refused -----------------------------------------------------------------------------
def test_an_empty_message_is_refused(owner: User) -> None:
    for text in ("", " \n\t", "\u3000\u2003"):
        assert "empty" in refused("empty", lambda: asked(owner, text))  # noqa: B023


def test_the_limit_on_characters_is_a_setting(owner: User, settings: Settings) -> None:
    assert django_settings.MESSAGE_CHARS == 32_000
    settings.MESSAGE_CHARS = 10
    asked(owner, "🙂" * 10)
    sentence = refused("too_long", lambda: asked(owner, "🙂" * 11))
    assert "11" in sentence
    assert "10" in sentence


def test_a_nul_is_refused(owner: User) -> None:
    refused("bad_command", lambda: asked(owner, "a\0b"))


def test_a_model_that_is_not_offered_is_refused(owner: User) -> None:
    assert "“nothing”" in refused("model_unavailable", lambda: asked(owner, model="nothing"))
    ChatModel.objects.filter(slug="demo").update(enabled=False)
    refused("model_unavailable", lambda: asked(owner, model="demo"))


def test_without_any_model_a_message_is_refused(owner: User) -> None:
    ChatModel.objects.update(enabled=False)
    refused("model_unavailable", lambda: asked(owner))


def test_a_retry_without_its_old_model_takes_the_default(owner: User) -> None:
    first = answered(owner, model="demo")
    ChatModel.objects.filter(slug="demo").update(enabled=False)
    assert retry(owner, first.reply.pk, None)[1].model_slug == "fake"


def test_what_is_anothers_or_missing_is_not_found(owner: User, stranger: User) -> None:
    own, other = answered(owner), answered(stranger)
    at: dict[str, Any] = {"conversation": own.conversation.pk}
    calls: list[Callable[[], Any]] = [
        lambda: asked(owner, conversation=other.conversation.pk),
        lambda: asked(owner, conversation=uuid.uuid4()),
        lambda: asked(owner, **at, parent=other.reply.pk),
        lambda: asked(owner, **at, parent=answered_elsewhere.reply.pk),
        lambda: asked(owner, **at, parent=uuid.uuid4()),
        lambda: asked(owner, parent=own.reply.pk),
        lambda: retry(owner, other.reply.pk, None),
        lambda: retry(owner, uuid.uuid4(), None),
    ]
    answered_elsewhere = answered(owner)
    before = kept()
    for call in calls:
        with pytest.raises(NotFound):
            call()
    assert kept() == before
