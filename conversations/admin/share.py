from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from conversations.admin.base import FoundById, ReadOnly
from conversations.models import Share
from conversations.sharing import revoke


class Revoked(admin.SimpleListFilter):
    title = "revoked"
    parameter_name = "revoked"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("0", "No"), ("1", "Yes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Share]) -> QuerySet[Share] | None:
        if self.value() in ("0", "1"):
            return queryset.filter(revoked_at__isnull=self.value() == "0")
        return None


@admin.register(Share)
class ShareAdmin(ReadOnly, FoundById, ModelAdmin):
    """Who has shared what, and an end to it. The token is the whole secret of a link, so that it is
    shown to nobody here, and neither is the snapshot behind it."""

    id_fields = ["pk", "conversation"]
    actions = ["take_back"]
    list_display = ["title_or_id", "owner", "state", "with_attachments", "created_at", "updated_at"]
    list_filter = [Revoked, "with_attachments", "created_at"]
    list_select_related = ["conversation__owner"]
    search_fields = ["title", "conversation__owner__username", "conversation__owner__email"]
    search_help_text = "An id, a title or an owner."
    date_hierarchy = "created_at"
    raw_id_fields = ["conversation"]
    fields = [
        "id", "conversation", "title", "with_attachments", "created_at", "updated_at", "revoked_at",
    ]  # fmt: skip
    view_on_site = False
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Share]:
        found: QuerySet[Share] = super().get_queryset(request)
        return found.defer("messages", "token")

    @admin.action(description="Revoke the selected links", permissions=["delete"])
    def take_back(self, request: HttpRequest, chosen: QuerySet[Share]) -> None:
        active = list(chosen.filter(revoked_at=None))
        for found in active:
            revoke(found)
        sentence = ngettext(
            "%d link does not work any more.", "%d links do not work any more.", len(active)
        )
        self.message_user(request, sentence % len(active))

    @admin.display(description="title", ordering="title")
    def title_or_id(self, found: Share) -> str:
        return str(found)

    @admin.display(description="owner", ordering="conversation__owner__username")
    def owner(self, found: Share) -> str:
        return found.conversation.owner.get_username()

    @display(description="state", label={"Shared": "success", "Revoked": "danger"})
    def state(self, found: Share) -> str:
        return "Revoked" if found.revoked_at else "Shared"
