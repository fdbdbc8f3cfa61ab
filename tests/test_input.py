"""Wrong input, through the real socket: a clear error, nothing stored, the socket usable."""

import json
import uuid
from typing import Any

import pytest

from accounts.models import User
from conversations.models import Message
from tests.client import Tab
from tests.conftest import OpenTab
from tests.rows import answered, asked, kept
from tests.stack import Web

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("worker")]
MISSING = str(uuid.uuid4())
LONGEST = 32_000
LARGEST = 256 * 1024


@pytest.fixture
def tab(owner: User, web: Web, open_tab: OpenTab) -> Tab:
    return open_tab(owner, web)


def submit_command(**fields: Any) -> dict[str, Any]:
    command = {"type": "message.submit", "id": "wrong", "client_message_id": str(uuid.uuid4())}
    return {**command, "text": "Hello", **fields}


def refusal(tab: Tab, frame: str | bytes | dict[str, Any]) -> dict[str, Any]:
    """What a wrong frame is answered with; nothing else comes, and nothing is kept of it."""
    before, seen = kept(), len(tab.events)
    tab.socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)
    assert tab.ask("ping")["type"] == "pong"
    came = tab.events[seen:]
    assert [event["type"] for event in came] == ["error", "pong"], came
    assert kept() == before
    error = came[0]
    assert error.keys() - {"retry_after"} == {"type", "id", "code", "message", "retryable"}
    assert 10 < len(error["message"]) < 400
    return error


def check(error: dict[str, Any], code: str, command: str | None = "wrong") -> None:
    assert (error["code"], error["id"], error["retryable"]) == (code, command, False), error


# --- What is not a command ---------------------------------------------------------------------
NO_OBJECTS = [
    ("", "''"),
    ("hello", "'hello'"),
    ("{", "'{'"),
    ('{"type": "ping", "id": "wrong"} {}', "'{"),
    ('{"type": "ping", "id": NaN}', "NaN"),
    ("null", "'None'"),
    ("17", "'17'"),
    ('"ping"', "'ping'"),
    ("[]", "'[]'"),
    ("[" * 100_000, "'[[["),
    ('{"a":' * 40_000 + "1" + "}" * 40_000, '{"a":{"a":'),
    ("\0", r"'\x00'"),
]


def test_what_is_no_json_object_is_refused_and_quoted(tab: Tab) -> None:
    for frame, quoted in NO_OBJECTS:
        error = refusal(tab, frame)
        check(error, "bad_command", None)
        assert quoted in error["message"], frame[:40]


def test_a_binary_frame_is_refused(tab: Tab) -> None:
    error = refusal(tab, json.dumps({"type": "ping", "id": "wrong"}).encode())
    check(error, "bad_command", None)
    assert "text frame" in error["message"]


WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"type": "message.delete", "id": "wrong"}, "type: invalid value 'message.delete'"),
    ({"type": "ack", "id": "wrong"}, "'ack'"),
    ({"type": None, "id": "wrong"}, "type: expected `str`"),
    ({"id": "wrong"}, "`type`"),
    ({"type": "ping", "id": "wrong", "admin": True}, "unknown field `admin`"),
    (submit_command(user=1), "unknown field `user`"),
    (submit_command(role="system"), "unknown field `role`"),
    (submit_command(text=None), "text: expected `str`"),
    (submit_command(text=["Hello"]), "text: expected `str`"),
    (submit_command(client_message_id="1"), "client_message_id: invalid UUID, got '1'"),
    (submit_command(client_message_id=None), "client_message_id"),
    (submit_command(conversation=""), "conversation: invalid UUID, got ''"),
    (submit_command(parent="../.."), "parent: invalid UUID, got '../..'"),
    (submit_command(model=""), "model: expected `str` of length >= 1"),
    (submit_command(model="m" * 201), "model: expected `str` of length <= 200"),
    (submit_command(attachments="a"), "attachments: expected `array`"),
    ({"type": "message.submit", "id": "wrong", "text": "Hello"}, "`client_message_id`"),
    ({"type": "generation.cancel", "id": "wrong", "generation": 5}, "generation"),
    ({"type": "resume", "id": "wrong"}, "`conversation`"),
    ({"type": "resume", "id": "wrong", "conversation": MISSING, "positions": []}, "positions"),
    (
        {"type": "resume", "id": "wrong", "conversation": MISSING, "positions": {"x": [1, 1]}},
        "UUID",
    ),
    (
        {"type": "resume", "id": "wrong", "conversation": MISSING, "positions": {MISSING: [1, -1]}},
        "expected `int` >= 0",
    ),
    (
        {
            "type": "resume",
            "id": "wrong",
            "conversation": MISSING,
            "positions": {MISSING: [1, 10**30]},
        },
        "expected `int` <= 2147483647",
    ),
    (
        {
            "type": "resume",
            "id": "wrong",
            "conversation": MISSING,
            "positions": {MISSING: [1, 2, 3]},
        },
        "length 2",
    ),
]


def test_a_wrong_field_is_named_and_quoted(tab: Tab) -> None:
    for command, said in WRONG_FIELDS:
        error = refusal(tab, command)
        check(error, "bad_command")
        assert said in error["message"], command


def test_a_command_without_a_usable_id_is_refused_without_one(tab: Tab) -> None:
    unusable: list[dict[str, Any]] = [{}, {"id": ""}, {"id": 7}, {"id": None}, {"id": "x" * 65}]
    for command in unusable:
        error = refusal(tab, {"type": "ping", **command})
        check(error, "bad_command", None)
        assert "id" in error["message"]


# --- Texts --------------------------------------------------------------------------------------
def test_a_text_of_any_characters_up_to_the_limit_is_kept_as_it_is(tab: Tab) -> None:
    for text in ("x" * LONGEST, "🙂" * LONGEST, "\u200d\u202e \t\r\n и\u0306\ufffe"):
        # As a browser writes JSON: an escaped emoji would be three times as long.
        tab.send_text(json.dumps(submit_command(id=text[:1], text=text), ensure_ascii=False))
        ack = tab.answer(text[:1])
        assert Message.objects.get(pk=ack["message"]).text == text
        tab.wait_for_end(ack["generation"])


def test_an_empty_message_is_refused(tab: Tab) -> None:
    for text in ("", " ", "\n\t \u3000"):
        check(refusal(tab, submit_command(text=text)), "empty")


def test_a_message_over_the_limit_is_refused_with_both_numbers(tab: Tab) -> None:
    error = refusal(tab, submit_command(text="x" * (LONGEST + 1)))
    check(error, "too_long")
    assert "32,001" in error["message"]
    assert "32,000" in error["message"]


def test_a_nul_character_is_refused(tab: Tab) -> None:
    check(refusal(tab, submit_command(text="before\0after")), "bad_command")
    check(refusal(tab, submit_command(model="fake\0")), "bad_command")


def test_half_a_surrogate_pair_is_refused_with_the_commands_id(tab: Tab) -> None:
    # Browsers write it as an escape: there is no other way to send it.
    check(refusal(tab, submit_command(text="half a pair: \ud83d")), "bad_command")
    check(refusal(tab, submit_command(model="\udc00")), "bad_command")


def test_half_a_surrogate_pair_in_the_id_is_refused_without_one(tab: Tab) -> None:
    check(refusal(tab, submit_command(id="\ud83d")), "bad_command", None)


def test_attachments_that_are_no_ids_are_refused(tab: Tab) -> None:
    error = refusal(tab, submit_command(attachments=["../a"]))
    check(error, "bad_command")
    assert "attachments" in error["message"]


def test_an_attachment_that_is_not_there_is_refused(tab: Tab) -> None:
    check(refusal(tab, submit_command(attachments=[MISSING])), "not_found")


# --- Sizes --------------------------------------------------------------------------------------
def padded_ping(size: int, filler: str = " ") -> str:
    frame = json.dumps({"type": "ping", "id": "wrong"})
    return frame + filler * ((size - len(frame)) // len(filler.encode()))


def test_a_frame_at_the_limit_is_read(tab: Tab) -> None:
    tab.send_text(padded_ping(LARGEST))
    assert tab.answer("wrong")["type"] == "pong"


def test_a_frame_over_the_limit_is_refused(tab: Tab) -> None:
    check(refusal(tab, padded_ping(LARGEST + 1)), "too_large", None)
    check(refusal(tab, submit_command(text="x" * LARGEST)), "too_large", None)


def test_the_limit_of_a_frame_counts_bytes(tab: Tab) -> None:
    check(refusal(tab, "🙂" * (LARGEST // 4 + 1)), "too_large", None)


# --- Models --------------------------------------------------------------------------------------
def test_an_unknown_model_is_refused(tab: Tab) -> None:
    for model in ("gpt-nothing", "FAKE", " fake", "fake' OR '1'='1"):
        check(refusal(tab, submit_command(model=model)), "model_unavailable")


# --- Where a message goes ----------------------------------------------------------------------
def test_a_conversation_that_does_not_exist_is_not_found(tab: Tab) -> None:
    check(refusal(tab, submit_command(conversation=MISSING)), "not_found")


def test_a_message_can_follow_an_answer(tab: Tab, owner: User) -> None:
    own = answered(owner)
    conversation, parent = str(own.conversation.pk), str(own.reply.pk)
    ack = tab.submit("And then?", conversation=conversation, parent=parent)
    tab.wait_for_end(ack["generation"])
    stored = Message.objects.get(pk=ack["message"])
    assert (str(stored.conversation_id), str(stored.parent_id)) == (conversation, parent)


def test_a_parent_that_does_not_exist_is_not_found(tab: Tab, owner: User) -> None:
    own = answered(owner)
    at = {"conversation": str(own.conversation.pk), "parent": MISSING}
    check(refusal(tab, submit_command(**at)), "not_found")


def test_a_parent_from_another_conversation_is_not_found(tab: Tab, owner: User) -> None:
    own, other = answered(owner), answered(owner)
    at = {"conversation": str(own.conversation.pk), "parent": str(other.reply.pk)}
    check(refusal(tab, submit_command(**at)), "not_found")


def test_a_parent_of_another_user_is_not_found(tab: Tab, owner: User, stranger: User) -> None:
    own, other = answered(owner), answered(stranger)
    at = {"conversation": str(own.conversation.pk), "parent": str(other.reply.pk)}
    check(refusal(tab, submit_command(**at)), "not_found")


def test_a_new_conversation_has_no_parent(tab: Tab, owner: User) -> None:
    own = answered(owner)
    check(refusal(tab, submit_command(parent=str(own.reply.pk))), "not_found")


def test_another_users_conversation_is_not_found(tab: Tab, stranger: User) -> None:
    other = answered(stranger)
    at = {"conversation": str(other.conversation.pk), "parent": str(other.reply.pk)}
    check(refusal(tab, submit_command(**at)), "not_found")


def test_a_message_cannot_follow_a_users_message(tab: Tab, owner: User) -> None:
    own = answered(owner)
    at = {"conversation": str(own.conversation.pk), "parent": str(own.message.pk)}
    check(refusal(tab, submit_command(**at)), "conflict")


def test_a_users_message_cannot_be_tried_again(tab: Tab, owner: User) -> None:
    own = answered(owner)
    command = {"type": "generation.retry", "id": "wrong", "message": str(own.message.pk)}
    check(refusal(tab, command), "conflict")


def test_an_answer_that_is_being_written_is_busy(tab: Tab, owner: User) -> None:
    own = asked(owner)
    at = {"conversation": str(own.conversation.pk), "parent": str(own.reply.pk)}
    for command in (
        submit_command(**at),
        {"type": "generation.retry", "id": "wrong", "message": str(own.reply.pk)},
    ):
        error = refusal(tab, command)
        assert (error["code"], error["id"], error["retryable"]) == ("busy", "wrong", True)


def test_an_id_that_does_not_exist_is_not_found(tab: Tab) -> None:
    for kind, field in (
        ("generation.retry", "message"),
        ("generation.cancel", "generation"),
        ("resume", "conversation"),
    ):
        error = refusal(tab, {"type": kind, "id": "wrong", field: MISSING})
        check(error, "not_found")
        assert MISSING in error["message"]


def quiet(tab: Tab, ack: dict[str, Any]) -> None:
    """Until nothing more will come of what was acknowledged."""
    tab.wait_for_end(ack["generation"])
    tab.wait_for(lambda event: event["type"] == "conversation.updated" and event["active"] == [])


# --- The same id again --------------------------------------------------------------------------
def test_a_reused_id_with_another_text_is_a_conflict(tab: Tab) -> None:
    same = str(uuid.uuid4())
    ack = tab.submit("Hello", client_message_id=same)
    quiet(tab, ack)
    again = submit_command(client_message_id=same, text="Good bye")
    check(refusal(tab, again), "conflict")
    check(refusal(tab, {**again, "conversation": ack["conversation"]}), "conflict")


def test_a_reused_id_with_another_parent_is_a_conflict(tab: Tab, owner: User) -> None:
    own = answered(owner)
    same, conversation = str(uuid.uuid4()), str(own.conversation.pk)
    at = {"conversation": conversation, "parent": str(own.reply.pk)}
    quiet(tab, tab.submit("Hello", client_message_id=same, **at))
    again = submit_command(client_message_id=same, conversation=conversation)
    check(refusal(tab, again), "conflict")


def test_the_id_of_another_users_message_is_free(
    owner: User, stranger: User, tab: Tab, open_tab: OpenTab, web: Web
) -> None:
    same = str(uuid.uuid4())
    mine = tab.submit("Hello", client_message_id=same)
    other = open_tab(stranger, web)
    theirs = other.submit("Good bye", client_message_id=same)
    assert mine["conversation"] != theirs["conversation"]
    quiet(tab, mine)
    quiet(other, theirs)
    assert Message.objects.get(pk=theirs["message"]).conversation.owner == stranger


def test_after_all_of_it_a_message_is_still_taken(tab: Tab) -> None:
    for wrong in ("", "[]", submit_command(text=""), submit_command(conversation=MISSING)):
        refusal(tab, wrong)
    ack = tab.submit("Hello")
    assert tab.wait_for_end(ack["generation"])["status"] == "completed"
