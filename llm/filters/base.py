"""What a filter is: it stands between the model and the log, and sees each part first."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterable
from typing import Any, ClassVar

import msgspec

from llm.parts import Part, ReasoningDelta, TextDelta


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the admin may set. A subclass names its fields; wrong ones are refused in the form."""


class Filter:
    """Made anew for each answer, so that it may remember.

    What it holds back must come out before it passes a part of another kind: readers count on the
    order, and a tool runs as soon as its ToolCallStarted has passed. A Finish ends the answer: the
    model is hung up on.
    """

    name: ClassVar[str]
    Options: ClassVar[type[Options]] = Options

    def __init__(self, options: Any) -> None:
        self.options = options

    def feed(self, part: Part) -> Iterable[Part]:
        """What goes on in place of this part."""
        return (part,)

    def finish(self) -> Iterable[Part]:
        """What was held back, where the answer ends without a Finish: it has failed."""
        return ()


class WaitingFilter(Filter, ABC):
    """One that must wait for somebody else. It has the whole stream in hand."""

    @abstractmethod
    def through(self, parts: AsyncGenerator[Part, None]) -> AsyncGenerator[Part, None]:
        """Closes `parts` in every case."""


def is_said(part: Part) -> bool:
    """Text or reasoning: what comes in pieces cut anywhere."""
    return isinstance(part, TextDelta | ReasoningDelta)
