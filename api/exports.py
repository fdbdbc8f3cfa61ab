"""Conversations as files, for their owner."""

from typing import Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from ninja import Router

from api.auth import user_of
from api.streamed import download
from conversations.access import conversation_of
from conversations.transfer.archive import TITLE_IN_NAME, as_zip, safe
from conversations.transfer.export import as_json, ids_of, portable, portables
from conversations.transfer.markdown import as_markdown

router = Router(tags=["exports"])
of_conversations = Router(tags=["exports"])


@of_conversations.get("/{uuid:conversation_id}/export")
def one(
    request: HttpRequest,
    conversation_id: UUID,
    form: Literal["markdown", "json"] = "markdown",
    leaf: UUID | None = None,
) -> HttpResponse:
    """Markdown holds the path that ends with `leaf`; JSON all versions."""
    found = portable(conversation_of(user_of(request), conversation_id))
    name = safe(found.title)[:TITLE_IN_NAME].strip() or "conversation"
    if form == "json":
        return file(b"".join(as_json([found])), f"{name}.json", "application/json")
    text = as_markdown(found, str(leaf) if leaf else None)
    return file(text.encode(), f"{name}.md", "text/markdown; charset=utf-8")


@router.get("")
def everything(request: HttpRequest, form: Literal["zip", "json"] = "zip") -> StreamingHttpResponse:
    user = user_of(request)
    name = f"chatsite-{timezone.now():%Y-%m-%d}.{form}"
    if form == "json":
        return download(as_json(portables(user, ids_of(user))), name, "application/json")
    return download(as_zip(user), name, "application/zip")


def file(content: bytes, name: str, content_type: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=content_type)
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer["Cache-Control"] = "no-store"
    return answer
