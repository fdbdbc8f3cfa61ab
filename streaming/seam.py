"""Where an answer that was cut goes on. A model that is asked to continue often says the last words
once more, or the whole of the word in which it was cut: what is there already is left out."""

from llm.going_on import takes_prefill
from llm.spec import ModelSpec

# Shorter than this, what looks like a repetition may be the text: "ha ha", "the the" in a list.
REPEATED_CHARS = 12
FRAGMENT_CHARS = 3
LOOK_BACK_CHARS = 400


class Seam:
    """Holds back the beginning of what arrives while it may still be a repetition of the end."""

    def __init__(self, written: str) -> None:
        self._written = written[-LOOK_BACK_CHARS:]
        self._held = ""
        self.open = bool(written)

    def trust(self, model: ModelSpec) -> None:
        """One that goes on with the text itself says nothing twice but what the text repeats. With
        those that may stand in for it nobody knows."""
        if takes_prefill(model, self._written) and not model.fallbacks:
            self._written = ""

    def take(self, text: str) -> str:
        """What of it can be shown now."""
        if not self.open:
            return text
        self._held += text
        return "" if may_repeat(self._written, self._held) else self.rest()

    def rest(self) -> str:
        """What was held back, without what is there already; the seam is closed."""
        held, self._held, self.open = self._held, "", False
        return held[repeated(self._written, held) :]


def may_repeat(written: str, arrived: str) -> bool:
    """Whether `arrived` is still inside of a repetition, so that only more text can tell."""
    words = arrived.lstrip()
    if not words:
        # Only a margin: it is text if no repetition follows.
        return len(arrived) < REPEATED_CHARS
    if len(words) > len(written):
        return False
    return any(written.startswith(words, start) for start in beginnings(written))


def repeated(written: str, arrived: str) -> int:
    """How many characters at the start of `arrived` say the end of `written` once more."""
    margin = len(arrived) - len(arrived.lstrip())
    words = arrived[margin:]
    for start in beginnings(written):
        end = written[start:]
        if words.startswith(end) and is_repetition(end, words[len(end) :]):
            return margin + len(end)
    return 0


def beginnings(written: str) -> list[int]:
    """Where a word of it begins, the longest way back first."""
    return [
        at
        for at, sign in enumerate(written)
        if not sign.isspace() and (at == 0 or not (sign.isalnum() and written[at - 1].isalnum()))
    ]


def is_repetition(end: str, after: str) -> bool:
    if len(end) >= REPEATED_CHARS:
        return True
    # The beginning of a word, and then the whole word: "impor" and "important". Languages without
    # spaces between their words are left alone.
    return len(end) >= FRAGMENT_CHARS and end.isascii() and end.isalpha() and after[:1].isalpha()
