"""A page has a part of the shown path, and asks for the rest as it is needed."""

import uuid
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from conversations.history import turns_until
from conversations.models import Conversation, Message
from conversations.views import page_data
from conversations.windows import ABOVE, WINDOW
from llm.models import ChatModel
from tests.rows import NOBODYS, answered

pytestmark = pytest.mark.database
Window = dict[str, Any]


@pytest.fixture
def client(owner: User, client: Client) -> Client:
    client.force_login(owner)
    return client


def written(
    conversation: Conversation, number: int, parent: Message | None = None, name: str = "m"
) -> list[Message]:
    """Messages one below the other, in turns; each its name and number."""
    start = timezone.now()
    made: list[Message] = []
    for index in range(number):
        parent = made[-1] if made else parent
        asks = parent is None or parent.role == Message.Role.ASSISTANT
        made.append(
            Message(
                conversation=conversation,
                parent=parent,
                role=Message.Role.USER if asks else Message.Role.ASSISTANT,
                content=[{"type": "text", "text": f"{name}{index}"}],
                created_at=start + timedelta(microseconds=index),
            )
        )
    return Message.objects.bulk_create(made)


@pytest.fixture
def conversation(owner: User) -> Conversation:
    return Conversation.objects.create(owner=owner, title="Long")


def ask(client: Client, conversation: Conversation, **which: UUID | str) -> Window:
    answer = client.get(
        f"/api/v1/conversations/{conversation.pk}/messages",
        {name: str(pk) for name, pk in which.items()},
    )
    assert answer.status_code == 200, answer.content
    window: Window = answer.json()
    return window


def page_of(conversation: Conversation, **query: str) -> Window:
    """What the server puts on the conversation's page."""
    request = RequestFactory().get(f"/c/{conversation.pk}/", query)
    request.user = conversation.owner
    return page_data(request, conversation)


def texts(window: Window) -> list[str]:
    return [message["content"][0]["text"] for message in window["messages"]]


def names(start: int, stop: int, name: str = "m") -> list[str]:
    return [f"{name}{index}" for index in range(start, stop)]


def test_a_page_has_the_newest_messages(conversation: Conversation) -> None:
    made = written(conversation, 130)

    page = page_of(conversation)

    assert texts(page) == names(130 - WINDOW, 130)
    assert page["newer"] == []
    assert page["latest"] == str(made[-1].pk)
    assert page["message"] is None


def test_a_page_without_messages_is_empty(conversation: Conversation) -> None:
    page = page_of(conversation)

    assert (page["messages"], page["newer"], page["latest"]) == ([], [], None)


def test_a_short_conversation_comes_whole(client: Client, conversation: Conversation) -> None:
    made = written(conversation, 3)

    window = ask(client, conversation)

    assert texts(window) == names(0, 3)
    assert [message["parent"] for message in window["messages"]] == [
        None,
        str(made[0].pk),
        str(made[1].pk),
    ]
    assert all("siblings" not in message for message in window["messages"])


def test_older_messages_lead_to_the_beginning(client: Client, conversation: Conversation) -> None:
    written(conversation, 130)
    window = ask(client, conversation)
    read = texts(window)
    while window["messages"][0]["parent"]:
        window = ask(client, conversation, before=window["messages"][0]["id"])
        read = texts(window) + read

    assert read == names(0, 130)


def test_newer_messages_lead_to_the_end(client: Client, conversation: Conversation) -> None:
    made = written(conversation, 130)
    window = ask(client, conversation, starting=made[0].pk)
    read = texts(window)
    while window["newer"]:
        assert window["latest"] == str(made[-1].pk)
        window = ask(client, conversation, starting=window["newer"][-1])
        read += texts(window)

    assert read == names(0, 130)


def test_a_message_in_the_middle_opens_with_its_surroundings(
    client: Client, conversation: Conversation
) -> None:
    made = written(conversation, 200)

    window = ask(client, conversation, through=made[100].pk)

    assert texts(window) == names(100 - ABOVE, 100 - ABOVE + WINDOW)
    assert window["newer"] == [str(made[100 - ABOVE + WINDOW].pk)]
    page = page_of(conversation, message=str(made[100].pk))
    assert texts(page) == texts(window)
    assert page["message"] == str(made[100].pk)


@pytest.mark.parametrize("message", ["nonsense", NOBODYS])
def test_a_page_that_is_asked_for_no_message_of_its_own_shows_the_newest(
    conversation: Conversation, message: str
) -> None:
    written(conversation, 3)

    page = page_of(conversation, message=message)

    assert texts(page) == names(0, 3)
    assert page["message"] is None


def test_versions_are_told_without_their_texts(client: Client, conversation: Conversation) -> None:
    trunk = written(conversation, 4)
    edit = written(conversation, 2, trunk[1], "edit")

    window = ask(client, conversation)

    assert texts(window) == ["m0", "m1", "edit0", "edit1"]
    both = [str(trunk[2].pk), str(edit[0].pk)]
    assert [message.get("siblings") for message in window["messages"]] == [None, None, both, None]


def test_the_other_version_comes_with_what_is_below_it(
    client: Client, conversation: Conversation
) -> None:
    trunk = written(conversation, 120)
    written(conversation, 2, trunk[1], "edit")

    window = ask(client, conversation, starting=trunk[2].pk)

    assert texts(window) == names(2, 2 + WINDOW)
    assert window["latest"] == str(trunk[-1].pk)


def test_who_goes_on_from_an_older_version_finds_it_again(
    client: Client, conversation: Conversation
) -> None:
    trunk = written(conversation, 4)
    written(conversation, 2, trunk[1], "edit")
    written(conversation, 2, trunk[-1], "on")

    assert texts(ask(client, conversation)) == ["m0", "m1", "m2", "m3", "on0", "on1"]


def test_an_answer_with_the_time_of_its_question_still_comes_after_it(
    client: Client, conversation: Conversation
) -> None:
    written(conversation, 4)
    Message.objects.update(created_at=timezone.now())

    window = ask(client, conversation)

    parents = [message["parent"] for message in window["messages"]]
    assert parents == [None, *(message["id"] for message in window["messages"][:-1])]
    assert len(parents) == 4


def test_a_window_takes_the_same_few_queries_whatever_the_length(
    client: Client,
    conversation: Conversation,
    owner: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with_answers = answered(owner).conversation
    written(conversation, 300)
    for one in (with_answers, conversation):
        # The session, the user, the conversation, the tree, the messages.
        with django_assert_num_queries(5):
            ask(client, one)


def test_the_messages_of_others_are_not_there(
    client: Client, conversation: Conversation, stranger: User
) -> None:
    foreign = answered(stranger)
    own = written(conversation, 1)[0]
    there = f"/api/v1/conversations/{foreign.conversation.pk}/messages"
    here = f"/api/v1/conversations/{conversation.pk}/messages"
    missing = f"/api/v1/conversations/{uuid.uuid4()}/messages"
    for path, which in [
        (there, {}),
        (there, {"through": own.pk}),
        (missing, {}),
        (here, {"through": foreign.message.pk}),
        (here, {"before": foreign.message.pk}),
        (here, {"starting": uuid.uuid4()}),
    ]:
        answer = client.get(path, {name: str(pk) for name, pk in which.items()})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (path, which)
    assert Client().get(here).status_code == 401


def test_the_model_is_given_the_path_and_nothing_beside_it(conversation: Conversation) -> None:
    trunk = written(conversation, 4)
    edit = written(conversation, 2, trunk[1], "edit")
    Message.objects.filter(pk=trunk[1].pk).update(content=[])

    turns = turns_until(edit[0], ChatModel(slug="fake"))

    assert [(turn.role, turn.content[0]["text"]) for turn in turns] == [
        ("user", "m0"),
        ("user", "edit0"),
    ]
