"""Texts that a user writes often, and settings that a conversation can begin with."""

from typing import Annotated, Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status
from pydantic import StringConstraints, field_validator

from accounts.models import User
from api.auth import user_of
from api.settings import Slug, SystemPrompt, Temperature, Tools, named
from conversations.access import preset_of, prompt_of
from conversations.models import Preset, Prompt
from conversations.refused import Refused
from conversations.settings import check

MOST_KEPT = 500
Row = TypeVar("Row", Prompt, Preset)
prompts = Router(tags=["prompts"])
presets = Router(tags=["presets"])

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00]*$"),
]
Text = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00]*$")]


class PromptIn(Schema):
    title: Name
    text: Text

    @field_validator("text")
    @classmethod
    def fits_into_a_message(cls, text: str) -> str:
        if len(text) > settings.MESSAGE_CHARS:
            raise ValueError(f"expected at most {settings.MESSAGE_CHARS} characters")
        return text


class PromptOut(Schema):
    id: UUID
    title: str
    text: str


class PresetIn(Schema):
    name: Name
    model: Slug = ""
    system_prompt: SystemPrompt = ""
    temperature: Temperature | None = None
    tools: Tools | None = None


class PresetOut(Schema):
    id: UUID
    name: str
    model: str
    system_prompt: str
    temperature: float | None
    tools: list[str] | None

    @staticmethod
    def resolve_model(row: Preset) -> str:
        return row.model_slug


@prompts.get("", response=list[PromptOut])
def list_prompts(request: HttpRequest) -> list[Prompt]:
    return list(Prompt.objects.filter(owner=user_of(request)))


@prompts.post("", response={201: PromptOut})
def add_prompt(request: HttpRequest, wanted: PromptIn) -> Status[Prompt]:
    user = user_of(request)
    check_room(Prompt.objects.filter(owner=user).count())
    return Status(201, keep(Prompt(owner=user), wanted.dict()))


@prompts.put("/{uuid:prompt_id}", response=PromptOut)
def change_prompt(request: HttpRequest, prompt_id: UUID, wanted: PromptIn) -> Prompt:
    return keep(prompt_of(user_of(request), prompt_id), wanted.dict())


@prompts.delete("/{uuid:prompt_id}", response={204: None})
def delete_prompt(request: HttpRequest, prompt_id: UUID) -> Status[None]:
    prompt_of(user_of(request), prompt_id).delete()
    return Status(204, None)


@presets.get("", response=list[PresetOut])
def list_presets(request: HttpRequest) -> list[Preset]:
    return list(Preset.objects.filter(owner=user_of(request)))


@presets.post("", response={201: PresetOut})
def add_preset(request: HttpRequest, wanted: PresetIn) -> Status[Preset]:
    user = user_of(request)
    check_room(Preset.objects.filter(owner=user).count())
    return Status(201, keep(Preset(owner=user), preset_fields(user, wanted)))


@presets.put("/{uuid:preset_id}", response=PresetOut)
def change_preset(request: HttpRequest, preset_id: UUID, wanted: PresetIn) -> Preset:
    user = user_of(request)
    return keep(preset_of(user, preset_id), preset_fields(user, wanted))


@presets.delete("/{uuid:preset_id}", response={204: None})
def delete_preset(request: HttpRequest, preset_id: UUID) -> Status[None]:
    preset_of(user_of(request), preset_id).delete()
    return Status(204, None)


def preset_fields(user: User, wanted: PresetIn) -> dict[str, Any]:
    return check(user, named(wanted, whole=True))


def check_room(kept: int) -> None:
    if kept >= MOST_KEPT:
        raise Refused("conflict", _("Your library is full. Delete something first."))


def keep(row: Row, fields: dict[str, Any]) -> Row:
    for name, value in fields.items():
        setattr(row, name, value)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Refused("conflict", _("You have one of this name already.")) from None
    return row
