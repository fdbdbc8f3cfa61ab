from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from conversations.admin.base import EXCERPT_CHARS, FoundById, ReadOnly, as_json, as_written
from conversations.models import Feedback, Message


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
