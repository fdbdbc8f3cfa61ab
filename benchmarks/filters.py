"""Gives every model filters, as an admin would: python -m benchmarks.filters

In-process, what a filter costs for each token: python -m benchmarks filters
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
django.setup()

from llm.filters.chain import filtered  # noqa: E402
from llm.models import ChatModel  # noqa: E402
from llm.parts import Finish, Part, TextDelta, Usage  # noqa: E402

LENGTH: dict[str, Any] = {"name": "max_length", "options": {"characters": 10_000_000}}
# The tokens of the load are numbers, which would be held back as a card's.
OF_THE_LOAD = [{"name": "redact", "options": {"cards": False}}, LENGTH]
CHAINS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "max_length": [LENGTH],
    "redact": [{"name": "redact"}],
    "redact with e-mails": [{"name": "redact", "options": {"emails": True}}],
}
PROSE = (
    "The harbour was quiet at 7 in the morning, and nobody minded the ferry. It had been late "
    "since 1987, said the woman at the kiosk; she sold coffee for 2.50 and did not skip a beat. "
)
TOKENS = 50_000
ROUNDS = 5


async def said(tokens: list[str]) -> AsyncGenerator[Part, None]:
    for token in tokens:
        yield TextDelta(token)
    yield Usage(1, len(tokens), estimated=False)
    yield Finish("stop")


async def seconds(name: str, tokens: list[str]) -> float:
    chain, parts = CHAINS[name], said(tokens)
    began = time.process_time()
    async for _ in filtered(parts, chain, []) if chain else parts:
        pass
    return time.process_time() - began


def main() -> None:
    """Of each chain the best of some rounds, in turn."""
    words = PROSE.replace(" ", " \0").split("\0")
    tokens = (words * (TOKENS // len(words) + 1))[:TOKENS]
    best = dict.fromkeys(CHAINS, float("inf"))
    for _ in range(ROUNDS):
        for name in CHAINS:
            best[name] = min(best[name], asyncio.run(seconds(name, tokens)))
    for name, took in best.items():
        print(f"{name}: {took / TOKENS * 1e6:.2f} µs a token")


if __name__ == "__main__":
    ChatModel.objects.update(filters=OF_THE_LOAD)
