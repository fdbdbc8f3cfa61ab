from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from conversations.admin.base import FoundById, ReadOnly
from conversations.models import HistorySummary


@admin.register(HistorySummary)
class HistorySummaryAdmin(ReadOnly, FoundById, ModelAdmin):
    """What models are told of messages that no longer fit. Without it, it is made again."""

    id_fields = ["conversation"]
    list_display = ["__str__", "conversation", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["conversation"]
    search_fields = ["conversation__owner__username", "conversation__owner__email"]
    search_help_text = "A conversation's id, or its owner."
    date_hierarchy = "created_at"
    fields = ["conversation", "created_at", "text"]
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
