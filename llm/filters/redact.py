"""Secrets are taken out of the answer, wherever the pieces of the stream are cut.

What is shown depends on the text alone: a piece is held back only where more text could still
change what becomes of it, and never more than `MOST_HELD` characters.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

import msgspec

from llm.filters import base
from llm.filters.secrets import (
    ADDRESS,
    API_KEY,
    BEGINNINGS,
    CARD,
    LONGEST_BEGINNING,
    PEM_END,
    PEM_LINE_CHARS,
    PRIVATE_KEY,
    Kind,
)
from llm.parts import (
    Finish,
    Part,
    Progress,
    ReasoningDelta,
    TextDelta,
    ToolCallFinished,
    Usage,
)


class Redact(base.Filter):
    """Of text, thoughts and what tools return; the arguments of calls stay, for they have been
    sent.

    Of an answer that is cut, what is held back is not shown: with the rest, which its user may ask
    for, a secret could stand there whole of which neither part shows that it is one. So there is no
    `finish`.
    """

    class Options(base.Options, frozen=True):
        api_keys: bool = True
        private_keys: bool = True
        cards: bool = True
        emails: bool = False

    name: ClassVar[str] = "redact"
    options: Options

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._kind: type[TextDelta | ReasoningDelta] = TextDelta
        self._censor = self._new()
        self._used: tuple[Usage, ...] = ()

    def feed(self, part: Part) -> Iterable[Part]:
        if isinstance(part, Progress):
            # It may come in the middle of a word, and says nothing of it: the word stays held.
            return (part,)
        if isinstance(part, Usage):
            # It comes just before the Finish, which tells whether the answer is cut.
            self._used = (part,)
            return ()
        if isinstance(part, Finish):
            before = () if part.reason == "length" else self._rest()
            return (*before, *self._used, part)
        if not isinstance(part, TextDelta | ReasoningDelta):
            return (*self._rest(), self._without_secrets(part))
        before = self._rest() if type(part) is not self._kind else ()
        self._kind = type(part)
        shown = self._censor.take(part.text)
        return (*before, self._kind(shown)) if shown else before

    def _rest(self) -> tuple[Part, ...]:
        rest = self._censor.rest()
        self._censor = self._new()
        return (self._kind(rest),) if rest else ()

    def _new(self) -> "Censor":
        wanted = {
            API_KEY: self.options.api_keys,
            PRIVATE_KEY: self.options.private_keys,
            CARD: self.options.cards,
            ADDRESS: self.options.emails,
        }
        return Censor([kind for kind, on in wanted.items() if on])

    def _without_secrets(self, part: Part) -> Part:
        if not isinstance(part, ToolCallFinished):
            return part
        result, error = (self._all_of(text) for text in (part.result, part.error))
        return msgspec.structs.replace(part, result=result, error=error)

    def _all_of(self, text: str | None) -> str | None:
        if text is None:
            return None
        censor = self._new()
        return censor.take(text) + censor.rest()


class Censor:
    """One text, in pieces."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = kinds
        starts = "|".join(f"(?P<k{at}>{kind.start})" for at, kind in enumerate(kinds))
        # In the middle of a word nothing begins.
        self._start = re.compile(f"(?<![A-Za-z0-9])(?:{starts})", re.ASCII) if kinds else None
        self._before = ""
        self._held = ""
        self._follows: re.Pattern[str] | None = None
        self._in_private_key = False

    def take(self, text: str) -> str:
        """What of it can be shown now."""
        self._held += text
        return "".join(self._shown(at_end=False))

    def rest(self) -> str:
        return "".join(self._shown(at_end=True))

    def _shown(self, *, at_end: bool) -> Iterator[str]:
        while self._held and self._start is not None:
            if self._swallows(at_end):
                return
            begun = self._start.search(self._before + self._held, len(self._before))
            if begun is None:
                break
            start = begun.start() - len(self._before)
            yield self._pass(start)
            decided = self._decide(at_end)
            if decided is None:
                return
            yield decided
        yield self._pass(len(self._held) - (0 if at_end else self._may_begin()))

    def _decide(self, at_end: bool) -> str | None:
        """What to show of a possible secret with which the held text begins; None: more text must
        come first."""
        assert self._start is not None
        for kind in self._kinds:
            if not re.match(kind.start, self._held, re.ASCII):
                continue
            found = kind.reach.match(self._held)
            reach = found.group()[: kind.most] if found else ""
            if not at_end and len(reach) < kind.most and self._may_grow(kind, reach):
                return None
            if length := kind.length(reach):
                self._remove(kind, length, cut=length == kind.most)
                return kind.replacement
        return self._pass(1)

    def _may_grow(self, kind: Kind, reach: str) -> bool:
        after = self._held[len(reach) :]
        return not after or (len(after) == 1 and after in kind.joins)

    def _remove(self, kind: Kind, length: int, *, cut: bool) -> None:
        # What stands before the next text is the replacement, which ends with a bracket.
        self._before, self._held = "]", self._held[length:]
        self._follows = kind.follows if cut else None
        self._in_private_key = kind is PRIVATE_KEY

    def _swallows(self, at_end: bool) -> bool:
        """Drop what belongs to the last secret. True where that is all there is so far."""
        if self._follows is not None:
            self._held = self._held[self._follows.match(self._held).end() :]  # type: ignore[union-attr]
            self._follows = self._follows if not self._held else None
        if self._in_private_key:
            end = PEM_END.search(self._held)
            self._in_private_key = end is None
            # A key without an end hides the rest: better too much than a part of it.
            keep = "" if at_end else self._held[-PEM_LINE_CHARS:]
            self._held = self._held[end.end() :] if end else keep
        return not self._held or self._in_private_key

    def _may_begin(self) -> int:
        """How many characters at the end may be the first ones of a prefix."""
        text = self._before + self._held
        for length in range(min(LONGEST_BEGINNING, len(self._held)), 0, -1):
            before = text[-length - 1 : -length]
            if text[-length:] in BEGINNINGS and not (before.isascii() and before.isalnum()):
                return length
        return 0

    def _pass(self, length: int) -> str:
        passed, self._held = self._held[:length], self._held[length:]
        self._before = passed[-1:] or self._before
        return passed
