from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from conversations.admin.base import FoundById, ReadOnly
from conversations.models import Attachment


@admin.register(Attachment)
class AttachmentAdmin(ReadOnly, FoundById, ModelAdmin):
    """Whose, what and how large. What is in a file is its owner's alone."""

    id_fields = ["pk", "conversation"]
    list_display = ["name", "owner", "kind", "bytes", "sent", "created_at"]
    list_filter = ["kind", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["owner__username"]
    search_help_text = "An id or a username. Names and contents are not searched."
    date_hierarchy = "created_at"
    raw_id_fields = ["owner", "conversation"]
    fields = ["id", "owner", "conversation", "name", "kind", "media_type", "bytes", "pages"]
    readonly_fields = ["bytes"]
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attachment]:
        found: QuerySet[Attachment] = super().get_queryset(request)
        return found.defer("text")

    @admin.display(description="size", ordering="size")
    def bytes(self, attachment: Attachment) -> str:
        return filesizeformat(attachment.size)

    @admin.display(description="sent", boolean=True)
    def sent(self, attachment: Attachment) -> bool:
        return attachment.conversation_id is not None
