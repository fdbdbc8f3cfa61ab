"""From what went wrong to the ProviderError that says so; the details go to the log alone."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from json import JSONDecodeError
from typing import Any

import aiohttp
import httpx2
import msgspec
import openai
import structlog
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)

from llm.errors import Code, ProviderError

logger = structlog.get_logger(__name__)

LOGGED_CHARACTERS = 500
SECRET = re.compile(r"\b(?:sk|key|gsk|xai|lsv2)[-_][\w*.-]{6,}", re.IGNORECASE)
# Of what is sent with a request, the headers that hold no secret. All others may.
OPEN_HEADERS = re.compile(
    r"accept|accept-encoding|anthropic-\w+|connection|content-\w+|host|user-agent|x-stainless-.*"
)
SECRET_CHARACTERS = 6
CONTEXT_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context|context (length|window|size)"
    r"|prompt is too long|ContextWindowExceeded|too many (input )?tokens|input tokens exceed",
    re.IGNORECASE,
)
EXCEPTIONS: tuple[tuple[tuple[type[Exception], ...], Code], ...] = (
    ((ContextOverflowError,), "context_too_long"),
    ((ModelAuthenticationError, ModelPermissionDeniedError), "provider_auth"),
    ((ModelRateLimitError,), "provider_rate_limited"),
    ((ModelNotFoundError,), "model_misconfigured"),
    ((ModelInvalidRequestError,), "provider_bad_request"),
    ((ModelTimeoutError, openai.APITimeoutError, TimeoutError), "provider_timeout"),
    ((httpx2.TimeoutException, aiohttp.ConnectionTimeoutError), "provider_timeout"),
    ((aiohttp.ClientConnectorError, httpx2.ConnectError), "provider_unreachable"),
    ((ModelConnectionError, openai.APIConnectionError), "provider_unreachable"),
    ((aiohttp.InvalidURL, httpx2.UnsupportedProtocol), "model_misconfigured"),
    ((aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError), "provider_interrupted"),
    ((aiohttp.ClientOSError, ConnectionError), "provider_interrupted"),
    ((httpx2.RemoteProtocolError, httpx2.ReadError), "provider_interrupted"),
    ((JSONDecodeError, msgspec.MsgspecError), "provider_invalid_response"),
    ((openai.APIResponseValidationError,), "provider_invalid_response"),
    ((aiohttp.ClientResponseError,), "provider_invalid_response"),
    ((ModelAPIError, openai.APIError), "provider_error"),
    ((aiohttp.ClientError, httpx2.HTTPError), "provider_error"),
)
CAUGHT = tuple(kind for kinds, _ in EXCEPTIONS for kind in kinds)


def from_exception(error: Exception) -> ProviderError:
    """For one of CAUGHT: what the HTTP client, the provider's library or LangChain raised."""
    code = next(code for kinds, code in EXCEPTIONS if isinstance(error, kinds))
    # The library knows OpenAI's own words for this, and not those of compatible servers.
    if code == "provider_bad_request" and CONTEXT_TOO_LONG.search(str(error)):
        code = "context_too_long"
    if code == "provider_unreachable" and not _refused(error):
        code = "provider_interrupted"
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or {}
    told = without_secrets(_told(error), getattr(response, "request", None))
    return _failure(code, told, retry_after=_retry_after(headers))


def without_secrets(text: str, request: Any) -> str:
    """Some servers quote what they refuse: a key of any form, or a header of the admin's.

    `request`: whatever has the headers that were sent; None: nothing is known of them.
    """
    for name, value in getattr(request, "headers", {}).items():
        if OPEN_HEADERS.fullmatch(name.lower()):
            continue
        # The whole, and what follows a scheme such as Bearer.
        for secret in (value, value.partition(" ")[2]):
            if len(secret) >= SECRET_CHARACTERS:
                text = text.replace(secret, "***")
    return text


def _told(error: Exception) -> str:
    """An error's own words may be none, or say nothing without its name."""
    return f"{type(error).__name__}: {error}"


def _refused(error: BaseException | None) -> bool:
    """The library's connection error may also be a line that was cut: its causes tell."""
    while error is not None:
        if isinstance(error, (aiohttp.ClientConnectorError, httpx2.ConnectError)):
            return True
        error = error.__cause__ or error.__context__
    return False


def from_status(status: int, headers: Mapping[str, str], body: str) -> ProviderError:
    code = _code_of_status(status, body)
    # An exhausted quota is also a 429, but no waiting helps it.
    retryable = False if "insufficient_quota" in body else None
    return _failure(
        code, body, status=status, retry_after=_retry_after(headers), retryable=retryable
    )


def from_event(error: Any) -> ProviderError:
    """For an error that a provider put into the stream: {"message", "type", "code"} or a text."""
    text = msgspec.json.encode(error).decode()
    code: Code = "provider_error"
    if CONTEXT_TOO_LONG.search(text):
        code = "context_too_long"
    elif "authentication_error" in text or "permission_error" in text:
        code = "provider_auth"
    elif "rate_limit" in text or _number(error) == 429:
        code = "provider_rate_limited"
    return _failure(code, text)


def invalid(detail: str) -> ProviderError:
    return _failure("provider_invalid_response", detail)


def _failure(
    code: Code,
    detail: str,
    *,
    status: int | None = None,
    retry_after: float | None = None,
    retryable: bool | None = None,
) -> ProviderError:
    detail = _loggable(detail)
    logger.warning("provider_failed", code=code, status=status, detail=detail)
    told = f"HTTP {status}: {detail}" if status else detail
    return ProviderError(code, retryable=retryable, retry_after=retry_after, detail=told)


def _loggable(detail: str) -> str:
    """Some providers quote the key that they refuse."""
    return SECRET.sub("***", detail)[:LOGGED_CHARACTERS]


def _code_of_status(status: int, body: str) -> Code:
    if status in (401, 402, 403):
        return "provider_auth"
    if status == 429:
        return "provider_rate_limited"
    if status >= 500 or status in (408, 409, 425):
        return "provider_error"
    if status == 413 or CONTEXT_TOO_LONG.search(body):
        return "context_too_long"
    if status < 400 or status in (404, 405):
        return "model_misconfigured"
    return "provider_bad_request"


def _number(error: Any) -> int | None:
    code = error.get("code") if isinstance(error, dict) else None
    return int(str(code)) if str(code).isdigit() else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from `retry-after-ms` or from either form of RFC 9110, section 10.2.3."""
    if milliseconds := _float(headers.get("retry-after-ms")):
        return milliseconds / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _float(value)
    if seconds is not None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _float(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None
