from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from api.auth import user_of
from api.paging import cursor
from conversations.search.find import search

router = Router(tags=["search"])


class Asked(Schema):
    q: Annotated[str, Field(max_length=200)]
    before: str = ""


class PieceOut(Schema):
    text: str
    hit: bool


class Hit(Schema):
    """`message` and `role` are null where it is the title that matches."""

    conversation: UUID
    title: list[PieceOut]
    archived: bool
    message: UUID | None
    role: str | None
    excerpt: list[PieceOut]
    at: datetime


class Found(Schema):
    results: list[Hit]
    next: str | None


@router.get("", response=Found)
def find(request: HttpRequest, asked: Query[Asked]) -> dict[str, Any]:
    return search(user_of(request), asked.q, cursor(asked.before))
