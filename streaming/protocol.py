"""Every shape that crosses the WebSocket, in one place. docs/protocol.md says the same in prose.

Commands come from the browser and are decoded strictly: an unknown type, an unknown field or a
wrong value raises `BadCommand` with a sentence that quotes what came. Events go to the browser;
`encode` makes the JSON that is stored in the log and forwarded to every tab as it is.
"""

import json
import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from conversations.settings import ChatSettings

MAX_ID_CHARS = 64
MAX_POSITIONS = 256
CommandId = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS)]
# PostgreSQL cannot even compare with a text that holds a NUL.
Slug = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
# What the database's columns hold; Redis would refuse a much larger one as no position at all.
MAX_NUMBER = 2**31 - 1
Attempt = Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
Seq = Annotated[int, Meta(ge=0, le=MAX_NUMBER)]

# --- Close codes: 1012 and 4000-4499 come back, 4500-4999 do not ---------------------------------
CLOSE_RESTART = 1012
CLOSE_TOO_SLOW = 4008
CLOSE_FLOOD = 4429
CLOSE_NO_SESSION = 4501

# --- Error codes of commands ---------------------------------------------------------------------
BAD_COMMAND = "bad_command"
EMPTY = "empty"
TOO_LONG = "too_long"
TOO_MANY_FILES = "too_many_files"
TOO_LARGE = "too_large"
TOO_MANY = "too_many"
NOT_FOUND = "not_found"
INVALID = "invalid"
CONFLICT = "conflict"
BUSY = "busy"
MODEL_UNAVAILABLE = "model_unavailable"
UNAVAILABLE = "unavailable"
INTERNAL = "internal"


# --- Commands, browser to server -----------------------------------------------------------------
class Command(Struct, forbid_unknown_fields=True, tag_field="type"):
    id: CommandId


class Submit(Command, tag="message.submit"):
    client_message_id: UUID
    text: str
    conversation: UUID | None = None
    parent: UUID | None = None
    model: Slug | None = None
    attachments: list[UUID] = []
    settings: ChatSettings | None = None


class Retry(Command, tag="generation.retry"):
    message: UUID
    model: Slug | None = None
    goes_on: bool = msgspec.field(default=False, name="continue")


class Cancel(Command, tag="generation.cancel"):
    generation: UUID


class Resume(Command, tag="resume"):
    conversation: UUID
    positions: Annotated[dict[UUID, tuple[Attempt, Seq]], Meta(max_length=MAX_POSITIONS)] = {}


class Leave(Command, tag="leave"):
    conversation: UUID


class Received(Struct, forbid_unknown_fields=True, tag_field="type", tag="received", kw_only=True):
    """What this client has shown. It is the only command without an answer, so its id may be left
    out."""

    id: CommandId | None = None
    generation: UUID
    attempt: Attempt
    seq: Seq


class Ping(Command, tag="ping"):
    pass


AnyCommand = Submit | Retry | Cancel | Resume | Leave | Received | Ping


# --- Events, server to browser -------------------------------------------------------------------
class Event(Struct, omit_defaults=True, tag_field="type"):
    terminal: ClassVar[bool] = False


class Ack(Event, tag="ack"):
    id: str
    conversation: UUID | UnsetType = UNSET
    message: UUID | UnsetType = UNSET
    reply: UUID | UnsetType = UNSET
    generation: UUID | UnsetType = UNSET
    active: list[UUID] | UnsetType = UNSET


class Error(Event, tag="error"):
    id: str | None
    code: str
    message: str
    retryable: bool
    retry_after: float | UnsetType = UNSET


class Pong(Event, tag="pong"):
    id: str


class MessageCreated(Event, tag="message.created"):
    conversation: UUID
    message: dict[str, Any]


class ConversationUpdated(Event, tag="conversation.updated"):
    conversation: UUID
    title: str | UnsetType = UNSET
    pinned: bool | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    folder: UUID | UnsetType | None = UNSET
    temporary: bool | UnsetType = UNSET
    active: list[UUID] | UnsetType = UNSET
    updated_at: str | UnsetType = UNSET


class ConversationDeleted(Event, tag="conversation.deleted"):
    conversation: UUID


class ConversationSettings(Event, tag="conversation.settings"):
    conversation: UUID
    settings: dict[str, Any]


class MessageRated(Event, tag="message.rated"):
    conversation: UUID
    message: UUID
    feedback: dict[str, Any] | None


class FoldersUpdated(Event, tag="folders.updated"):
    """All of them: there are few, and a list that replaces the old one needs no order of events."""

    folders: list[dict[str, str]]


class Queued(Event, tag="generation.queued"):
    conversation: UUID
    generation: UUID
    message: UUID
    position: int | UnsetType = UNSET


class StreamEvent(Event):
    """One numbered thing that happened in a generation."""

    generation: UUID
    attempt: int
    seq: int


class Started(StreamEvent, tag="generation.started"):
    conversation: UUID
    message: UUID
    model: str


class TextDelta(StreamEvent, tag="text.delta"):
    text: str


class ReasoningDelta(StreamEvent, tag="reasoning.delta"):
    text: str


class ToolCallStarted(StreamEvent, tag="tool_call.started"):
    tool_call: str
    name: str
    args: str = ""


class ToolCallDelta(StreamEvent, tag="tool_call.delta"):
    tool_call: str
    name: str
    args: str


class ToolCallFinished(StreamEvent, tag="tool_call.finished"):
    tool_call: str
    name: str
    args: str
    result: str | UnsetType = UNSET
    error: str | UnsetType = UNSET


# What is said of a call that needs the user's approval.
APPROVALS = {
    "asked": "Waiting for approval",
    "approved": "Approved",
    "refused": "Refused",
    "expired": "Not approved in time",
}


class Progress(StreamEvent, tag="progress"):
    label: str
    data: dict[str, Any] | UnsetType = UNSET
    tool_call: str | UnsetType = UNSET
    approval: str | UnsetType = UNSET


class Terminal(StreamEvent):
    """Exactly one of its three kinds ends a generation. `usage` in tokens, `timings` in ms; `model`
    is there where another one has answered than the one that began."""

    terminal: ClassVar[bool] = True

    usage: dict[str, Any]
    timings: dict[str, Any]


class Completed(Terminal, tag="generation.completed"):
    finish_reason: str | UnsetType = UNSET
    model: str | UnsetType = UNSET


class Failed(Terminal, tag="generation.failed"):
    code: str
    message: str
    retryable: bool
    model: str | UnsetType = UNSET


class Cancelled(Terminal, tag="generation.cancelled"):
    model: str | UnsetType = UNSET


class Snapshot(StreamEvent, tag="snapshot"):
    """The whole content at a position. It replaces what a client holds and is never a gap."""

    conversation: UUID
    message: UUID
    status: str
    content: list[dict[str, Any]]
    model: str | None = None
    usage: dict[str, Any] | UnsetType = UNSET
    timings: dict[str, Any] | UnsetType = UNSET
    error: dict[str, Any] | UnsetType = UNSET
    finish_reason: str | UnsetType = UNSET


COMMANDS: dict[str, type[Struct]] = {
    kind.__struct_config__.tag: kind  # type: ignore[misc]
    for kind in (Submit, Retry, Cancel, Resume, Leave, Received, Ping)
}
EVENTS: dict[str, type[Event]] = {
    kind.__struct_config__.tag: kind  # type: ignore[misc]
    for kind in (
        Ack, Error, Pong, MessageCreated, ConversationUpdated, ConversationDeleted,
        ConversationSettings, MessageRated, FoldersUpdated, Queued, Started, TextDelta,
        ReasoningDelta, ToolCallStarted, ToolCallDelta, ToolCallFinished, Progress, Completed,
        Failed, Cancelled, Snapshot,
    )
}  # fmt: skip
TERMINAL_TYPES = frozenset(tag for tag, kind in EVENTS.items() if kind.terminal)
STARTED_TYPE = "generation.started"


class Header(Struct, frozen=True):
    """The part of a stream event that a web node needs to know: what it is and where it stands."""

    type: str
    generation: str
    attempt: int = 0
    seq: int = 0


_encode = msgspec.json.Encoder().encode
_decode_command: Callable[[str], AnyCommand] = msgspec.json.Decoder(AnyCommand).decode
_decode_any = msgspec.json.Decoder().decode
_decode_header = msgspec.json.Decoder(Header).decode


class BadCommand(ValueError):
    """What came is not a command. `id` is the command's own where it could be read, else None."""

    def __init__(self, sentence: str, id: str | None = None) -> None:  # noqa: A002
        super().__init__(sentence)
        self.id = id


def decode_command(frame: str) -> AnyCommand:
    """Raises BadCommand with a sentence that quotes what came."""
    try:
        return _decode_command(frame)
    except msgspec.ValidationError as error:
        problem = str(error)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise BadCommand(f"expected JSON, got {_quote(frame)}", _id_despite(frame)) from None
    try:
        raw = _decode_any(frame)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise BadCommand(f"{problem}, got {_quote(frame)}") from None
    raise BadCommand(_sentence(problem, raw), _readable_id(raw if isinstance(raw, dict) else {}))


def encode(event: Event) -> bytes:
    return _encode(event)


def header(frame: str | bytes) -> Header:
    return _decode_header(frame)


def decode_event(frame: str | bytes) -> dict[str, Any]:
    """One event as plain data, as `snapshot.apply` takes it."""
    event: dict[str, Any] = _decode_any(frame)
    return event


def _id_despite(frame: str) -> str | None:
    """Msgspec refuses half a surrogate pair, which a browser may send as an escape and Python can
    read. Whoever sent it waits for an answer with its id."""
    try:
        raw = json.loads(frame)
        found = _readable_id(raw) if isinstance(raw, dict) else None
        return found if found is None or found.encode() else None
    except (ValueError, RecursionError):
        return None


def _readable_id(fields: dict[str, Any]) -> str | None:
    found = fields.get("id")
    return found if isinstance(found, str) and 0 < len(found) <= MAX_ID_CHARS else None


def _sentence(problem: str, raw: Any) -> str:
    """Msgspec says what it expected and where (`$.positions[...][0]`); add what stood there."""
    expected, _, path = problem.partition(" - at `$")
    expected = expected[:1].lower() + expected[1:]
    path = path.strip(".`")
    if not path:
        return f"{expected}, got {_quote(raw)}"
    return f"{path}: {expected}, got {_quote(_found_at(raw, path))}"


def _found_at(raw: Any, path: str) -> Any:
    """What stands at `path`; for an entry of an object that msgspec does not name, the object."""
    for name, index in re.findall(r"(\w+)|\[(\d+|\.\.\.)\]", path):
        if name and isinstance(raw, dict):
            raw = raw.get(name)
        elif index.isdigit() and isinstance(raw, list):
            raw = raw[int(index)]
        else:
            break
    return raw


def _quote(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return repr(text[:40] + "…" if len(text) > 40 else text)
