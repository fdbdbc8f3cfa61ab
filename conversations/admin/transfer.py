from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from conversations.admin.base import FoundById, ReadOnly, as_written
from conversations.models import Import

STATUS_LABELS = {
    "queued": "warning",
    "running": "info",
    "completed": "success",
    "failed": "danger",
}


@admin.register(Import)
class ImportAdmin(ReadOnly, FoundById, ModelAdmin):
    list_display = [
        "name", "owner", "status_label", "progress", "created", "extended", "refused",
        "created_at", "finished_at",
    ]  # fmt: skip
    list_filter = ["status", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["owner__username", "owner__email", "name"]
    search_help_text = "An id, an owner or the name of a file."
    date_hierarchy = "created_at"
    readonly_fields = ["reasons"]
    fieldsets = [
        (None, {"fields": ["id", "owner", "name", "status"]}),
        ("Conversations", {"fields": ["total", "done", "created", "extended", "refused"]}),
        ("Problems", {"fields": ["error", "reasons"]}),
        ("Times", {"fields": ["created_at", "touched_at", "finished_at"]}),
    ]
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50

    @display(description="status", ordering="status", label=STATUS_LABELS)
    def status_label(self, one: Import) -> tuple[str, str]:
        return one.status, one.get_status_display()

    @admin.display(description="read")
    def progress(self, one: Import) -> str:
        return f"{one.done:,} of {one.total:,}"

    @admin.display(description="problems")
    def reasons(self, one: Import) -> str:
        return as_written("\n".join(one.problems)) if one.problems else ""
