"""Errors that no view answers: a page for people, an object for programs."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views import csrf, defaults
from django.views.decorators.csrf import csrf_exempt

FOR_PROGRAMS = ("/api/", "/v1/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_programs(request):
        return answer(request, 400, "bad_request", _("This request cannot be read."))
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_programs(request):
        return answer(request, 404, "not_found", _("There is nothing at this address."))
    return defaults.page_not_found(request, exception)


@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    return not_found(request, Http404())


def server_error(request: HttpRequest) -> HttpResponse:
    if is_for_programs(request):
        return answer(request, 500, "internal", _("Something went wrong on our side. Try again."))
    return defaults.server_error(request)


def csrf_failure(request: HttpRequest, reason: str = "", **options: Any) -> HttpResponse:
    if is_for_programs(request):
        return answer(request, 403, "csrf", reason)
    return csrf.csrf_failure(request, reason, **options)


def is_for_programs(request: HttpRequest) -> bool:
    return request.path.startswith(FOR_PROGRAMS)


def answer(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    """Each API in its own shape."""
    if request.path.startswith("/v1/"):
        kind = "server_error" if status >= 500 else "invalid_request_error"
        error = {"message": message, "type": kind, "param": None, "code": code}
        return JsonResponse({"error": error}, status=status)
    return JsonResponse({"code": code, "message": message}, status=status)
