from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action

from llm.admin_pages import about
from llm.mcp.connection import ServerFailed, reason
from llm.mcp.listing import fetch
from llm.models import ChatModel, ServerTool, ToolServer
from llm.models.tool_server import SEPARATOR
from llm.server_forms import ToolServerForm


class ServerToolInline(TabularInline):
    model = ServerTool
    fields = ["full_name", "description", "permission", "acts", "problem"]
    readonly_fields = ["full_name", "description", "problem"]
    # Its name is the first column already.
    hide_title = True
    radio_fields = {"permission": admin.VERTICAL}
    extra = 0
    can_delete = False

    @admin.display(description="name")
    def full_name(self, tool: ServerTool) -> str:
        return tool.full_name

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Which tools there are is the server's to say."""
        return False


@admin.register(ToolServer)
class ToolServerAdmin(ModelAdmin):
    form = ToolServerForm
    inlines = [ServerToolInline]
    actions_detail = ["fetch_tools"]
    list_display = ["name", "transport", "place", "allowed_count", "fetched_at", "enabled"]
    list_filter = ["transport", "enabled"]
    search_fields = ["name", "url", "command"]
    readonly_fields = ["fetched_at"]
    fieldsets = [
        (None, {"fields": ["name", "transport", "url", "command", "args", "enabled"]}),
        ("Secrets", {"fields": ["secrets", "forget"]}),
        ("Limits", {"fields": ["timeout", "fetched_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ToolServer]:
        found: QuerySet[ToolServer] = super().get_queryset(request)
        permitted = (ServerTool.Permission.ALLOWED, ServerTool.Permission.ASK)
        allowed = Q(tools__permission__in=permitted)
        return found.annotate(allowed=Count("tools", filter=allowed))

    @admin.display(description="allowed tools", ordering="allowed")
    def allowed_count(self, server: Any) -> int:
        return int(server.allowed)

    @admin.display(description="address")
    def place(self, server: ToolServer) -> str:
        return server.url or server.command

    @action(description="Fetch tools", permissions=["fetch"], icon="download")
    def fetch_tools(self, request: HttpRequest, object_id: int) -> HttpResponse:
        server = get_object_or_404(ToolServer, pk=object_id)
        if request.method != "POST":
            return render(request, "admin/llm/fetch_tools.html", self.page(request, server))
        try:
            found = fetch(server)
        except ServerFailed as error:
            why = {"failure": str(error), "detail": reason(error)[:500]}
            page = self.page(request, server) | why
            return render(request, "admin/llm/fetch_tools.html", page)
        broken = sum(bool(tool.problem) for tool in found)
        said = [_("Tools found: %(count)s.") % {"count": len(found)}]
        if broken:
            said.append(_("Tools that cannot be used: %(count)s.") % {"count": broken})
        messages.success(request, " ".join([*said, _("New ones are off until you allow them.")]))
        return redirect(reverse("admin:llm_toolserver_change", args=[server.pk]))

    @transaction.atomic
    def save_model(
        self, request: HttpRequest, obj: ToolServer, form: ModelForm[Any], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if change and "name" in form.changed_data:
            rename_tools(form.initial["name"], obj.name)

    def page(self, request: HttpRequest, server: ToolServer) -> dict[str, Any]:
        title = _("Tools of %(server)s") % {"server": server.name}
        return {**about(request, title, server), "server": server}

    def has_fetch_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perms(["llm.change_toolserver", "llm.change_servertool"])


def rename_tools(before: str, after: str) -> None:
    """Models know a tool by its server's name. Under the old one they would lose it, and what is to
    be approved would be forgotten with it."""
    old, new = f"{before}{SEPARATOR}", f"{after}{SEPARATOR}"
    for model in ChatModel.objects.select_for_update():
        tools, to_approve = (
            [f"{new}{name.removeprefix(old)}" if name.startswith(old) else name for name in names]
            for names in (model.tools, model.tools_to_approve)
        )
        if (tools, to_approve) != (model.tools, model.tools_to_approve):
            model.tools, model.tools_to_approve = tools, to_approve
            model.save(update_fields=["tools", "tools_to_approve"])
