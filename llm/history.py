"""What of a conversation a model can read: its newest part, where the whole does not fit.

Counting is by estimate, without a network: close enough to choose with, and where it was wrong the
provider says so and the history is halved. A question is never torn from what follows it, so no
tool call is from its result.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import msgspec
from langchain_core.messages import (
    BaseMessage,
    HumanMessage,
    SystemMessage,
    trim_messages,
)
from langchain_core.messages.utils import count_tokens_approximately

from llm.errors import ProviderError
from llm.going_on import is_go_on
from llm.spec import ModelSpec
from llm.usage import BYTES_PER_TOKEN, estimate_tokens

# What providers charge for a large image; a small one costs less.
IMAGE_TOKENS = 1_000
TOKENS_AROUND_A_MESSAGE = 4
# Room for the answer where the model has no limit of its own.
ANSWER_TOKENS = 4_096


def fit(
    asked: list[BaseMessage], model: ModelSpec, options: dict[str, Any] | None = None
) -> list[BaseMessage]:
    """What of it to send: system messages and the newest part that leaves room for the answer, at
    least the last question with all that follows it. `options` hold the tools, which take room too.

    Raises ProviderError (context_too_long) where the last question alone is too long: there are
    servers that cut it without a word.
    """
    if model.context_window is None or not model.trims_history:
        return asked
    if _tokens_of_tools(options) + size(shortest(asked)) > model.context_window:
        raise ProviderError("context_too_long")
    return trimmed(asked, limit(model, options))


def limit(model: ModelSpec, options: dict[str, Any] | None) -> int:
    """How many tokens of messages fit beside the tools and the answer; 0 for a window that is not
    known."""
    return room(model, model.context_window or 0) - _tokens_of_tools(options)


def room(model: ModelSpec, window: int) -> int:
    """Of the window, without the answer's part of it, and with a margin, because it is estimated:
    a twentieth."""
    answer = min(model.max_output_tokens or ANSWER_TOKENS, window // 2)
    return window - answer - window // 20


def trimmed(asked: list[BaseMessage], tokens: int) -> list[BaseMessage]:
    system, spoken = apart(asked)
    left = max(0, tokens - size(system))
    if size(spoken) <= left:
        return asked
    kept = trim_messages(
        spoken, max_tokens=left, token_counter=size, strategy="last", start_on="human"
    )
    last = spoken[question(spoken) :]
    return [*system, *(kept if len(kept) > len(last) else last)]


def halve(asked: list[BaseMessage]) -> bool:
    """Drop the older half, in place, for a provider that has found it too long. False where only
    the last question is left."""
    kept = trimmed(asked, size(asked) // 2)
    if len(kept) == len(asked):
        return False
    asked[:] = kept
    return True


def shortest(asked: list[BaseMessage]) -> list[BaseMessage]:
    """The system messages, and the last question with all that follows it."""
    system, spoken = apart(asked)
    return [*system, *spoken[question(spoken) :]]


def apart(asked: Sequence[BaseMessage]) -> tuple[list[BaseMessage], list[BaseMessage]]:
    """System messages, and what is said."""
    system: list[BaseMessage] = [each for each in asked if isinstance(each, SystemMessage)]
    return system, [each for each in asked if not isinstance(each, SystemMessage)]


def question(spoken: Sequence[BaseMessage]) -> int:
    """Where the last question of the user stands. Ours, to go on with a cut answer, is none: it
    means nothing without that answer."""
    asked = (at for at, each in enumerate(spoken) if _is_human(each) and not is_go_on(each))
    return max(asked, default=0)


def left_out(whole: Sequence[BaseMessage], asked: Iterable[BaseMessage]) -> int:
    """How many messages, as the user counts them, the model did not get: the steps of one answer
    are one."""
    kept = {id(message) for message in asked}
    gone = [_is_human(message) for message in whole if id(message) not in kept]
    answers = sum(not now and before for before, now in pairwise([True, *gone]))
    return sum(gone) + answers


def tokens_of(message: BaseMessage) -> int:
    """LangChain's estimate counts characters, which is far too low for most scripts but Latin."""
    if isinstance(message.content, str) and not getattr(message, "tool_calls", None):
        return estimate_tokens(message.content) + TOKENS_AROUND_A_MESSAGE
    said = str(message.text)
    a_character = len(said.encode()) / len(said) if said else 1
    return count_tokens_approximately(
        [message],
        chars_per_token=BYTES_PER_TOKEN / a_character,
        extra_tokens_per_message=TOKENS_AROUND_A_MESSAGE,
        tokens_per_image=IMAGE_TOKENS,
    )


def size(messages: Iterable[BaseMessage]) -> int:
    return sum(map(tokens_of, messages))


def _tokens_of_tools(options: dict[str, Any] | None) -> int:
    return len(msgspec.json.encode(options, enc_hook=str)) // BYTES_PER_TOKEN if options else 0


def _is_human(message: BaseMessage) -> bool:
    return isinstance(message, HumanMessage)
