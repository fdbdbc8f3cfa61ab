from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from llm import health, places, pools
from llm.admin_pages import cache_page, fetch_page, try_page
from llm.forms import ChatModelForm, ProviderForm
from llm.models import ChatModel, Provider
from llm.server_admin import ToolServerAdmin

__all__ = ["ChatModelAdmin", "ProviderAdmin", "ToolServerAdmin"]


@admin.register(Provider)
class ProviderAdmin(ModelAdmin):
    form = ProviderForm
    list_display = ["name", "kind", "base_url", "health", "model_count", "enabled"]
    actions_detail = ["fetch_models"]
    readonly_fields = ["state", "last_failure", "places"]
    list_filter = ["kind", "enabled"]
    search_fields = ["name", "base_url", "key_variable"]
    fieldsets = [
        (None, {"fields": ["name", "kind", "base_url", "streams", "enabled"]}),
        ("Secrets", {"fields": ["key", "key_variable", "headers", "forget"]}),
        (
            "Limits",
            {
                "fields": [
                    "connect_timeout",
                    "first_token_timeout",
                    "token_timeout",
                    "max_concurrency",
                ]
            },
        ),
        ("Health", {"fields": ["state", "last_failure", "places"]}),
    ]

    @action(
        description="Fetch models",
        permissions=["fetch"],
        url_path="fetch-models",
        icon="download",
    )
    def fetch_models(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return fetch_page(request, get_object_or_404(Provider, pk=object_id))

    def has_fetch_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """By name in the decorator, each permission would be looked for in a database that may not
        have its tables yet."""
        return request.user.has_perms(["llm.view_provider", "llm.add_chatmodel"])

    @display(description="health", label={"ok": "success", "failing": "warning", "out": "danger"})
    def health(self, provider: Provider) -> tuple[str, str]:
        return standing(provider)

    @admin.display(description="health")
    def state(self, provider: Provider) -> str:
        return standing(provider)[1]

    @admin.display(description="places taken")
    def places(self, provider: Provider) -> str:
        if not provider.pk or not provider.max_concurrency:
            return "no limit"
        return (
            f"{places.taken(provider.pk, provider.max_concurrency)} of {provider.max_concurrency}"
        )

    @admin.display(description="last failure")
    def last_failure(self, provider: Provider) -> str:
        known = health.trouble(provider.pk) if provider.pk else None
        if known is None:
            return "-"
        return f"{known.failures} in a row, the last with {known.code}: {known.detail or '-'}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        found: QuerySet[Provider] = super().get_queryset(request)
        return found.annotate(model_count=Count("models"))

    @admin.display(description="models", ordering="model_count")
    def model_count(self, provider: Any) -> int:
        return int(provider.model_count)


@admin.register(ChatModel)
class ChatModelAdmin(ModelAdmin):
    form = ChatModelForm
    list_display = ["label", "slug", "provider", "provider_model", "enabled", "default", "position"]
    list_editable = ["enabled", "position"]
    list_filter = ["enabled", "default", "provider", "groups", "reasons", "images"]
    actions_detail = ["test", "empty_cache"]
    actions_row = ["test"]
    list_select_related = ["provider"]
    search_fields = ["label", "slug", "provider_model", "provider__name"]
    autocomplete_fields = ["provider", "fallback", "groups"]
    ordering = ["-default", "position", "label"]
    fieldsets = [
        (None, {"fields": ["label", "slug", "description", "provider", "provider_model"]}),
        ("Offer", {"fields": ["enabled", "default", "position", "groups", "fallback"]}),
        ("Abilities", {"fields": ["images", "uses_tools", "reasons", "prefill"]}),
        ("Limits", {"fields": ["context_window", "summarises", "max_output_tokens", "queue"]}),
        ("Prices", {"fields": ["price_in", "price_out"]}),
        (
            "Behaviour",
            {
                "fields": [
                    "system_prompt",
                    "parameters",
                    "tools",
                    "tools_to_approve",
                    "filters",
                    "cache",
                    "debug",
                ]
            },
        ),
    ]

    @action(description="Test", permissions=["change"], icon="bolt")
    def test(self, request: HttpRequest, object_id: int) -> HttpResponse:
        models = ChatModel.objects.select_related("provider")
        return try_page(request, get_object_or_404(models, pk=object_id))

    @action(
        description="Empty the cache",
        permissions=["change"],
        url_path="empty-cache",
        icon="delete_sweep",
    )
    def empty_cache(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return cache_page(request, get_object_or_404(ChatModel, pk=object_id))

    def save_model(
        self, request: HttpRequest, obj: ChatModel, form: ModelForm[Any], change: bool
    ) -> None:
        with transaction.atomic():
            if obj.default:
                ChatModel.objects.filter(default=True).exclude(pk=obj.pk).update(default=False)
            super().save_model(request, obj, form, change)
        if "queue" in form.changed_data:
            transaction.on_commit(lambda: warn_of_a_queue_without_workers(request, obj.queue))


def warn_of_a_queue_without_workers(request: HttpRequest, queue: str) -> None:
    """No error: its pool may start later. Until then what is asked waits, without a word."""
    if pools.is_served(queue) is False:
        said = _("No worker takes from the queue “%(queue)s” now. What is asked waits for one.")
        messages.warning(request, said % {"queue": queue})


def standing(provider: Provider) -> tuple[str, str]:
    """Its colour, and the words."""
    known = health.trouble(provider.pk) if provider.pk else None
    if known is None:
        return "ok", "ok"
    if known.is_out:
        return "out", f"out until {clock(known.until)}"
    return "failing", f"failing since {clock(known.since)}"


def clock(seconds: float) -> str:
    """With its day, where that is not today."""
    then = localtime(datetime.fromtimestamp(seconds, UTC))
    return date_format(then, "H:i:s" if then.date() == localtime().date() else "j M H:i:s")
