"""Errors as OpenAI's API has them: `{"error": {"message", "type", "param", "code"}}`
(https://platform.openai.com/docs/guides/error-codes)."""

from typing import Any

from django.http import JsonResponse

# Codes of a failed generation: the status, OpenAI's type and OpenAI's code.
FAILURES = {
    "provider_rate_limited": (429, "rate_limit_error", "rate_limit_exceeded"),
    "context_too_long": (400, "invalid_request_error", "context_length_exceeded"),
    "provider_bad_request": (400, "invalid_request_error", "provider_bad_request"),
    "provider_timeout": (504, "server_error", "timeout"),
    "generation_timeout": (504, "server_error", "timeout"),
    "model_unavailable": (404, "invalid_request_error", "model_not_found"),
    "model_misconfigured": (500, "server_error", "model_misconfigured"),
    "internal": (500, "server_error", "internal"),
}
BAD_GATEWAY = (502, "server_error", "provider_error")
RETRY_SECONDS = "2"


class ApiError(Exception):
    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}

    def response(self) -> JsonResponse:
        headers = {"Retry-After": RETRY_SECONDS} if self.status in (429, 503) else {}
        return JsonResponse(self.body, status=self.status, headers=headers)


def of_failure(event: dict[str, Any]) -> ApiError:
    """From `generation.failed`, or from the error of a snapshot that holds the end."""
    status, kind, code = FAILURES.get(event["code"], BAD_GATEWAY)
    return ApiError(status, event["message"], kind=kind, code=code)


def not_a_key() -> ApiError:
    sentence = (
        "Incorrect API key provided: it does not exist, has ended or was revoked."
        " Make one under your account's API keys."
    )
    return ApiError(401, sentence, code="invalid_api_key")


def stopped() -> ApiError:
    return ApiError(409, "The answer was stopped.", kind="server_error", code="cancelled")


def started_again() -> ApiError:
    """What was sent cannot be taken back, and the new answer does not begin with it."""
    sentence = "The answer was interrupted and started again. Ask once more."
    return ApiError(500, sentence, kind="server_error", code="answer_restarted")


def unavailable() -> ApiError:
    sentence = "The service is catching its breath. Try again in a moment."
    return ApiError(503, sentence, kind="server_error", code="unavailable")
