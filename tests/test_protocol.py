"""docs/protocol.md and streaming/protocol.py say the same, in both directions."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from django.conf import settings
from msgspec import Struct, inspect

from conversations.models import Conversation, Generation, Message
from conversations.shapes import generation_shape, message_shape
from llm.errors import RETRYABLE, Code
from streaming import catch_up, consumers, flood, follow, node, protocol, run
from streaming.job import SENTENCES
from streaming.protocol import COMMANDS, EVENTS, BadCommand, decode_command, encode, header
from streaming.snapshot import fresh, replay

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "protocol.md").read_text()


# --- Reading the page ----------------------------------------------------------------------------
def section(title: str) -> str:
    """From a heading to the next one of its kind or above it."""
    start = re.search(rf"^(#+) {re.escape(title)}$", PAGE, re.MULTILINE)
    assert start, f"docs/protocol.md has no section {title!r}"
    rest = PAGE[start.end() :]
    end = re.search(rf"^#{{1,{len(start[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows(text: str) -> list[list[str]]:
    """The cells of a section's first table, without its head."""
    table = re.search(r"(^\|.*\|\n)+", text, re.MULTILINE)
    assert table, f"there is no table in {text[:80]!r}"
    lines = table[0].strip().splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def headings(title: str) -> list[str]:
    return re.findall(r"^### `(.+)`$", section(title), re.MULTILINE)


# --- Reading the code ----------------------------------------------------------------------------
def written(kind: inspect.Type) -> str:
    """A type as the page writes it."""
    match kind:
        case inspect.UnionType(types):
            names = [written(one) for one in types]
            joint = ", or " if "," in names[0] else " or "
            return joint.join(names)
        case inspect.StrType(min_length=None):
            return "text"
        case inspect.StrType(min_length=low, max_length=high):
            return f"text, {low}–{high} characters"
        case inspect.ListType(item_type=item):
            return f"list of {written(item)}"
        case inspect.DictType(key_type=inspect.UUIDType(), value_type=value):
            return f"object of UUID to {written(value)}"
        case inspect.TupleType(item_types=items):
            return f"[{', '.join(written(one) for one in items)}]"
    return NAMES[type(kind)]


NAMES: dict[type[inspect.Type], str] = {
    inspect.UUIDType: "UUID",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
    inspect.BoolType: "true or false",
    inspect.NoneType: "null",
    inspect.DictType: "object",
    inspect.StructType: "object",
}


def fields(kind: type[Struct]) -> dict[str, tuple[str, str]]:
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType)
    return {
        one.encode_name: (written(one.type), "yes" if one.required else "no")
        for one in found.fields
    }


def constants(prefix: str, kind: type) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(protocol).items()
        if name.isupper() and name.startswith(prefix) and type(value) is kind
    }


def error_codes() -> set[str]:
    return {
        value for name, value in constants("", str).items() if not name.endswith(("_TYPE", "_KEY"))
    }


# --- Types and fields ----------------------------------------------------------------------------
def test_the_page_has_every_command_and_no_other() -> None:
    assert headings("Commands") == list(COMMANDS)


def test_the_page_has_every_event_and_no_other() -> None:
    assert headings("Events") == list(EVENTS)


@pytest.mark.parametrize("name", [*COMMANDS, *EVENTS])
def test_every_field_is_on_the_page_as_it_is_and_no_other(name: str) -> None:
    kind = COMMANDS.get(name) or EVENTS[name]
    table = rows(section(f"`{name}`"))
    assert {row[0]: (row[1], row[2]) for row in table} == fields(kind)
    assert all(row[3] for row in table)


def test_the_lists_in_the_code_are_whole() -> None:
    kinds = [each for each in vars(protocol).values() if isinstance(each, type)]
    tagged = {
        kind.__struct_config__.tag
        for kind in kinds
        if issubclass(kind, Struct) and isinstance(kind.__struct_config__.tag, str)
    }
    assert {*COMMANDS, *EVENTS} == tagged - ABSTRACT
    assert set(get_args(protocol.AnyCommand)) == set(COMMANDS.values())


# Msgspec gives these a tag of their own, because their children have one.
ABSTRACT = {"Command", "Event", "StreamEvent", "Terminal"}


def test_the_page_has_every_field_of_a_message() -> None:
    conversation = Conversation()
    question = Message(conversation=conversation, role="user")
    reply = Message(conversation=conversation, role="assistant", parent=question)
    generation = Generation(conversation=conversation, prompt=question, message=reply)
    table = {row[0]: row[1] for row in rows(section("Messages"))}
    assert list(table) == list(message_shape(question))
    listed = re.findall(r"`(\w+)`", table["generation"].partition(";")[0])
    assert listed == list(generation_shape(generation) or {})


# --- Codes ---------------------------------------------------------------------------------------
def test_the_page_has_every_error_code_and_no_other() -> None:
    assert {row[0] for row in rows(section("Error codes"))} == error_codes()


def refusals() -> Iterator[tuple[str, str]]:
    """Every code that the code refuses with, and where: as a text or by its name."""
    for path in [*ROOT.glob("streaming/*.py"), *ROOT.glob("conversations/*.py")]:
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            at = {"Refused": 0, "refuse": 1}.get(name)
            if at is not None and len(call.args) > at:
                yield path.name, code_of(call.args[at])


def code_of(argument: ast.expr) -> str:
    match argument:
        case ast.Constant(value=str(code)):
            return code
        case ast.Attribute(value=ast.Name(id="protocol"), attr=name):
            return str(getattr(protocol, name))
    return ""


def test_the_code_refuses_with_no_code_that_the_page_lacks() -> None:
    found = [(where, code) for where, code in refusals() if code]
    assert {code for _, code in found} <= error_codes(), found
    assert {"empty", "too_long", "conflict", "busy", "bad_command", "too_large", "too_many"} <= {
        code for _, code in found
    }


def test_the_page_has_every_failure_and_no_other() -> None:
    table = {row[0]: row[1] for row in rows(section("Failures"))}
    codes = get_args(Code)
    assert set(table) == {*codes, *SENTENCES}
    for code in codes:
        assert table[code] == ("yes" if code in RETRYABLE else "no"), code


def test_the_page_has_every_close_code_and_no_other() -> None:
    table = {int(row[0]): row[1] for row in rows(section("Close codes"))}
    assert set(table) == set(constants("CLOSE_", int).values())
    for code, back in table.items():
        assert back == ("no" if 4500 <= code <= 4999 else "yes"), code


# --- Limits --------------------------------------------------------------------------------------
def test_the_page_has_every_limit_as_it_is() -> None:
    table = {
        row[0].replace("`", ""): int(row[1].replace(",", "")) for row in rows(section("Limits"))
    }
    assert list(table.values()) == [
        consumers.FRAME_BYTES,
        settings.MESSAGE_CHARS,
        protocol.MAX_ID_CHARS,
        flood.BURST,
        flood.PER_SECOND,
        run.MAX_DELTA_CHARS,
        follow.PAUSE_BYTES,
        node.MAX_UNCONFIRMED,
        settings.MAX_PAUSE_SECONDS,
        catch_up.FRAMES_BEFORE_A_SNAPSHOT,
        settings.LOG_TTL_SECONDS,
        settings.FINISHED_LOG_TTL_SECONDS,
    ], table


# --- The example ---------------------------------------------------------------------------------
def example(arrow: str) -> list[dict[str, Any]]:
    lines = re.findall(rf"^{arrow} (.*)$", section("An example"), re.MULTILINE)
    return [json.loads(line) for line in lines]


def test_the_commands_of_the_example_are_commands() -> None:
    commands = example("→")
    assert len(commands) == 4
    for command in commands:
        decoded = decode_command(json.dumps(command))
        assert COMMANDS[command["type"]] is type(decoded)


def test_the_events_of_the_example_are_events_as_the_server_writes_them() -> None:
    events = example("←")
    assert len(events) == 14
    for event in events:
        kind = EVENTS[event["type"]]
        assert json.loads(encode(msgspec.convert(event, kind))) == event


def test_every_command_of_the_example_is_answered_but_received() -> None:
    asked = [one["id"] for one in example("→") if one["type"] != "received"]
    answered = [one["id"] for one in example("←") if one["type"] in ("ack", "error", "pong")]
    assert answered == asked


def test_the_example_ends_with_the_whole_answer() -> None:
    numbered = [event for event in example("←") if "seq" in event]
    state = replay(fresh(numbered[0]["generation"], numbered[0]["message"]), numbered)
    assert (state["status"], state["content"]) == (
        "completed",
        [{"type": "text", "text": "Hello, world!"}],
    )


# --- Frames --------------------------------------------------------------------------------------
def test_a_command_is_decoded_with_its_defaults() -> None:
    command = decode_command(
        '{"type":"message.submit","id":"a","client_message_id":'
        '"0b5c1f0e-6f0c-4a53-9a5e-2f1b7a0c9d11","text":""}'
    )
    assert isinstance(command, protocol.Submit)
    assert (command.conversation, command.parent, command.model) == (None, None, None)
    assert (command.text, command.attachments) == ("", [])


@pytest.mark.parametrize(
    ("frame", "sentence", "command"),
    [
        ("", "expected JSON, got ''", None),
        ('{"type":"pong","id":"a"}', "type: invalid value 'pong', got 'pong'", "a"),
        ('{"type":"ping","id":""}', "id: expected `str` of length >= 1, got ''", None),
        (
            '{"type":"received","id":"a","generation":"0b5c1f0e-6f0c-4a53-9a5e-2f1b7a0c9d11",'
            '"attempt":1,"seq":"x"}',
            "seq: expected `int`, got `str`, got 'x'",
            "a",
        ),
        (
            '{"type":"received","id":"a","generation":"0b5c1f0e-6f0c-4a53-9a5e-2f1b7a0c9d11",'
            '"attempt":1,"seq":-1}',
            "seq: expected `int` >= 0, got '-1'",
            "a",
        ),
    ],
)
def test_a_refusal_says_what_was_expected_where_and_what_came(
    frame: str, sentence: str, command: str | None
) -> None:
    with pytest.raises(BadCommand) as error:
        decode_command(frame)
    assert (str(error.value), error.value.id) == (sentence, command)


def test_a_long_value_is_quoted_in_part() -> None:
    with pytest.raises(BadCommand) as error:
        decode_command('{"type":"leave","id":"a","conversation":"' + "x" * 1_000 + '"}')
    assert len(str(error.value)) < 100
    assert str(error.value).endswith("xxx…'")


def test_the_header_of_a_frame_needs_no_more_than_it_names() -> None:
    head = header('{"type":"text.delta","generation":"g","attempt":2,"seq":7,"text":"…"}')
    assert (head.type, head.generation, head.attempt, head.seq) == ("text.delta", "g", 2, 7)


def test_the_terminal_types_are_the_three_ends() -> None:
    assert {
        "generation.completed",
        "generation.failed",
        "generation.cancelled",
    } == protocol.TERMINAL_TYPES
