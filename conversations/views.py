from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from conversations import windows
from conversations.access import NotFound, conversation_of
from conversations.lists import sidebar
from conversations.models import Conversation
from conversations.settings import shape as settings_shape
from llm.catalogue import default_model, offered

EMPTY: dict[str, Any] = {"messages": [], "newer": [], "latest": None, "message": None}


@require_safe
@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    return chat(request, None)


@require_safe
@never_cache
@login_required
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    try:
        return chat(request, conversation_of(request.user, conversation_id))  # type: ignore[arg-type]
    except NotFound:
        raise Http404 from None


def chat(request: HttpRequest, shown: Conversation | None) -> HttpResponse:
    context = {"page_data": page_data(request, shown), "conversation": shown}
    return render(request, "conversations/chat.html", context)


def page_data(request: HttpRequest, shown: Conversation | None) -> dict[str, Any]:
    user: Any = request.user
    return {
        "user": {"id": user.pk, "name": user.name},
        "limits": limits(),
        "models": models(user),
        **sidebar(user),
        "conversation": None if shown is None else one(shown),
        **(EMPTY if shown is None else shown_part(request, shown)),
    }


def shown_part(request: HttpRequest, shown: Conversation) -> dict[str, Any]:
    """The newest messages; `?message=` asks for those around one, such as a hit of the search."""
    try:
        wanted = UUID(request.GET.get("message", ""))
        return {**windows.around(shown, wanted), "message": str(wanted)}
    except (ValueError, NotFound):
        return {**windows.newest(shown), "message": None}


def limits() -> dict[str, int]:
    return {
        "message_chars": settings.MESSAGE_CHARS,
        "file_mb": settings.ATTACHMENT_MB,
        "files": settings.ATTACHMENTS_PER_MESSAGE,
    }


def models(user: User) -> list[dict[str, Any]]:
    default = default_model(user)
    return [
        {
            "slug": model.slug,
            "label": model.label,
            "description": model.description,
            "default": model == default,
            "tools": model.tools if model.uses_tools else [],
            "images": model.images,
            "reasons": model.reasons,
        }
        for model in offered(user)
    ]


def one(shown: Conversation) -> dict[str, Any]:
    latest = shown.generations.order_by("-queued_at").values_list("model_slug", flat=True).first()
    return {
        "id": str(shown.id),
        "title": shown.title,
        "pinned": shown.pinned,
        "archived": shown.archived,
        "folder": str(shown.folder_id) if shown.folder_id else None,
        "expires_at": shown.expires_at.isoformat() if shown.expires_at else None,
        "temporary": shown.is_temporary,
        "model": shown.model_slug or latest or None,
        "settings": settings_shape(shown),
    }
