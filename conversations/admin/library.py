from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from conversations.admin.base import FoundById, ReadOnly
from conversations.models import Preset, Prompt


@admin.register(Prompt)
class PromptAdmin(ReadOnly, FoundById, ModelAdmin):
    list_display = ["title", "owner", "created_at"]
    list_filter = ["created_at"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    list_per_page = 50
    list_select_related = ["owner"]
    search_fields = ["title", "owner__username", "owner__email"]
    fields = ["id", "owner", "title", "text", "created_at"]
    paginator = InfinitePaginator
    show_full_result_count = False


@admin.register(Preset)
class PresetAdmin(ReadOnly, FoundById, ModelAdmin):
    list_display = ["name", "owner", "model_slug", "created_at"]
    list_filter = ["created_at"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    list_per_page = 50
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username", "owner__email"]
    fields = [
        "id", "owner", "name", "model_slug", "system_prompt", "temperature", "tools", "created_at",
    ]  # fmt: skip
    paginator = InfinitePaginator
    show_full_result_count = False
