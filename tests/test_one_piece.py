"""A provider that cannot stream is answered in one piece, through the same events."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User
from llm import build as building
from llm.models import Provider as ProviderRow
from llm.parts import Finish, Part, ReasoningDelta, TextDelta, ToolCallFinished, Usage
from llm.session import close_session
from llm.spec import ModelSpec, Turn
from llm.stream import stream
from tests.client import text_of
from tests.conftest import OpenTab
from tests.provider import Provider, expected_reasoning, expected_text
from tests.stack import Process, Web

WAYS: list[tuple[bool, dict[str, Any]]] = [
    (False, {}),
    (True, {"no_stream": "refuse"}),
    (True, {"no_stream": "ignore"}),
]


@pytest.fixture(autouse=True)
async def _session(provider: Provider) -> AsyncIterator[None]:
    # A built model remembers what its server refused.
    building._built.cache_clear()
    yield
    await close_session()


async def ask(
    provider: Provider, directive: dict[str, Any], *, streams: bool, **more: Any
) -> list[Part]:
    model = ModelSpec("m", "openai", provider.url, "", "fake", streams=streams, **more)
    turns = [Turn("user", [{"type": "text", "text": json.dumps(directive)}])]
    return [part async for part in stream(model, turns)]


@pytest.mark.parametrize(("streams", "way"), WAYS)
async def test_the_answer_arrives_with_its_thoughts_and_its_usage(
    provider: Provider, streams: bool, way: dict[str, Any]
) -> None:
    directive = {"tokens": 20, "reasoning": 3, **way}
    parts = await ask(provider, directive, streams=streams)
    assert parts == [
        ReasoningDelta(expected_reasoning(directive)),
        TextDelta(expected_text({"tokens": 20})),
        Usage(parts[-2].input_tokens, 23, estimated=False),  # type: ignore[union-attr]
        Finish("stop"),
    ]


@pytest.mark.parametrize(("streams", "way"), WAYS)
async def test_its_tools_run(provider: Provider, streams: bool, way: dict[str, Any]) -> None:
    calls = [{"name": "current_time", "args": {"timezone": zone}} for zone in ("UTC", "Asia/Tokyo")]
    directive = {"tool": calls, "tokens": 4, **way}
    parts = await ask(provider, directive, streams=streams, tools=("current_time",))
    done = [part for part in parts if isinstance(part, ToolCallFinished)]
    assert [call.error for call in done] == [None, None]
    said = "".join(part.text for part in parts if isinstance(part, TextDelta))
    assert said == expected_text({"tokens": 4})
    assert len(provider.requests) == (3 if way.get("no_stream") == "refuse" else 2)


async def test_a_server_that_refuses_to_stream_is_not_asked_to_again(provider: Provider) -> None:
    for _ in range(2):
        await ask(provider, {"tokens": 2, "no_stream": "refuse"}, streams=True)
    asked = [{"stream", "stream_options"} & request.body.keys() for request in provider.requests]
    assert asked == [{"stream", "stream_options"}, set(), set()]


async def test_one_answer_in_one_piece_makes_no_rule(provider: Provider) -> None:
    """A cache in between may have sent it."""
    await ask(provider, {"tokens": 2, "no_stream": "ignore"}, streams=True)
    parts = await ask(provider, {"tokens": 5, "rate": 20}, streams=True)
    assert provider.requests[-1].body["stream"] is True
    assert len([part for part in parts if isinstance(part, TextDelta)]) > 1


async def test_what_the_library_asks_itself_is_in_one_piece_too(provider: Provider) -> None:
    wanted = {"response_format": {"type": "json_object"}}
    parts = await ask(provider, {"tokens": 5}, streams=False, parameters=wanted)
    assert TextDelta(expected_text({"tokens": 5})) in parts
    assert parts[-1] == Finish("stop")
    assert not provider.requests[0].body.get("stream")


async def test_the_reason_of_an_end_is_kept(provider: Provider) -> None:
    parts = await ask(provider, {"tokens": 2, "finish_reason": "length"}, streams=False)
    assert parts[-1] == Finish("length")


@pytest.mark.parametrize("kind", ["anthropic", "demo"])
def test_only_servers_of_the_openai_kind_can_be_asked_so(kind: str) -> None:
    with pytest.raises(ValidationError, match="OpenAI-compatible"):
        ProviderRow(name="x", kind=kind, streams=False).clean()


# --- Through the worker and the socket ------------------------------------------------------------
@pytest.mark.database
def test_the_same_events_reach_the_tab_and_stop_closes_the_request(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    ProviderRow.objects.filter(base_url=provider.url).update(streams=False)
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tokens": 30}))
    state = tab.wait_for_end(ack["generation"])
    assert (state["status"], text_of(state["content"])) == (
        "completed",
        expected_text({"tokens": 30}),
    )
    assert tab.gaps == 0

    ack = tab.submit(
        json.dumps({"tokens": 30, "header_delay": 60}),
        conversation=ack["conversation"],
        parent=ack["reply"],
    )
    tab.wait_for(lambda event: event["type"] == "generation.started")
    request = provider.wait_for(2, 20)
    tab.ask("generation.cancel", generation=ack["generation"])
    assert tab.wait_for_end(ack["generation"])["status"] == "cancelled"
    assert request.ended.wait(10)
    assert request.disconnected_at
