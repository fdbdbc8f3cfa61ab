from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from llm.models import ChatModel, Provider


@admin.register(Provider)
class ProviderAdmin(ModelAdmin):
    list_display = ["name", "kind", "base_url", "key_variable", "model_count", "enabled"]
    list_filter = ["kind", "enabled"]
    search_fields = ["name", "base_url", "key_variable"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        found: QuerySet[Provider] = super().get_queryset(request)
        return found.annotate(model_count=Count("models"))

    @admin.display(description="models", ordering="model_count")
    def model_count(self, provider: Any) -> int:
        return int(provider.model_count)


class ChatModelForm(ModelForm):  # type: ignore[type-arg]
    """Choosing a new default takes the old one's place, so the constraint is not to refuse it."""

    def _get_validation_exclusions(self) -> set[str]:
        exclusions: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return {*exclusions, "default"}


@admin.register(ChatModel)
class ChatModelAdmin(ModelAdmin):
    form = ChatModelForm
    list_display = ["label", "slug", "provider", "provider_model", "enabled", "default", "position"]
    list_editable = ["enabled", "position"]
    list_filter = ["enabled", "default", "provider"]
    list_select_related = ["provider"]
    search_fields = ["label", "slug", "provider_model", "provider__name"]
    autocomplete_fields = ["provider"]
    ordering = ["-default", "position", "label"]
    fieldsets = [
        (None, {"fields": ["label", "slug", "provider", "provider_model"]}),
        ("Offer", {"fields": ["enabled", "default", "position"]}),
        ("Limits", {"fields": ["context_window", "max_output_tokens"]}),
        ("Behaviour", {"fields": ["system_prompt", "parameters", "tools"]}),
    ]

    @transaction.atomic
    def save_model(
        self, request: HttpRequest, obj: ChatModel, form: ModelForm[Any], change: bool
    ) -> None:
        if obj.default:
            ChatModel.objects.filter(default=True).exclude(pk=obj.pk).update(default=False)
        super().save_model(request, obj, form, change)
