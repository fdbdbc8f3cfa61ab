"""How a conversation is to be answered: its owner's wishes, kept in its row."""

from typing import Annotated, Any

from django.utils.translation import gettext as _
from msgspec import Meta, Struct

from accounts.models import User
from conversations.models import Conversation, Preset
from conversations.refused import Refused
from llm.catalogue import find, offered
from llm.spec import Wishes

SYSTEM_PROMPT_CHARS = 20_000
HIGHEST_TEMPERATURE = 2
MOST_TOOLS = 64

SystemPrompt = Annotated[str, Meta(max_length=SYSTEM_PROMPT_CHARS)]
Temperature = Annotated[float, Meta(ge=0, le=HIGHEST_TEMPERATURE)]
Tools = Annotated[list[str], Meta(max_length=MOST_TOOLS)]


class ChatSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """None means what the model comes with."""

    system_prompt: SystemPrompt = ""
    temperature: Temperature | None = None
    tools: Tools | None = None


DEFAULTS = ChatSettings()


def check(user: User, fields: dict[str, Any]) -> dict[str, Any]:
    """The same fields, where this user can have them: `model_slug`, `system_prompt`, `temperature`
    and `tools`, or some of them.

    Raises Refused (invalid, model_unavailable).
    """
    slug = fields.get("model_slug")
    if slug and find(slug, user) is None:
        raise Refused("model_unavailable", _("This model is not available. Choose another one."))
    if "\0" in fields.get("system_prompt", ""):
        raise Refused("invalid", _("The instructions hold a character that cannot be kept."))
    check_tools(user, fields.get("tools") or [])
    return fields


def check_tools(user: User, names: list[str]) -> None:
    if not names:
        return
    known = {name for model in offered(user) for name in model.tools}
    for name in names:
        if name not in known:
            raise Refused("invalid", _("There is no tool “%(name)s”.") % {"name": name[:80]})


def columns(settings: ChatSettings) -> dict[str, Any]:
    return {
        "system_prompt": settings.system_prompt,
        "temperature": settings.temperature,
        "tools": settings.tools,
    }


def shape(row: Conversation | Preset) -> dict[str, Any]:
    return {
        "system_prompt": row.system_prompt,
        "temperature": row.temperature,
        "tools": row.tools,
    }


def wishes_of(conversation: Conversation) -> Wishes:
    tools = conversation.tools
    return Wishes(
        system_prompt=conversation.system_prompt,
        temperature=conversation.temperature,
        tools=None if tools is None else tuple(tools),
    )
