from collections.abc import Iterator, Sequence
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

# PostgreSQL takes 65,535 parameters with a statement.
IDS_AT_ONCE = 10_000
M = TypeVar("M", bound=Model)


def by_id(rows: "QuerySet[M]", ids: Sequence[UUID]) -> dict[UUID, M]:
    """`in_bulk`, of however many."""
    found: dict[UUID, M] = {}
    for some in parts(ids, IDS_AT_ONCE):
        found |= rows.in_bulk(some)
    return found


def parts(ids: Sequence[UUID], size: int) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
