"""What the owner of a conversation wants of its model."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from api.auth import user_of
from conversations.access import conversation_of
from conversations.models import Conversation
from conversations.settings import (
    HIGHEST_TEMPERATURE,
    MOST_TOOLS,
    SYSTEM_PROMPT_CHARS,
    check,
    shape,
)
from streaming.news import announce_settings

router = Router(tags=["settings"])

SystemPrompt = Annotated[str, Field(max_length=SYSTEM_PROMPT_CHARS)]
Temperature = Annotated[float, Field(ge=0, le=HIGHEST_TEMPERATURE)]
Tools = Annotated[list[str], Field(max_length=MOST_TOOLS)]
Slug = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class Wanted(Schema):
    """Only what is named is changed. An empty `model` is the default one; `temperature` and `tools`
    null are what the model comes with."""

    model: Slug = ""
    system_prompt: SystemPrompt = ""
    temperature: Temperature | None = None
    tools: Tools | None = None


class SettingsOut(Schema):
    model: str
    system_prompt: str
    temperature: float | None
    tools: list[str] | None


@router.patch("/{uuid:conversation_id}/settings", response=SettingsOut)
def change(request: HttpRequest, conversation_id: UUID, wanted: Wanted) -> dict[str, Any]:
    user = user_of(request)
    found = conversation_of(user, conversation_id)
    fields = check(user, named(wanted))
    # Only these columns: what else has been changed meanwhile is not in this row.
    if fields:
        Conversation.objects.filter(pk=found.pk).update(**fields)
        found.refresh_from_db(fields=list(fields))
    settings = {"model": found.model_slug, **shape(found)}
    announce_settings(found, settings)
    return settings


def named(wanted: Schema, *, whole: bool = False) -> dict[str, Any]:
    """The columns for what was named, or for all."""
    fields: dict[str, Any] = wanted.dict(exclude_unset=not whole)
    if "model" in fields:
        fields["model_slug"] = fields.pop("model")
    return fields
