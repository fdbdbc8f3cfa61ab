"""Counting tokens where the provider did not."""

from collections.abc import Sequence

from llm.parts import Usage
from llm.spec import Turn

BYTES_PER_TOKEN = 4


def estimate_tokens(text: str) -> int:
    """English has about four bytes to a token, in every tokenizer in use; other languages have
    fewer, and more bytes to a letter."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def estimate(turns: Sequence[Turn], output: str) -> Usage:
    """For an answer that was stopped or failed: its provider never said what it took."""
    texts = (str(block.get("text") or "") for turn in turns for block in turn.content)
    return Usage(
        input_tokens=sum(estimate_tokens(text) for text in texts),
        output_tokens=estimate_tokens(output),
        estimated=True,
    )


def total(steps: Sequence[Usage]) -> Usage:
    return Usage(
        sum(each.input_tokens for each in steps),
        sum(each.output_tokens for each in steps),
        any(each.estimated for each in steps),
    )
