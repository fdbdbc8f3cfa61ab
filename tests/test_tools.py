"""The tools that come with the product, through a real worker where they need the user's rows."""

from typing import Any

import pytest
from langchain_core.tools import ToolException

from accounts.models import User
from conversations.models import Attachment, Conversation
from llm.models import ChatModel
from llm.tools.calculator import calculator
from llm.tools.read_attachment import PART_CHARS, read_attachment
from llm.tools.search_conversations import search_conversations
from tests.api_client import client_of
from tests.client import Tab
from tests.conftest import OpenTab
from tests.provider import Provider
from tests.rows import answered
from tests.stack import Process, Web


# --- Calculator ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("(3 + 4) * 2 ** 10", "7168"),
        ("2 ^ 10", "1024"),
        ("-2 ** 2", "-4"),
        ("7 // 2 + 7 % 4", "6"),
        ("10 / 4", "2.5"),
        ("6 / 3", "2"),
        ("0.1 + 0.2", "0.3"),
        ("sqrt(2) * sqrt(2)", "2"),
        ("round(2.345, 1) + max(1, 2, 3)", "5.3"),
        ("round(1234, -2)", "1200"),
        ("factorial(20)", "2432902008176640000"),
        ("2 ** 1000 % 1000", "376"),
        ("cos(pi) + log10(1000) + abs(-1)", "3"),
        ("  1\n", "1"),
    ],
)
def test_arithmetic_is_worked_out(expression: str, result: str) -> None:
    assert calculator.invoke({"expression": expression}) == result


@pytest.mark.parametrize(
    "expression",
    [
        "1 / 0",
        "0 ** -1",
        "9 ** 9 ** 9",
        "10 ** 1000000000",
        "2 ** 4000 * 2 ** 4000",
        "factorial(100000)",
        "factorial(2.5)",
        "round(5, -1000000000)",
        "round(5.5, 1000000000)",
        "exp(1000)",
        "1e400",
        "(-8) ** 0.5",
        "sqrt(-1)",
        "sqrt(1, 2)",
        "max()",
        "__import__('os').system('true')",
        "().__class__.__mro__",
        "open('/etc/passwd')",
        "(lambda: 1)()",
        "[1 for _ in range(9)]",
        "x := 1",
        "'a' * 10",
        "True + 1",
        "1 if 1 else 2",
        "print",
        "1,000 + 1",
        "1; 2",
        "",
        "\0",
        "(" * 240 + "1" + ")" * 240,
        "-" * 499 + "1x",
        "1" * 501,
    ],
)
def test_what_is_no_arithmetic_or_too_much_of_it_is_refused(expression: str) -> None:
    with pytest.raises(ToolException):
        calculator.invoke({"expression": expression})


# --- The user's conversations --------------------------------------------------------------------
def use(tab: Tab, provider: Provider, name: str, args: dict[str, Any], **fields: Any) -> Any:
    """The call's `extras`: what the tool found, told by the socket."""
    provider.script({"tool": {"name": name, "args": args}}, {"text": "Done."})
    ack = tab.submit("Please look", model="fake", **fields)
    state = tab.wait_for_end(ack["generation"])
    assert state["status"] == "completed", state
    return next(block for block in state["content"] if block["type"] == "tool_call")["extras"]


@pytest.fixture
def tools(transactional_db: None) -> None:
    names = ["search_conversations", "read_attachment"]
    ChatModel.objects.filter(slug="fake").update(tools=names)


@pytest.mark.database
def test_a_model_finds_what_the_user_once_asked_and_nobody_elses(
    owner: User,
    stranger: User,
    tools: None,
    web: Web,
    worker: Process,
    provider: Provider,
    open_tab: OpenTab,
) -> None:
    mine = answered(owner, "Which zeppelin was the longest?", "The zeppelin Hindenburg, 245 m.")
    answered(stranger, "My secret zeppelin", "A secret answer")
    deleted = answered(owner, "A deleted zeppelin").conversation
    Conversation.objects.filter(pk=deleted.pk).update(deleted_at=deleted.created_at)
    tab = open_tab(owner, web)

    found = use(tab, provider, "search_conversations", {"query": "zeppelin"})["result"]

    assert "The zeppelin Hindenburg, 245 m." in found
    assert "Which zeppelin was the longest?" in found
    assert f"](/c/{mine.conversation.pk}/), the assistant" in found
    assert "secret" not in found
    assert "deleted" not in found
    labels = [event["label"] for event in tab.events if event["type"] == "progress"]
    assert "Searching your conversations" in labels


@pytest.mark.database
def test_what_is_being_said_is_not_found_again(
    owner: User, tools: None, web: Web, worker: Process, provider: Provider, open_tab: OpenTab
) -> None:
    tab = open_tab(owner, web)
    found = use(tab, provider, "search_conversations", {"query": "please"})
    assert found["result"].startswith("Nothing was found.")
    assert use(tab, provider, "search_conversations", {"query": "- ?"})["result"].startswith("Not")


async def test_where_nobody_is_answered_there_is_nothing_to_search() -> None:
    for tool, args in ((search_conversations, {"query": "x"}), (read_attachment, {})):
        with pytest.raises(ToolException, match="There are no"):
            await tool.ainvoke(args)


def test_a_program_with_a_key_for_chats_reads_no_conversations(
    owner: User, tools: None, web: Web, worker: Process, provider: Provider
) -> None:
    answered(owner, "My zeppelin")
    provider.script(
        {"tool": {"name": "search_conversations", "args": {"query": "zeppelin"}}},
        {"text": "Done."},
    )
    client = client_of(owner, web.url)
    asked = {"model": "fake", "messages": [{"role": "user", "content": "search"}]}
    answer = client.http.post("/v1/chat/completions", json=asked)
    client.close()
    assert answer.status_code == 200, answer.text
    told = provider.requests[-1].body["messages"][-1]
    assert (told["role"], told["content"]) == ("tool", "There are no conversations to search here.")


# --- Files ---------------------------------------------------------------------------------------
@pytest.mark.database
def test_a_model_reads_the_files_of_its_conversation_in_parts(
    owner: User,
    stranger: User,
    tools: None,
    web: Web,
    worker: Process,
    provider: Provider,
    open_tab: OpenTab,
) -> None:
    here = answered(owner)
    for user, text in ((owner, "ä" * PART_CHARS + "the end"), (stranger, "a secret")):
        place = here if user == owner else answered(user)
        attach(place.conversation, "long.txt", text)
    attach(answered(owner).conversation, "other.txt", "of another conversation")
    attach(here.conversation, "photo.png", "", kind="image")
    tab = open_tab(owner, web)
    at = {"conversation": str(here.conversation.pk), "parent": str(here.reply.pk)}
    tab.resume(at["conversation"])

    def read(**args: Any) -> Any:
        return use(tab, provider, "read_attachment", args, **at)

    listed = read()["result"]
    assert "* long.txt (text, 20007 characters of text)" in listed
    assert "* photo.png (image, no text)" in listed
    assert "other.txt" not in listed
    first = read(name="long.txt")["result"]
    assert first.startswith("ää")
    assert first.endswith("[It goes on: ask again with offset 20000, of 20007.]")
    assert read(name="long.txt", offset=20_000)["result"] == "the end"
    assert read(name="long.txt", offset=99_999)["result"] == "(There is no more text.)"
    assert "no text that can be read" in read(name="photo.png")["error"]
    assert "There is no file called 'other.txt'" in read(name="other.txt")["error"]


def attach(conversation: Conversation, name: str, text: str, kind: str = "text") -> None:
    Attachment.objects.create(
        owner=conversation.owner,
        conversation=conversation,
        name=name,
        kind=kind,
        media_type="text/plain",
        size=len(text),
        text=text,
    )
