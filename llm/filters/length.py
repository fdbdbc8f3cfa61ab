from collections.abc import Iterable
from typing import Annotated, ClassVar

from msgspec import Meta

from llm.filters import base
from llm.parts import Finish, Part, TextDelta


class MaxLength(base.Filter):
    """Ends the answer after so many characters of text. Thoughts and calls do not count."""

    class Options(base.Options, frozen=True):
        characters: Annotated[int, Meta(gt=0)]

    name: ClassVar[str] = "max_length"
    options: Options

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._left = options.characters

    def feed(self, part: Part) -> Iterable[Part]:
        if not isinstance(part, TextDelta):
            return (part,)
        if len(part.text) <= self._left:
            self._left -= len(part.text)
            return (part,)
        fits = part.text[: self._left]
        return (TextDelta(fits), Finish("length")) if fits else (Finish("length"),)
