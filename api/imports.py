"""Files of conversations that a user brings, and how far they have been read."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import File, Router, Schema, Status
from ninja.files import UploadedFile

from api.auth import user_of
from api.background import soon
from api.tasks import RUN_IMPORT
from conversations.access import NotFound
from conversations.models import Import
from conversations.transfer.importing import accept

router = Router(tags=["imports"])
LISTED = 5


class ImportOut(Schema):
    """`done` of `total` conversations have been looked at; `unchanged` were there already."""

    id: UUID
    name: str
    status: str
    total: int
    done: int
    created: int
    extended: int
    unchanged: int
    refused: int
    problems: list[str]
    error: str
    created_at: datetime

    @staticmethod
    def resolve_unchanged(one: Import) -> int:
        return max(0, one.done - one.created - one.extended - one.refused)


@router.post("", response={202: ImportOut})
def create(request: HttpRequest, file: File[UploadedFile]) -> Status[Import]:
    made = accept(user_of(request), file)
    soon(RUN_IMPORT, str(made.pk))
    return Status(202, made)


@router.get("", response=list[ImportOut])
def latest(request: HttpRequest) -> "QuerySet[Import]":
    return mine(request)[:LISTED]


@router.get("/{uuid:import_id}", response=ImportOut)
def one(request: HttpRequest, import_id: UUID) -> Any:
    found = mine(request).filter(pk=import_id).first()
    if found is None:
        raise NotFound(f"There is no import {import_id}.")
    return found


def mine(request: HttpRequest) -> "QuerySet[Import]":
    return Import.objects.filter(owner=user_of(request)).order_by("-created_at")
