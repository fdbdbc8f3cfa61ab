"""What an answer may turn to besides its model: things that only the caller knows."""

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from llm.trace import Spans


@dataclass(frozen=True, slots=True)
class Passage:
    """Something that the user or a model once wrote. `said_at` is a date as people read it."""

    title: str
    said_by: str
    said_at: str
    text: str
    path: str


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """`characters` is the length of its text: 0 for an image, and where none could be read."""

    name: str
    kind: str
    pages: int | None
    characters: int


Search = Callable[[str], Awaitable[Sequence[Passage]]]
ListFiles = Callable[[], Awaitable[Sequence[AttachedFile]]]
# Of a file of this name: so many characters from an offset; None where there is no such file.
ReadFile = Callable[[str, int, int], Awaitable[str | None]]
Decision = Literal["approved", "refused", "expired"]
# Asks the user whether the call of this id may run, and waits; with whether its tool has side
# effects, which are noted before this returns.
Decide = Callable[[str, bool], Awaitable[Decision]]


@dataclass(frozen=True, slots=True)
class Memory:
    """Of what a conversation's earlier messages were, in short, by digests of those messages."""

    # The last of these digests that is known, and its text.
    recall: Callable[[Sequence[str]], Awaitable[tuple[str, str] | None]]
    remember: Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Without a collaborator, the tools that need it say that they cannot work here."""

    search: Search | None = None
    list_files: ListFiles | None = None
    read_file: ReadFile | None = None
    # Without it, a tool that needs the user's approval does not run.
    decide: Decide | None = None
    # Where an agent or a runnable notes what it does; None: nobody wants to know.
    spans: Spans | None = None
    memory: Memory | None = None


NOTHING = Surroundings()
_around: ContextVar[Surroundings] = ContextVar("surroundings", default=NOTHING)


def surroundings() -> Surroundings:
    """For tools: those of the answer that they work for."""
    return _around.get()


def surround(around: Surroundings) -> None:
    """From now on, in this task and those that it starts."""
    _around.set(around)
