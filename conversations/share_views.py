"""The public page of a read-only link: no account, no session, nothing that says whose it is."""

from uuid import UUID

from csp.decorators import csp
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.http import require_safe

from conversations.access import NotFound
from conversations.attachments.views import POLICY, response_of
from conversations.models import Share
from conversations.sharing import shared_as, shared_file


@require_safe
def page(request: HttpRequest, token: str) -> HttpResponse:
    found = found_or_404(token)
    if request.user.is_authenticated:
        # Going on with it is a request of the page's own, which needs the cookie.
        get_token(request)
    return quiet(render(request, "share/page.html", {"share": found}))


@require_safe
@csp(POLICY)
def attachment(request: HttpRequest, token: str, file_id: UUID) -> HttpResponse:
    try:
        return quiet(response_of(shared_file(found_or_404(token), file_id)))
    except NotFound:
        raise Http404 from None


def found_or_404(token: str) -> Share:
    try:
        return shared_as(token)
    except NotFound:
        raise Http404 from None


def quiet(answer: HttpResponse) -> HttpResponse:
    """No search engine keeps it, no other site learns of it, and a link that was revoked is gone
    with the next look at it, whatever a browser has kept."""
    answer["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer["Referrer-Policy"] = "no-referrer"
    answer["Cache-Control"] = "private, no-cache"
    return answer
