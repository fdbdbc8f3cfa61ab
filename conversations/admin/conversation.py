from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from accounts.admin import link_to
from conversations.admin.base import FoundById, ReadOnly
from conversations.models import Conversation, Folder
from conversations.search.index import index_title

CONTENTS = [
    ("message", "Messages"),
    ("generation", "Generations"),
    ("attachment", "Attachments"),
    ("share", "Shares"),
]
PLACES = {
    "listed": "Listed",
    "archived": "Archived",
    "temporary": "Temporary",
    "deleted": "Deleted",
}
PLACE_LABELS = {"archived": "info", "temporary": "warning", "deleted": "danger"}
KEPT = Q(deleted_at=None)
WHERE = {
    "listed": KEPT & Q(expires_at=None, archived=False),
    "archived": KEPT & Q(expires_at=None, archived=True),
    "temporary": KEPT & Q(expires_at__isnull=False),
    "deleted": ~KEPT,
}


def place_of(conversation: Conversation) -> str:
    """Where its owner finds it, as `WHERE` asks the database."""
    if conversation.deleted_at:
        return "deleted"
    if conversation.is_temporary:
        return "temporary"
    return "archived" if conversation.archived else "listed"


class Place(admin.SimpleListFilter):
    title = "place"
    parameter_name = "place"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(PLACES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        wanted = WHERE.get(self.value() or "")
        return queryset.filter(wanted) if wanted else None


@admin.register(Conversation)
class ConversationAdmin(FoundById, ModelAdmin):
    list_display = [
        "title_or_id",
        "owner",
        "place_label",
        "folder",
        "pinned",
        "created_at",
        "updated_at",
    ]
    list_filter = [Place, "pinned", "created_at", "updated_at"]
    list_select_related = ["owner", "folder"]
    search_fields = ["title", "owner__username", "owner__email"]
    date_hierarchy = "created_at"
    fieldsets = [
        (None, {"fields": ["id", "owner", "title", "title_source", "pinned", "contains"]}),
        ("Place", {"fields": ["folder", "archived", "expires_at", "deleted_at"]}),
        ("Wishes", {"fields": ["model_slug", "temperature", "tools"]}),
        ("Times", {"fields": ["created_at", "updated_at"]}),
    ]
    readonly_fields = [
        "id",
        "owner",
        "title_source",
        "contains",
        "folder",
        "archived",
        "expires_at",
        "deleted_at",
        "model_slug",
        "temperature",
        "tools",
        "created_at",
        "updated_at",
    ]
    # Admins do not see other people's pages.
    view_on_site = False
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Conversation, form: ModelForm[Any], change: bool
    ) -> None:
        """Only what was changed: the rest may have moved on since the form was opened."""
        obj.save(update_fields=form.changed_data)
        if "title" in form.changed_data:
            index_title(obj)

    @admin.display(description="title", ordering="title")
    def title_or_id(self, conversation: Conversation) -> str:
        return str(conversation)

    @display(description="place", label=PLACE_LABELS)
    def place_label(self, conversation: Conversation) -> tuple[str, str]:
        place = place_of(conversation)
        return place, PLACES[place]

    @admin.display(description="contains")
    def contains(self, conversation: Conversation) -> str:
        within = {"conversation__id__exact": conversation.pk}
        links = [link_to(f"conversations_{kind}", label, **within) for kind, label in CONTENTS]
        return format_html_join(" · ", "{}", ([link] for link in links))


@admin.register(Folder)
class FolderAdmin(ReadOnly, FoundById, ModelAdmin):
    list_display = ["name", "owner", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username", "owner__email"]
    ordering = ["-created_at"]
    fields = ["id", "name", "owner", "created_at"]
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
