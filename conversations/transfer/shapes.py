"""The file that an export is and an import reads."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from conversations.models import TITLE_CHARS

FORMAT = "chatsite"
VERSION = 1
Text = Annotated[str, Meta(max_length=1_000_000)]
Id = Annotated[str, Meta(min_length=1, max_length=200)]
Name = Annotated[str, Meta(max_length=200)]


class Wrong(ValueError):
    """What a file says cannot be; the text is for the user and names the place."""


class PortableMessage(Struct, omit_defaults=True):
    """`status` is how the answer ended; empty for what is no answer of a model of ours."""

    id: Id
    parent: Id | None
    role: Literal["user", "assistant", "system"]
    content: list[dict[str, Any]]
    created_at: datetime
    model: Name = ""
    status: Literal["", "completed", "failed", "cancelled"] = ""


class PortableConversation(Struct, omit_defaults=True):
    id: Id
    title: str
    created_at: datetime
    updated_at: datetime
    messages: list[PortableMessage]
    pinned: bool = False
    archived: bool = False
    folder: Annotated[str, Meta(max_length=TITLE_CHARS)] = ""
    model: Name = ""
    system_prompt: Text = ""
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    tools: list[Name] | None = None


class Head(Struct):
    """What a file says of itself, before its conversations."""

    format: str = ""
    version: int = 0
    conversations: list[Any] = field(default_factory=list)
