"""What admins see of what is kept. Nothing is added here, and what people and models have said is
read only: a text that was changed behind its back could no longer be the one that was shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from conversations.models import (
    Attachment,
    Conversation,
    Feedback,
    Folder,
    Message,
    Preset,
    Prompt,
)
from conversations.search.index import index_title

EXCERPT_CHARS = 100


class FoundById:
    """A search for an id is one look-up by its index. The same text as part of a column would be
    read from every row, and SQLite keeps ids without their dashes."""

    id_fields: list[str] = ["pk"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)  # type: ignore[misc, no-any-return]
        found = Q(*[(field, wanted) for field in self.id_fields], _connector=Q.OR)
        return queryset.filter(found), False


class ReadOnly:
    """To look at, and to delete. A form that saves would write a whole row back, status included,
    while a worker changes it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)  # type: ignore[misc]
        return obj is None and allowed


def link_to(model: str, label: str, **filters: object) -> str:
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    url = reverse(f"admin:{model}_changelist")
    return format_html(
        '<a href="{}?{}" class="text-primary-600 underline">{}</a>', url, query, label
    )


def as_written(text: str, element: str = "div") -> str:
    """With its line ends, and never wider than the page. (The theme has no class for that.)"""
    style = "white-space: pre-wrap; overflow-wrap: anywhere"
    return format_html('<{0} style="{1}">{2}</{0}>', element, style, text)


def as_json(attribute: str) -> Callable[[Any, Model], str]:
    """A read-only field that shows a JSON column, indented."""

    @admin.display(description=attribute)
    def field(_: Any, row: Model) -> str:
        return as_written(json.dumps(getattr(row, attribute), indent=2, ensure_ascii=False), "pre")

    return field


@admin.register(Conversation)
class ConversationAdmin(FoundById, ModelAdmin):
    list_display = ["title_or_id", "owner", "pinned", "created_at", "updated_at"]
    list_filter = ["pinned", "created_at", "updated_at"]
    list_select_related = ["owner"]
    search_fields = ["title", "owner__username", "owner__email"]
    date_hierarchy = "created_at"
    fields = ["id", "owner", "title", "pinned", "created_at", "updated_at", "contains"]
    readonly_fields = ["id", "owner", "created_at", "updated_at", "contains"]
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

    @admin.display(description="contains")
    def contains(self, conversation: Conversation) -> str:
        within = {"conversation__id__exact": conversation.pk}
        return format_html(
            "{} · {}",
            link_to("conversations_message", "Messages", **within),
            link_to("conversations_generation", "Generations", **within),
        )


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


@admin.register(Message)
class MessageAdmin(ReadOnly, FoundById, ModelAdmin):
    id_fields = ["pk", "conversation", "client_message_id"]
    list_display = ["excerpt", "role_label", "conversation", "owner", "created_at"]
    list_filter = ["role", "created_at"]
    list_select_related = ["conversation__owner"]
    search_fields = ["conversation__title", "conversation__owner__username"]
    search_help_text = "An id, a title or a username. What was written is not searched."
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    raw_id_fields = ["conversation", "parent"]
    fields = ["id", "conversation", "parent", "role", "created_at", "written", "blocks"]
    readonly_fields = ["written", "blocks"]
    blocks = as_json("content")
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        found: QuerySet[Message] = super().get_queryset(request)
        return found.select_related("conversation__owner", "parent")

    @admin.display(description="text")
    def excerpt(self, message: Message) -> str:
        return Truncator(message.text).chars(EXCERPT_CHARS) or "(no text)"

    @display(description="role", ordering="role", label={"user": "info", "system": "warning"})
    def role_label(self, message: Message) -> str:
        return message.role

    @admin.display(description="owner", ordering="conversation__owner__username")
    def owner(self, message: Message) -> str:
        return message.conversation.owner.get_username()

    @admin.display(description="text")
    def written(self, message: Message) -> str:
        return as_written(message.text)


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly, ModelAdmin):
    list_display = ["rating_label", "said", "model", "owner", "updated_at"]
    list_filter = ["rating", "message__generation__model_slug", "updated_at"]
    list_select_related = ["message__conversation__owner", "message__generation"]
    search_fields = ["comment", "message__conversation__owner__username"]
    date_hierarchy = "updated_at"
    ordering = ["-updated_at"]
    raw_id_fields = ["message"]
    fields = ["rating", "comment", "message", "answer", "created_at", "updated_at"]
    readonly_fields = ["answer"]
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50

    @display(description="rating", ordering="rating", label={"Good": "success", "Bad": "danger"})
    def rating_label(self, feedback: Feedback) -> str:
        return feedback.get_rating_display()

    @admin.display(description="comment")
    def said(self, feedback: Feedback) -> str:
        return Truncator(feedback.comment).chars(EXCERPT_CHARS)

    @admin.display(description="model", ordering="message__generation__model_slug")
    def model(self, feedback: Feedback) -> str:
        return feedback.message.generation.model_slug

    @admin.display(description="owner", ordering="message__conversation__owner__username")
    def owner(self, feedback: Feedback) -> str:
        return feedback.message.conversation.owner.get_username()

    @admin.display(description="answer")
    def answer(self, feedback: Feedback) -> str:
        return as_written(feedback.message.text)


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


@admin.register(Prompt)
class PromptAdmin(ReadOnly, FoundById, ModelAdmin):
    list_display = ["title", "owner", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["title", "owner__username", "owner__email"]
    fields = ["id", "owner", "title", "text", "created_at"]
    paginator = InfinitePaginator
    show_full_result_count = False


@admin.register(Preset)
class PresetAdmin(ReadOnly, FoundById, ModelAdmin):
    list_display = ["name", "owner", "model_slug", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username", "owner__email"]
    fields = [
        "id", "owner", "name", "model_slug", "system_prompt", "temperature", "tools", "created_at",
    ]  # fmt: skip
    paginator = InfinitePaginator
    show_full_result_count = False
