"""The body of `POST /v1/chat/completions` (https://platform.openai.com/docs/api-reference/chat)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from api.openai.errors import ApiError

MAX_MESSAGES = 10_000
# Nothing of ours depends on them, and clients send them everywhere.
IGNORED = frozenset(
    {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"}
)


class Part(BaseModel):
    """`text` and `image_url`; others are refused by name."""

    model_config = ConfigDict(extra="allow")

    type: str
    text: str | None = None
    image_url: dict[str, Any] | None = None


class Function(BaseModel):
    name: str
    arguments: str = ""


class ToolCall(BaseModel):
    id: str
    type: Literal["function"] = "function"
    function: Function


class Message(BaseModel):
    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None


class Described(BaseModel):
    """What else describes a function is between the program and the model."""

    model_config = ConfigDict(extra="allow")

    name: Annotated[str, Field(min_length=1)]


class FunctionTool(BaseModel):
    type: Literal["function"]
    function: Described


class StreamOptions(BaseModel):
    include_usage: bool = False


class Completion(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: str
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    seed: int | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    logit_bias: dict[str, float] | None = None
    response_format: dict[str, Any] | None = None
    reasoning_effort: str | None = None
    tools: list[FunctionTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None


BODY = TypeAdapter(dict[str, Any])


def read_completion(body: bytes) -> Completion:
    """Raises ApiError with the name of what is wrong."""
    try:
        raw = BODY.validate_json(body)
        return Completion(**{name: value for name, value in raw.items() if name not in IGNORED})
    except ValidationError as error:
        raise wrong(error) from None


def nearest(error: ValidationError) -> Any:
    """Of the kinds that a field may have, what was sent is meant as the one that fits furthest."""
    errors = error.errors()
    top = errors[0]["loc"][:1]
    return max((one for one in errors if one["loc"][:1] == top), key=lambda one: len(one["loc"]))


def wrong(error: ValidationError) -> ApiError:
    first = nearest(error)
    # Of a field with several kinds, pydantic names the kind too: `str`, `list[Part]`.
    places = [place for place in map(str, first["loc"]) if place != "str" and "[" not in place]
    param = ".".join(places) or None
    if first["type"] == "extra_forbidden":
        message = f"Unsupported parameter: '{param}' is not supported by this server."
        return ApiError(400, message, code="unsupported_parameter", param=param)
    return ApiError(400, f"{param or 'body'}: {first['msg']}", code="invalid_value", param=param)
