"""The admin of generations is here and not with their model, because it can stop them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args
from uuid import UUID

import structlog
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import ngettext
from redis.exceptions import RedisError
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from conversations.admin.base import FoundById, ReadOnly, as_json
from conversations.models import Generation, GenerationTrace
from llm.parts import FinishReason as Reason
from streaming import lease
from streaming.log import cancel_channel
from streaming.redis import connect_sync
from streaming.timeline import spans_of_plain, steps_list, timeline

logger = structlog.get_logger(__name__)
STATUS_LABELS = {
    "queued": "warning",
    "in_progress": "info",
    "completed": "success",
    "failed": "danger",
}


class StartedAgain(admin.SimpleListFilter):
    title = "started again"
    parameter_name = "started_again"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Yes"), ("0", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        if self.value() == "1":
            return queryset.filter(attempt__gt=1)
        return queryset.filter(attempt__lte=1) if self.value() == "0" else None


class FinishReason(admin.SimpleListFilter):
    """Of those that models give: the ones in the table cannot be listed without reading it."""

    title = "finish reason"
    parameter_name = "finish_reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(reason, reason.replace("_", " ").capitalize()) for reason in get_args(Reason)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        return queryset.filter(finish_reason=self.value()) if self.value() else None


class ByProgram(admin.SimpleListFilter):
    title = "asked through the API"
    parameter_name = "by_program"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Yes"), ("0", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        if self.value() in ("0", "1"):
            return queryset.filter(request__isnull=self.value() == "0")
        return None


@admin.register(Generation)
class GenerationAdmin(ReadOnly, FoundById, ModelAdmin):
    id_fields = ["pk", "conversation", "message", "prompt"]
    actions = ["cancel"]
    list_display = [
        "queued_at",
        "status_label",
        "owner",
        "model_slug",
        "attempt",
        "waited",
        "first_token",
        "took",
        "tokens",
        "ended_with",
        "by_program",
    ]
    list_filter = [
        "status",
        "model",
        FinishReason,
        StartedAgain,
        "continues",
        ByProgram,
        "queued_at",
    ]
    list_select_related = ["conversation__owner"]
    search_fields = [
        "=error_code",
        "model_slug",
        "conversation__title",
        "conversation__owner__username",
    ]
    search_help_text = "An id, an error code, a model, a title or a username."
    date_hierarchy = "queued_at"
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
    shown_usage, shown_timings = as_json("usage"), as_json("timings")
    shown_request = as_json("request")
    readonly_fields = [
        "shown_usage",
        "shown_timings",
        "shown_request",
        "shown_trace",
        "shown_steps",
    ]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "id",
                    "status",
                    "finish_reason",
                    "continues",
                    "conversation",
                    "prompt",
                    "message",
                ]
            },
        ),
        ("Asked through the API", {"classes": ["collapse"], "fields": ["shown_request"]}),
        (
            "Model",
            {"fields": ["model", "model_slug", "answered_by", "shown_usage", "shown_timings"]},
        ),
        ("Steps", {"fields": ["shown_trace", "shown_steps"]}),
        ("Failure", {"fields": ["error_code", "error_message", "retryable"]}),
        (
            "Work",
            {"fields": ["queue", "attempt", "seq", "losses", "worker", "side_effects"]},
        ),
        (
            "Times",
            {
                "fields": [
                    "queued_at",
                    "enqueued_at",
                    "started_at",
                    "lease_expires_at",
                    "cancel_requested_at",
                    "finished_at",
                ]
            },
        ),
    ]

    @admin.display(description="timeline")
    def shown_trace(self, generation: Generation) -> str:
        trace = GenerationTrace.objects.filter(generation=generation).first()
        spans = trace.spans if trace else spans_of_plain(generation)
        return timeline(spans) if spans else "-"

    @admin.display(description="what went in and came out")
    def shown_steps(self, generation: Generation) -> str:
        trace = GenerationTrace.objects.filter(generation=generation).first()
        return steps_list(trace.steps) if trace and trace.steps else "-"

    @admin.action(description="Cancel", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        active = queryset.filter(status__in=Generation.ACTIVE).values_list("pk", flat=True)
        asked = [pk for pk in active if lease.request_cancel(pk)]
        announce(asked)
        sentence = ngettext(
            "%d generation was asked to stop.", "%d generations were asked to stop.", len(asked)
        )
        self.message_user(
            request,
            sentence % len(asked) if asked else "Nothing to cancel: all of these have ended.",
            messages.SUCCESS if asked else messages.WARNING,
        )

    @display(description="status", ordering="status", label=STATUS_LABELS)
    def status_label(self, generation: Generation) -> tuple[str, str]:
        return generation.status, generation.get_status_display()

    @admin.display(description="owner", ordering="conversation__owner__username")
    def owner(self, generation: Generation) -> str:
        return generation.conversation.owner.get_username()

    @admin.display(description="API", boolean=True)
    def by_program(self, generation: Generation) -> bool:
        return generation.request is not None

    @admin.display(description="waited")
    def waited(self, generation: Generation) -> str:
        return seconds(generation.timings.get("queued_ms"))

    @admin.display(description="first token")
    def first_token(self, generation: Generation) -> str:
        return seconds(generation.timings.get("first_token_ms"))

    @admin.display(description="took")
    def took(self, generation: Generation) -> str:
        return seconds(generation.timings.get("total_ms"))

    @admin.display(description="ended with")
    def ended_with(self, generation: Generation) -> str:
        return generation.error_code or generation.finish_reason

    @admin.display(description="tokens in / out")
    def tokens(self, generation: Generation) -> str:
        usage = generation.usage
        if not usage:
            return ""
        about = "~" if usage.get("estimated") else ""
        return f"{about}{usage.get('input_tokens', 0):,} / {usage.get('output_tokens', 0):,}"


def seconds(milliseconds: float | None) -> str:
    return "" if milliseconds is None else f"{milliseconds / 1000:.2f}\N{NO-BREAK SPACE}s"


def announce(generations: Iterable[UUID]) -> None:
    try:
        with connect_sync() as redis:
            for generation in generations:
                redis.publish(cancel_channel(), str(generation))
    except (RedisError, OSError) as error:
        # Workers see the request in the database when they renew their leases.
        logger.warning("cancel_not_announced", error=str(error))
