"""From OpenAI's messages to turns of standard content blocks."""

import re
from collections.abc import Sequence

from api.openai.errors import ApiError
from api.openai.schema import Completion, Message, Part, ToolCall
from llm.request import Request
from llm.spec import Block, Turn
from streaming.snapshot import parse_args

DATA_URL = re.compile(r"data:(image/[\w.+-]+);base64,([A-Za-z0-9+/=\s]+)")
ROLES = {"system": "system", "developer": "system", "user": "user"}
# Of ChatOpenAI's constructor, under the same names.
PARAMETERS = (
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "stop",
    "logit_bias",
    "reasoning_effort",
)


def request_of(asked: Completion) -> Request:
    """Raises ApiError."""
    given = asked.model_dump(include=set(PARAMETERS), exclude_none=True)
    if asked.response_format is not None:
        given["model_kwargs"] = {"response_format": asked.response_format}
    calls_nothing = asked.tool_choice == "none"
    turns = turns_of(asked.messages)
    if not any(turn.content for turn in turns):
        sentence = "messages: expected at least one that is not empty"
        raise ApiError(400, sentence, code="invalid_value", param="messages")
    return Request(
        turns=turns,
        parameters=given,
        tools=[] if calls_nothing else [tool.model_dump() for tool in asked.tools or ()],
        tool_choice=asked.tool_choice,
        parallel_tool_calls=asked.parallel_tool_calls,
        max_output_tokens=asked.max_completion_tokens or asked.max_tokens,
    )


def turns_of(messages: Sequence[Message]) -> list[Turn]:
    """A result is that of the newest call with its id before it: some servers, and so their
    clients, begin with `call_0` anew in every step."""
    turns: list[Turn] = []
    calls: dict[str, Block] = {}
    for number, message in enumerate(messages):
        if message.role == "tool":
            called(message, number, calls)["extras"] = {"result": result_of(message, number)}
        elif message.role == "assistant":
            made = [call_block(call) for call in message.tool_calls or ()]
            calls |= {call["id"]: call for call in made}
            turns.append(Turn("assistant", [*blocks(message, number), *made]))
        else:
            turns.append(Turn(ROLES[message.role], blocks(message, number)))  # type: ignore[arg-type]
    return turns


def called(result: Message, number: int, calls: dict[str, Block]) -> Block:
    if not result.tool_call_id:
        raise missing(number, "tool_call_id")
    if result.tool_call_id not in calls:
        got = f"got {result.tool_call_id!r}"
        raise invalid(number, "tool_call_id", f"expected the id of a call before it, {got}")
    return calls[result.tool_call_id]


def result_of(message: Message, number: int) -> str:
    for part in message.content if isinstance(message.content, list) else ():
        if part.type != "text":
            raise invalid(number, "content", f"expected parts of type text, got {part.type!r}")
    return text_of(message)


def blocks(message: Message, number: int) -> list[Block]:
    if message.content is None:
        if message.role != "assistant":
            raise missing(number, "content")
        return []
    if isinstance(message.content, str):
        return [text_block(message.content)] if message.content else []
    return [block(part, number) for part in message.content]


def block(part: Part, number: int) -> Block:
    if part.type == "text" and part.text is not None:
        return text_block(part.text)
    if part.type == "image_url" and part.image_url is not None:
        return image_block(str(part.image_url.get("url", "")), number)
    expected = "expected parts of type text or image_url"
    raise invalid(number, "content", f"{expected}, got {part.type!r}")


def image_block(url: str, number: int) -> Block:
    """An address is the provider's to fetch, never ours."""
    match = DATA_URL.fullmatch(url)
    if match:
        return {"type": "image", "base64": match[2], "mime_type": match[1]}
    if url.startswith("https://"):
        return {"type": "image", "url": url}
    expected = "expected a data: or https: address of an image"
    raise invalid(number, "content", f"{expected}, got {url[:40]!r}")


def call_block(call: ToolCall) -> Block:
    return {
        "type": "tool_call",
        "id": call.id,
        "name": call.function.name,
        "args": parse_args(call.function.arguments),
        "extras": {},
    }


def text_of(message: Message) -> str:
    if isinstance(message.content, str):
        return message.content
    return "".join(part.text or "" for part in message.content or ())


def last_words(messages: Sequence[Message]) -> str:
    """What a person would recognise the request by."""
    asked = [message for message in messages if message.role == "user"]
    return text_of(asked[-1]) if asked else ""


def text_block(text: str) -> Block:
    return {"type": "text", "text": text}


def missing(number: int, name: str) -> ApiError:
    param = f"messages.{number}.{name}"
    return ApiError(400, f"Missing required parameter: '{param}'.", code="missing", param=param)


def invalid(number: int, name: str, sentence: str) -> ApiError:
    param = f"messages.{number}.{name}"
    return ApiError(400, f"{param}: {sentence}", code="invalid_value", param=param)
