"""Model, system prompt, temperature and tools of one conversation: kept in its row, used by the
worker, changed over `/api/v1/`."""

import uuid
from typing import Any

import pytest

from accounts.models import User
from conversations.models import Conversation
from llm.models import ChatModel
from llm.models import Provider as ProviderRow
from tests.conftest import OpenTab
from tests.provider import Provider
from tests.rows import answered
from tests.stack import Process, Web
from tests.test_conversations_api import Ask, caller

pytestmark = pytest.mark.database
WISHES = {"system_prompt": "Answer in verse.", "temperature": 0.3, "tools": []}


@pytest.fixture
def ask(owner: User) -> Ask:
    return caller(owner)


@pytest.fixture
def model(transactional_db: None) -> ChatModel:
    """The one of the environment, with a tool and an admin's own words."""
    chosen = ChatModel.objects.get(slug="fake")
    chosen.tools, chosen.system_prompt = ["current_time"], "Be brief."
    chosen.save()
    return chosen


def path_of(conversation: Conversation) -> str:
    return f"/conversations/{conversation.pk}/settings"


def system_words(body: dict[str, Any]) -> list[str]:
    return [one["content"] for one in body["messages"] if one["role"] == "system"]


def test_the_worker_uses_what_the_conversation_says(
    owner: User,
    ask: Ask,
    model: ChatModel,
    web: Web,
    worker: Process,
    open_tab: OpenTab,
    provider: Provider,
) -> None:
    tab = open_tab(owner, web)
    provider.script({"tokens": 3}, {"tokens": 3}, {"tokens": 3})
    first = tab.submit("Hello", settings=WISHES)
    tab.wait_for_end(first["generation"])
    kept = Conversation.objects.get(pk=first["conversation"])
    assert (kept.system_prompt, kept.temperature, kept.tools) == ("Answer in verse.", 0.3, [])

    assert ask("PATCH", path_of(kept), temperature=None, tools=None, system_prompt="")[0] == 200
    second = tab.submit("Again", conversation=first["conversation"], parent=first["reply"])
    tab.wait_for_end(second["generation"])

    wished, plain = (provider.wait_for(number).body for number in (1, 2))
    assert wished["temperature"] == 0.3
    assert "tools" not in wished
    assert system_words(wished) == ["Be brief.\n\nAnswer in verse."]
    assert "temperature" not in plain
    assert [tool["function"]["name"] for tool in plain["tools"]] == ["current_time"]
    assert system_words(plain) == ["Be brief."]


def test_settings_sent_with_a_later_message_change_nothing(
    owner: User, web: Web, worker: Process, open_tab: OpenTab
) -> None:
    tab = open_tab(owner, web)
    first = tab.submit("Hello")
    tab.wait_for_end(first["generation"])

    tab.submit("Again", conversation=first["conversation"], parent=first["reply"], settings=WISHES)

    assert Conversation.objects.get(pk=first["conversation"]).system_prompt == ""


def test_a_first_message_sent_twice_opens_one_conversation_with_its_settings(
    owner: User, web: Web, worker: Process, open_tab: OpenTab
) -> None:
    tab, sent = open_tab(owner, web), str(uuid.uuid4())

    acks = [tab.submit("Hello", client_message_id=sent, settings=WISHES) for _ in range(2)]

    assert acks[0]["generation"] == acks[1]["generation"]
    assert Conversation.objects.get().temperature == 0.3
    tab.wait_for_end(acks[0]["generation"])


def test_a_conversation_remembers_its_model(
    owner: User, ask: Ask, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    other = ChatModel.objects.create(
        slug="other",
        label="Other",
        provider=ProviderRow.objects.get(name="Environment"),
        provider_model="other-one",
    )
    tab = open_tab(owner, web)
    first = tab.submit("Hello", model="other")
    tab.wait_for_end(first["generation"])
    second = tab.submit("Again", conversation=first["conversation"], parent=first["reply"])
    tab.wait_for_end(second["generation"])
    assert provider.wait_for(2).body["model"] == "other-one"
    kept = Conversation.objects.get(pk=first["conversation"])

    assert ask("PATCH", path_of(kept), model="fake")[1]["model"] == "fake"

    third = tab.submit("Once more", conversation=first["conversation"], parent=second["reply"])
    tab.wait_for_end(third["generation"])
    assert provider.wait_for(3).body["model"] == "fake"
    other.delete()


def test_only_what_is_named_is_changed(owner: User, ask: Ask, model: ChatModel) -> None:
    kept = answered(owner).conversation
    Conversation.objects.filter(pk=kept.pk).update(**WISHES)

    status, now = ask("PATCH", path_of(kept), tools=["current_time"])

    assert status == 200
    assert now == {
        "model": "fake", "system_prompt": "Answer in verse.", "temperature": 0.3,
        "tools": ["current_time"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"temperature": 2.1}, 422, "invalid"),
        ({"temperature": -0.1}, 422, "invalid"),
        ({"temperature": "warm"}, 422, "invalid"),
        ({"system_prompt": "x" * 20_001}, 422, "invalid"),
        ({"system_prompt": "a\0b"}, 400, "invalid"),
        ({"tools": ["launch_rockets"]}, 400, "invalid"),
        ({"model": "no-such-model"}, 400, "model_unavailable"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    owner: User, ask: Ask, wanted: dict[str, Any], status: int, code: str
) -> None:
    kept = answered(owner).conversation

    answer = ask("PATCH", path_of(kept), **wanted)

    assert (answer[0], answer[1]["code"]) == (status, code)
    kept.refresh_from_db()
    assert (kept.system_prompt, kept.temperature, kept.tools) == ("", None, None)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"temperature": 3}, "bad_command"),
        ({"mood": "good"}, "bad_command"),
        ({"tools": ["launch_rockets"]}, "invalid"),
        ({"system_prompt": "a\0b"}, "invalid"),
    ],
)
def test_a_message_with_settings_that_cannot_be_is_refused(
    owner: User, web: Web, open_tab: OpenTab, wanted: dict[str, Any], code: str
) -> None:
    refused = open_tab(owner, web).ask(
        "message.submit", client_message_id=str(uuid.uuid4()), text="Hello", settings=wanted
    )

    assert (refused["type"], refused["code"]) == ("error", code)
    assert not Conversation.objects.exists()


def test_a_stranger_cannot_change_them(owner: User, stranger: User) -> None:
    kept = answered(owner).conversation

    status, answer = caller(stranger)("PATCH", path_of(kept), system_prompt="Mine")

    assert (status, answer["code"]) == (404, "not_found")
    kept.refresh_from_db()
    assert kept.system_prompt == ""
