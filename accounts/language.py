"""Which language a request is answered in: the user's own, else the browser's."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation.trans_real import get_language_from_request


def language_of(request: HttpRequest) -> str:
    """Of the user, else of the cookie that keeps it after signing out, else what the browser asks
    for, as far as we speak it."""
    chosen = getattr(request.user, "language", "")
    return chosen if chosen in dict(settings.LANGUAGES) else get_language_from_request(request)


class LanguageMiddleware(MiddlewareMixin):
    """Django's own knows cookies and headers alone, and must come before the user is known."""

    def process_request(self, request: HttpRequest) -> None:
        translation.activate(language_of(request))
        request.LANGUAGE_CODE = translation.get_language()

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Language", translation.get_language())
        return response
