"""Every error has one shape: `{"code": …, "message": …}`; the message is for the user."""

from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from redis.exceptions import RedisError

from conversations.access import NotFound
from conversations.submit import Refused

logger = structlog.get_logger(__name__)
CONFLICTS = frozenset({"conflict", "busy"})


class ErrorShape(Schema):
    code: str
    message: str


def register(api: NinjaAPI) -> None:
    @api.exception_handler(NotFound)
    def not_found(request: HttpRequest, error: NotFound) -> HttpResponse:
        return answer(api, request, 404, "not_found", str(error))

    @api.exception_handler(Refused)
    def refused(request: HttpRequest, error: Refused) -> HttpResponse:
        status = 409 if error.code in CONFLICTS else 400
        return answer(api, request, status, error.code, str(error))

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        return answer(api, request, 422, "invalid", sentence(error.errors))

    @api.exception_handler(RequestDataTooBig)
    def too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
        return answer(api, request, 413, "too_large", _("The request is too large."))

    @api.exception_handler(MultiPartParserError)
    def unreadable(request: HttpRequest, error: MultiPartParserError) -> HttpResponse:
        return answer(api, request, 400, "bad_request", _("This request cannot be read."))

    @api.exception_handler(AuthenticationError)
    def not_signed_in(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        # A program that has brought a key cannot sign in, and there is nothing but the key to mend.
        sentence = _("Sign in first.")
        if request.headers.get("Authorization"):
            sentence = _("This API key does not exist, has ended or was revoked.")
        return answer(api, request, 401, "not_signed_in", sentence)

    @api.exception_handler(HttpError)
    def other(request: HttpRequest, error: HttpError) -> HttpResponse:
        return answer(api, request, error.status_code, "refused", str(error))

    for away in (RedisError, OperationalError, InterfaceError):

        @api.exception_handler(away)
        def unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
            logger.warning("request_not_done", error=str(error))
            sentence = _("The service is catching its breath. Try again in a moment.")
            response = answer(api, request, 503, "unavailable", sentence)
            response.headers["Retry-After"] = "2"
            return response


def answer(
    api: NinjaAPI, request: HttpRequest, status: int, code: str, message: str
) -> HttpResponse:
    return api.create_response(request, {"code": code, "message": message}, status=status)


def sentence(errors: list[dict[str, Any]]) -> str:
    """`title: string should have at most 200 characters, got 'aaaa…'`"""
    first = errors[0]
    place = ".".join(str(part) for part in first["loc"][2:] or first["loc"][-1:])
    text = str(first["msg"])
    got = repr(first["input"])[:60] if "input" in first else ""
    return f"{place}: {text[:1].lower()}{text[1:]}" + (f", got {got}" if got else "")
