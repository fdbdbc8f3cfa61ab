"""The filters of a model around its answer, in their order."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Any

from llm.filters.base import Filter, WaitingFilter
from llm.filters.registry import make
from llm.parts import (
    Finish,
    Part,
    ReasoningDelta,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    Usage,
)
from llm.spec import Turn
from llm.usage import estimate, estimate_tokens

STOPPED = "The answer was ended before the call was complete."


async def filtered(
    parts: AsyncGenerator[Part, None], filters: Iterable[dict[str, Any]], turns: Sequence[Turn]
) -> AsyncGenerator[Part, None]:
    """Ends with Usage and Finish like `parts`, which it closes. Where a filter ended the answer,
    calls that were shown come to an end, and the usage is estimated."""
    for each in make(filters):
        parts = each.through(parts) if isinstance(each, WaitingFilter) else passed(parts, each)
    shown = Shown()
    async with aclosing(parts):
        async for part in parts:
            if isinstance(part, TextDelta | ReasoningDelta):
                shown.tokens += estimate_tokens(part.text)
            else:
                for before in shown.before(part, turns):
                    yield before
            yield part


async def passed(parts: AsyncGenerator[Part, None], each: Filter) -> AsyncGenerator[Part, None]:
    """Through one filter. After a Finish nothing comes, and the model is hung up on."""
    async with aclosing(parts):
        try:
            async for part in parts:
                for shown in each.feed(part):
                    yield shown
                    if isinstance(shown, Finish):
                        return
        except Exception:
            # What had arrived is kept, as it is without a filter.
            for shown in each.finish():
                yield shown
            raise


class Shown:
    """What has been shown, for an end that the model does not know of."""

    def __init__(self) -> None:
        self.tokens = 0
        self._used = False
        self._open: dict[str, ToolCallStarted] = {}

    def before(self, part: Part, turns: Sequence[Turn]) -> Iterable[Part]:
        """What has to come before it."""
        match part:
            case ToolCallStarted():
                self._open[part.id] = part
            case ToolCallFinished():
                self._open.pop(part.id, None)
            case Usage():
                self._used = True
            case Finish() if not self._used:
                for call in self._open.values():
                    yield ToolCallFinished(
                        call.id, call.name, call.args, None, STOPPED, call.side_effects
                    )
                yield Usage(estimate(turns, "").input_tokens, self.tokens, estimated=True)
