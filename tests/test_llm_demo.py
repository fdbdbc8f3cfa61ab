"""The demo model does what a real one does, and the same each time."""

import pytest

from llm.parts import (
    Finish,
    Part,
    ReasoningDelta,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    Usage,
)
from llm.spec import ModelSpec, Turn
from llm.stream import stream

FAST = ModelSpec(
    slug="demo",
    kind="demo",
    base_url="",
    key_variable="",
    provider_model="demo",
    parameters={"tokens_per_second": 100_000},
    tools=("current_time",),
)


async def ask(text: str) -> list[Part]:
    turns = [Turn("user", [{"type": "text", "text": text}])]
    return [part async for part in stream(FAST, turns)]


def text_of(parts: list[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


async def test_it_reasons_then_answers_in_markdown() -> None:
    parts = await ask("Hello *there*")
    text = text_of(parts)
    assert isinstance(parts[0], ReasoningDelta)
    assert "Hello there" in text
    assert "\n- " in text
    assert "\n|---|---|\n" in text
    assert "```python\n" in text
    usage, finish = parts[-2:]
    assert isinstance(usage, Usage)
    assert not usage.estimated
    assert finish == Finish("stop")


async def test_the_same_words_get_the_same_answer() -> None:
    assert await ask("Hello") == await ask("Hello")


async def test_it_asks_its_clock_for_the_time() -> None:
    parts = await ask("What time is it?")
    started = next(part for part in parts if isinstance(part, ToolCallStarted))
    finished = next(part for part in parts if isinstance(part, ToolCallFinished))
    assert started.id == finished.id
    assert finished.args == '{"timezone": "UTC"}'
    assert finished.result is not None
    assert finished.result in text_of(parts)


@pytest.mark.parametrize("text", ["", "sometimes", "🙂", "| ` * _ < ["])
async def test_it_answers_anything(text: str) -> None:
    parts = await ask(text)
    assert parts[-1] == Finish("stop")
    assert not any(isinstance(part, ToolCallStarted) for part in parts)


async def test_a_long_answer_has_about_two_thousand_tokens() -> None:
    usage = (await ask("Tell me something long"))[-2]
    assert isinstance(usage, Usage)
    assert 1500 < usage.output_tokens < 3000
