from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from llm.forms import ChatModelForm, ProviderForm
from llm.models import ChatModel, Provider


@admin.register(Provider)
class ProviderAdmin(ModelAdmin):
    form = ProviderForm
    list_display = ["name", "kind", "base_url", "key_variable", "model_count", "enabled"]
    list_filter = ["kind", "enabled"]
    search_fields = ["name", "base_url", "key_variable"]
    fieldsets = [
        (None, {"fields": ["name", "kind", "base_url", "enabled"]}),
        ("Secrets", {"fields": ["key", "key_variable", "headers", "forget"]}),
        ("Limits", {"fields": ["connect_timeout", "first_token_timeout", "token_timeout"]}),
    ]

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
    list_filter = ["enabled", "default", "provider"]
    list_select_related = ["provider"]
    search_fields = ["label", "slug", "provider_model", "provider__name"]
    autocomplete_fields = ["provider"]
    filter_horizontal = ["groups"]
    ordering = ["-default", "position", "label"]
    fieldsets = [
        (None, {"fields": ["label", "slug", "description", "provider", "provider_model"]}),
        ("Offer", {"fields": ["enabled", "default", "position", "groups"]}),
        ("Abilities", {"fields": ["images", "uses_tools", "reasons"]}),
        ("Limits", {"fields": ["context_window", "max_output_tokens", "queue"]}),
        ("Prices", {"fields": ["price_in", "price_out"]}),
        ("Behaviour", {"fields": ["system_prompt", "parameters", "tools"]}),
    ]

    @transaction.atomic
    def save_model(
        self, request: HttpRequest, obj: ChatModel, form: ModelForm[Any], change: bool
    ) -> None:
        if obj.default:
            ChatModel.objects.filter(default=True).exclude(pk=obj.pk).update(default=False)
        super().save_model(request, obj, form, change)
