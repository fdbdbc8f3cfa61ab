"""One short answer, for an admin to see whether a model works and how fast."""

import asyncio
import time
from contextlib import aclosing

import msgspec

from llm.errors import ProviderError
from llm.parts import Finish, Part, ReasoningDelta, TextDelta, Usage
from llm.session import close_session
from llm.spec import ModelSpec, Turn
from llm.stream import unshaped

LONGEST_SECONDS = 60.0
ENOUGH_CHARACTERS = 400


class Trial(msgspec.Struct):
    """Times in milliseconds from the beginning. `detail` is what the provider itself said."""

    text: str = ""
    reasoning: str = ""
    first_token_ms: int | None = None
    total_ms: int = 0
    usage: Usage | None = None
    finish: str = ""
    code: str = ""
    message: str = ""
    detail: str = ""

    @property
    def works(self) -> bool:
        return not self.code


async def try_out(model: ModelSpec, question: str) -> Trial:
    """The model alone: without fallbacks, tools and its system prompt. It counts for the provider's
    health as any answer does."""
    bare = msgspec.structs.replace(model, fallbacks=(), tools=(), server_tools=(), system_prompt="")
    trial, began = Trial(), time.monotonic()
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            await _ask(bare, question, trial, began)
    except ProviderError as error:
        trial.code, trial.message = error.code, error.message
        trial.detail = error.detail or str(error.__cause__ or "")
    except TimeoutError:
        trial.code, trial.message = "timeout", f"No end after {LONGEST_SECONDS:g} seconds."
    finally:
        await close_session()
    trial.total_ms = _ms(began)
    return trial


async def _ask(model: ModelSpec, question: str, trial: Trial, began: float) -> None:
    turns = [Turn("user", [{"type": "text", "text": question}])]
    async with aclosing(unshaped(model, turns)) as parts:
        async for part in parts:
            _take(part, trial, began)
            if len(trial.text) > ENOUGH_CHARACTERS:
                return


def _take(part: Part, trial: Trial, began: float) -> None:
    if isinstance(part, TextDelta | ReasoningDelta) and trial.first_token_ms is None:
        trial.first_token_ms = _ms(began)
    match part:
        case TextDelta():
            trial.text += part.text
        case ReasoningDelta():
            trial.reasoning += part.text
        case Usage():
            trial.usage = part
        case Finish():
            trial.finish = part.reason


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
