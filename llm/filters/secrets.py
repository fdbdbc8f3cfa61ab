"""What a secret looks like: where it may begin, how far it may reach, and whether it is one.

`Kind.start` finds a beginning, `reach` the longest text from there that may belong to it, and
`length` decides. The reach is bounded, because what may become a secret is held back.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

MOST_HELD = 512
NUMBER_CHARS = 40
SIGNS = frozenset(" -")

PREFIXES = (
    "sk-",  # OpenAI, Anthropic and most of those that are compatible
    "sk_live_", "rk_live_",  # Stripe
    "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-",
    "xoxb-", "xoxp-", "xoxa-",  # Slack
    "AKIA", "ASIA", "AIza", "hf_",  # Amazon, Google, Hugging Face
    "eyJ",  # JSON Web Tokens
)  # fmt: skip
KEY = re.compile(
    r"(?:sk-[\w-]{20,}|[sr]k_live_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|github_pat_\w{40,}|glpat-[\w-]{20,}|xox[bpa]-[\w-]{20,}|A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|AIza[\w-]{35}|hf_[A-Za-z0-9]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})",
    re.ASCII,
)
PEM_START = "-----BEGIN "
PEM_HEADER = re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY-----")
PEM_END = re.compile(r"-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY-----")
PEM_LINE_CHARS = 64
EMAIL = re.compile(r"[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}", re.ASCII)


@dataclass(frozen=True)
class Kind:
    start: str
    reach: re.Pattern[str]
    most: int
    length: Callable[[str], int]
    """How much of the reach is the secret; 0: it is none"""
    replacement: str
    follows: re.Pattern[str] | None = None
    """What belongs to a secret that is longer than may be held, and goes with it"""
    joins: frozenset[str] = frozenset()
    """Signs at which the reach ends, unless something that only the next piece can tell follows"""


def _length(pattern: re.Pattern[str]) -> Callable[[str], int]:
    def length(reach: str) -> int:
        found = pattern.match(reach)
        return found.end() if found else 0

    return length


def card_length(reach: str) -> int:
    """The longest beginning that is a card number: a date may follow after a blank."""
    digits = ""
    longest = 0
    for at, sign in enumerate(reach):
        digits += sign if sign.isdigit() else ""
        ends = at + 1 == len(reach) or reach[at + 1] in SIGNS
        if ends and 13 <= len(digits) <= 19 and passes_luhn(digits):
            longest = at + 1
    return longest if reach[:1] in tuple("23456") else 0


def passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: every second digit from the right counts double."""
    doubled = [int(sign) * 2 for sign in digits[-2::-2]]
    return (sum(map(int, digits[::-2])) + sum(d - 9 * (d > 9) for d in doubled)) % 10 == 0


API_KEY = Kind(
    "|".join(map(re.escape, PREFIXES)),
    re.compile(r"[\w.-]*", re.ASCII),
    MOST_HELD,
    _length(KEY),
    "[API key removed]",
    follows=re.compile(r"[\w.-]*", re.ASCII),
)
PRIVATE_KEY = Kind(
    re.escape(PEM_START),
    re.compile(r"-----BEGIN [A-Z0-9 ]*-{0,5}"),
    PEM_LINE_CHARS,
    _length(PEM_HEADER),
    "[private key removed]",
)
CARD = Kind(
    r"\d",
    re.compile(r"[0-9](?:[ -]?[0-9])*"),
    NUMBER_CHARS,
    card_length,
    "[card number removed]",
    joins=SIGNS,
)
ADDRESS = Kind(
    r"[\w.%+-]",
    re.compile(r"[\w.%+@-]*", re.ASCII),
    MOST_HELD,
    _length(EMAIL),
    "[e-mail address removed]",
)
BEGINNINGS = frozenset(
    prefix[:end] for prefix in (*PREFIXES, PEM_START) for end in range(1, len(prefix))
)
LONGEST_BEGINNING = max(map(len, BEGINNINGS))
