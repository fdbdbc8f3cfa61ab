"""What the admin's pages of this package share."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

EXCERPT_CHARS = 100


class FoundById:
    """A search for an id is one look-up by its index. The same text as part of a column would be
    read from every row, and SQLite keeps ids without their dashes."""

    id_fields: list[str] = ["pk"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)  # type: ignore[misc, no-any-return]
        found = Q(*[(field, wanted) for field in self.id_fields], _connector=Q.OR)
        return queryset.filter(found), False


class ReadOnly:
    """To look at, and to delete. A form that saves would write a whole row back, status included,
    while a worker changes it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)  # type: ignore[misc]
        return obj is None and allowed


def as_written(text: str, element: str = "div") -> str:
    """With its line ends, and never wider than the page. (The theme has no class for that.)"""
    style = "white-space: pre-wrap; overflow-wrap: anywhere"
    return format_html('<{0} style="{1}">{2}</{0}>', element, style, text)


def as_json(attribute: str) -> Callable[[Any, Model], str]:
    """A read-only field that shows a JSON column, indented."""

    @admin.display(description=attribute)
    def field(_: Any, row: Model) -> str:
        return as_written(json.dumps(getattr(row, attribute), indent=2, ensure_ascii=False), "pre")

    return field
