"""The one way in which a provider fails, whatever its library calls it."""

from typing import Literal

Code = Literal[
    "provider_unreachable",
    "provider_auth",
    "provider_rate_limited",
    "provider_error",
    "provider_bad_request",
    "context_too_long",
    "provider_interrupted",
    "provider_timeout",
    "provider_invalid_response",
    "model_misconfigured",
    "moderation_unavailable",
    "runnable_failed",
]

MESSAGES: dict[Code, str] = {
    "provider_unreachable": "The model could not be reached. Please try again in a moment.",
    "provider_auth": "The model refused our access. Please tell your administrator.",
    "provider_rate_limited": "The model is busy just now. Please try again in a moment.",
    "provider_error": "The model had a problem. Please try again.",
    "provider_bad_request": "The model did not accept this message.",
    "context_too_long": "This is too long for the model. Please shorten it, start a new chat "
    "or choose a model with more room.",
    "provider_interrupted": "The answer was cut off. Please try again.",
    "provider_timeout": "The model took too long to answer. Please try again.",
    "provider_invalid_response": "The model sent something that we could not read. "
    "Please try again.",
    "model_misconfigured": "This model is not set up correctly. Please tell your administrator.",
    "moderation_unavailable": "The rest of the answer could not be checked, so it is not shown. "
    "Please try again in a moment.",
    "runnable_failed": "This model failed at the answer. Please try again, or tell your "
    "administrator.",
}

RETRYABLE: frozenset[Code] = frozenset(
    {
        "provider_unreachable",
        "provider_rate_limited",
        "provider_error",
        "provider_interrupted",
        "provider_timeout",
        "provider_invalid_response",
        "moderation_unavailable",
        "runnable_failed",
    }
)


class ProviderError(Exception):
    """`message` is for the user, `detail` for admins alone; `retry_after` is in seconds.

    `retryable` says whether the user may try again, `repeatable` whether the same request may be
    sent again at once: one that has already waited long for its first token may not, because
    waiting again as long helps nobody.
    """

    def __init__(
        self,
        code: Code,
        message: str = "",
        retryable: bool | None = None,
        retry_after: float | None = None,
        *,
        repeatable: bool | None = None,
        detail: str = "",
    ) -> None:
        self.code = code
        self.message = message or MESSAGES[code]
        self.retryable = code in RETRYABLE if retryable is None else retryable
        self.retry_after = retry_after
        self.repeatable = self.retryable if repeatable is None else repeatable
        self.detail = detail
        super().__init__(f"{code}: {self.message}")
