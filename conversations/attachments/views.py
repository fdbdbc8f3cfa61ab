from typing import Any
from uuid import UUID

from csp.constants import NONE
from csp.decorators import csp
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from conversations.access import NotFound, attachment_of
from conversations.models import Attachment

# Whatever a browser takes the file for, it may do nothing and load nothing.
POLICY: dict[str, Any] = {"default-src": [NONE], "sandbox": True}
CACHED_SECONDS = 24 * 3600


@require_safe
@csp(POLICY)
@login_required
def file(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """A file's bytes, to its owner. Shown in the page is only what we have drawn ourselves."""
    try:
        return response_of(attachment_of(request.user, attachment_id))  # type: ignore[arg-type]
    except NotFound:
        raise Http404 from None


def response_of(found: Attachment) -> HttpResponse:
    """For whoever may have it; the view that gives it away needs POLICY. Raises NotFound."""
    content = read(found)
    is_image = found.kind == Attachment.Kind.IMAGE
    response = HttpResponse(content, content_type=found.media_type if is_image else harmless(found))
    disposition = content_disposition_header(not is_image, found.name)
    response["Content-Disposition"] = disposition or "attachment"
    response["Cache-Control"] = f"private, max-age={CACHED_SECONDS}, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def read(attachment: Attachment) -> bytes:
    try:
        with attachment.file.open("rb") as opened:
            content: bytes = opened.read()
    except FileNotFoundError:
        raise NotFound(f"The file of {attachment.pk} is gone.") from None
    return content


def harmless(attachment: Attachment) -> str:
    """No type that a browser would show by itself; it is to be saved."""
    return "application/octet-stream" if attachment.kind == Attachment.Kind.PDF else "text/plain"
