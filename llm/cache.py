"""Answers that were given before, to exactly the same question.

Off unless the admin switches it on for a model, and never across users unless the admin says so.
The key is a hash of all that an answer depends on: scope, model, parameters, tools, filters and the
whole history. What is kept is what was shown, of answers that a model ended by itself. One in which
a tool was called is of its moment, and one of a fallback is another model's: neither is kept.

A model keeps at most LLM_CACHE_ENTRIES answers, the newest, in numbered places: Redis throws
nothing away by itself here. Every call goes to Django's cache; without Redis nothing is found.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Literal

import msgspec
from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import get_random_string
from msgspec.structs import replace

from llm import metrics
from llm.parts import Finish, Part, Progress, ReasoningDelta, TextDelta, Usage
from llm.spec import ModelSpec, Turn

# What makes no other answer, and what is a secret.
INDIFFERENT: dict[str, Any] = {
    "encrypted_key": "",
    "encrypted_headers": "",
    "limits": None,
    "label": "",
    "fallbacks": (),
    "max_concurrency": None,
    "cache_reads": True,
    "debug": False,
}


Kind = Literal["text", "reasoning"]


class Kept(msgspec.Struct, frozen=True):
    """Thoughts and text, in their order: `("text", "Hello")`."""

    said: list[tuple[Kind, str]]
    left_out: int = 0
    summarised: bool = False


def cached(
    model: ModelSpec, turns: Sequence[Turn], parts: AsyncGenerator[Part, None]
) -> AsyncGenerator[Part, None]:
    """`parts`, or what is kept of them. Where the model has no cache, it is not in their way."""
    if not model.cache_scope or any(_is_seen(block) for turn in turns for block in turn.content):
        return parts
    return _cached(model, turns, parts)


async def _cached(
    model: ModelSpec, turns: Sequence[Turn], parts: AsyncGenerator[Part, None]
) -> AsyncGenerator[Part, None]:
    async with aclosing(parts):
        key = await asyncio.to_thread(key_of, model, turns)
        kept = await asyncio.to_thread(find, model, key) if model.cache_reads else None
        if kept is not None:
            for part in told(kept):
                yield part
            return
        gathered = Gathered()
        async for part in parts:
            gathered.take(part)
            if isinstance(part, Finish) and (whole := gathered.whole()) is not None:
                # Before the end is told: whoever asks again at once finds it.
                await asyncio.to_thread(keep, model, key, whole)
            yield part


def told(kept: Kept) -> list[Part]:
    said = [TextDelta(said) if kind == "text" else ReasoningDelta(said) for kind, said in kept.said]
    usage = Usage(0, 0, False, kept.left_out, kept.summarised, cached=True)
    return [*said, usage, Finish("stop")]


class Gathered:
    """What an answer has said, while it may still be one to keep."""

    def __init__(self) -> None:
        self._said: list[tuple[Kind, list[str]]] = []
        self._used = Usage(0, 0, estimated=False)
        self._keeps = True
        self._size = 0

    def take(self, part: Part) -> None:
        match part:
            case TextDelta():
                self._add("text", part.text)
            case ReasoningDelta():
                self._add("reasoning", part.text)
            case Usage():
                self._used = part
            case Finish():
                self._keeps = self._keeps and part.reason == "stop"
            case Progress():
                pass
            case _:
                self._keeps = False

    def _add(self, kind: Kind, text: str) -> None:
        self._size += len(text)
        self._keeps = self._keeps and self._size <= settings.LLM_CACHE_ENTRY_BYTES
        if not self._keeps:
            self._said.clear()
            return
        if not self._said or self._said[-1][0] != kind:
            self._said.append((kind, []))
        self._said[-1][1].append(text)

    def whole(self) -> Kept | None:
        """None where it is not to be kept: an empty answer may be a mistake, too."""
        if not self._keeps or not any(kind == "text" for kind, _ in self._said):
            return None
        said = [(kind, "".join(texts)) for kind, texts in self._said]
        return Kept(said, self._used.left_out, self._used.summarised)


def key_of(model: ModelSpec, turns: Sequence[Turn]) -> str:
    bare = replace(model, **INDIFFERENT)
    canonical = msgspec.json.encode([_era(model.slug), bare, turns], order="deterministic")
    return f"llm:cache:{hashlib.sha256(canonical).hexdigest()}"


def find(model: ModelSpec, key: str) -> Kept | None:
    found = cache.get(key)
    try:
        kept = None if found is None else msgspec.json.decode(found[1], type=Kept)
    except (msgspec.MsgspecError, TypeError):
        # Of another version of this program.
        kept = None
    (metrics.CACHE_HITS if kept else metrics.CACHE_MISSES).labels(model.slug).inc()
    return kept


def keep(model: ModelSpec, key: str, kept: Kept) -> None:
    encoded = msgspec.json.encode(kept)
    if len(encoded) > settings.LLM_CACHE_ENTRY_BYTES:
        return
    count = _key(model.slug, "count")
    cache.add(count, 0, None)
    try:
        number = cache.incr(count) % settings.LLM_CACHE_ENTRIES
    except ValueError:
        # Redis was emptied in between.
        return
    place = _place(model.slug, number)
    # One that was asked anew has a newer place, and only what it was before is in this one.
    if (before := cache.get(place)) and before != key and _is_in(before, number):
        cache.delete(before)
    cache.set(place, key, settings.LLM_CACHE_SECONDS)
    cache.set(key, (number, encoded), settings.LLM_CACHE_SECONDS)


def purge(slug: str) -> int:
    """Of one model. Returns how many there were. What is being written now is not found later
    either: it has the key of an era that is over."""
    cache.set(_key(slug, "era"), get_random_string(8), None)
    places = [_place(slug, number) for number in range(settings.LLM_CACHE_ENTRIES)]
    held = cache.get_many(places)
    there = cache.get_many(list(held.values()))
    cache.delete_many([*held, *there])
    return len(there)


def _era(slug: str) -> str:
    return str(cache.get(_key(slug, "era"), ""))


def _is_in(key: str, number: int) -> bool:
    """Not said of what another version of this program has kept: that goes by its age."""
    found = cache.get(key)
    return isinstance(found, tuple) and found[0] == number


def _place(slug: str, number: int) -> str:
    return _key(slug, f"place:{number}")


def _key(slug: str, what: str) -> str:
    """A slug may hold signs that no key should."""
    return f"llm:cache:{hashlib.sha256(slug.encode()).hexdigest()[:24]}:{what}"


def _is_seen(block: dict[str, Any]) -> bool:
    """Images are large, and seldom asked about twice."""
    return block.get("type") == "image"
