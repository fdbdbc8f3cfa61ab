"""`/v1/`, as the programs see it that are pointed at it: the official package and LangChain."""

import base64
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, OpenAI
from pydantic import SecretStr

from accounts.keys import create_key
from accounts.models import ApiKey, User
from api.openai.chunks import Answer
from api.openai.errors import ApiError
from conversations.models import Conversation, Generation
from llm.models import ChatModel
from tests.api_client import ApiClient, replay
from tests.conftest import OpenTab
from tests.provider import Provider, expected_reasoning, expected_text
from tests.stack import Process, Stack, Web
from tests.test_cancel import wait_until

SHORT = {"tokens": 30, "rate": 300}
LONG = {"tokens": 200, "rate": 40}
CALL = {"name": "weather", "args": {"city": "Oslo"}}
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather somewhere.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
# A call, and a picture as its result.
CALLED: list[Any] = [
    {
        "role": "assistant",
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "draw"}}],
    }
]
PICTURED: Any = {
    "role": "tool",
    "tool_call_id": "1",
    "content": [{"type": "image_url", "image_url": {"url": "https://example.org/dot.png"}}],
}


@pytest.fixture
def secret(owner: User, web: Web, worker: Process) -> str:
    return create_key(owner, "tests")[1]


@pytest.fixture
def client(secret: str, web: Web) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{web.url}/v1", api_key=secret, max_retries=0) as made:
        yield made


def said(directive: dict[str, Any]) -> list[Any]:
    return [{"role": "user", "content": json.dumps(directive)}]


def test_the_models_are_listed(client: OpenAI) -> None:
    slugs = [model.id for model in client.models.list()]
    assert "fake" in slugs
    assert client.models.retrieve("fake").object == "model"
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("none/such")
    assert caught.value.code == "model_not_found"


def test_an_answer_in_one_piece(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="fake", messages=said(SHORT))
    assert answer.choices[0].message.content == expected_text(SHORT)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.usage.completion_tokens > 0


def test_an_answer_as_a_stream(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="fake", messages=said(SHORT), stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == expected_text(SHORT)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1


async def test_an_answer_as_a_stream_to_an_async_client(secret: str, web: Web) -> None:
    async with AsyncOpenAI(base_url=f"{web.url}/v1", api_key=secret, max_retries=0) as client:
        stream = await client.chat.completions.create(
            model="fake", messages=said(SHORT), stream=True
        )
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text == expected_text(SHORT)


def test_an_answer_in_one_piece_is_whole_though_its_worker_died(
    owner: User, stack: Stack, provider: Provider
) -> None:
    web, first = stack.web(), stack.worker()
    directive = {"tokens": 100, "rate": 50}
    secret = create_key(owner, "tests")[1]
    with (
        OpenAI(base_url=f"{web.url}/v1", api_key=secret, max_retries=0) as client,
        ThreadPoolExecutor() as pool,
    ):
        ask = client.chat.completions.create
        asked = pool.submit(ask, model="fake", messages=said(directive))
        request = provider.wait_for(1, 30)
        wait_until(lambda: request.tokens_sent > 20, 10)
        first.kill()
        stack.worker()
        assert asked.result(60).choices[0].message.content == expected_text(directive)
    assert Generation.objects.get(conversation__owner=owner).attempt == 2


def test_a_call_is_not_made_twice_where_its_worker_died() -> None:
    generation = Generation(request={"tools": [WEATHER]}, model_slug="fake")
    call = {"type": "tool_call.started", "tool_call": "1", "name": "weather", "args": "{}"}
    started = {"type": "generation.started", "model": "fake"}

    streamed = Answer(generation)
    assert [streamed.take(event) for event in (started, call)][-1]
    with pytest.raises(ApiError, match="started again"):
        streamed.take(started)

    kept = Answer(generation, in_one_piece=True)
    for event in (started, call, started, call):
        kept.take(event)
    assert len(kept.whole()["choices"][0]["message"]["tool_calls"]) == 1


def test_tools_are_the_programs_to_run(client: OpenAI, provider: Provider) -> None:
    provider.script({"tool": CALL}, {"text": "Rain."})
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Oslo?"}]
    asked = client.chat.completions.create(model="fake", messages=messages, tools=[WEATHER])
    message = asked.choices[0].message
    assert asked.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls is not None
    call: Any = message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", CALL["args"])
    sent = provider.requests[-1].body
    assert [t["function"]["name"] for t in sent["tools"]] == ["weather"]

    messages += [message.model_dump(exclude_none=True)]
    messages += [{"role": "tool", "tool_call_id": call.id, "content": "12 degrees, rain"}]
    answer = client.chat.completions.create(model="fake", messages=messages, tools=[WEATHER])
    assert answer.choices[0].message.content == "Rain."
    roles = [m["role"] for m in provider.requests[-1].body["messages"]]
    assert roles[-3:] == ["user", "assistant", "tool"]
    assert provider.requests[-1].body["messages"][-1]["content"] == "12 degrees, rain"


def test_a_result_is_that_of_the_newest_call_with_its_id(
    client: OpenAI, provider: Provider
) -> None:
    """As servers have it that count the calls of each step from zero."""
    provider.script({"text": "Sun."})
    messages: list[Any] = [{"role": "user", "content": "Oslo, then Rome?"}]
    for city, weather in (("Oslo", "rain"), ("Rome", "sun")):
        function = {"name": "weather", "arguments": json.dumps({"city": city})}
        call = {"id": "call_0", "type": "function", "function": function}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_0", "content": weather},
        ]
    client.chat.completions.create(model="fake", messages=messages, tools=[WEATHER])
    sent = provider.requests[-1].body["messages"]
    assert [m["content"] for m in sent if m["role"] == "tool"] == ["rain", "sun"]


def test_calls_come_in_pieces(client: OpenAI, provider: Provider) -> None:
    provider.script({"tool": [CALL, {"name": "weather", "args": {"city": "Rome"}}]})
    stream = client.chat.completions.create(
        model="fake",
        messages=[{"role": "user", "content": "Oslo and Rome?"}],
        tools=[WEATHER],
        tool_choice="required",
        stream=True,
    )
    names: dict[int, str] = {}
    args: dict[int, str] = {}
    for chunk in stream:
        for call in chunk.choices[0].delta.tool_calls or ():
            assert call.function is not None
            names.setdefault(call.index, call.function.name or "")
            args[call.index] = args.get(call.index, "") + (call.function.arguments or "")
    assert names == {0: "weather", 1: "weather"}
    assert [json.loads(text)["city"] for text in args.values()] == ["Oslo", "Rome"]
    assert provider.requests[-1].body["tool_choice"] == "required"


def test_parameters_and_images_reach_the_model(client: OpenAI, provider: Provider) -> None:
    provider.script({"text": "A dot."})
    picture = "data:image/png;base64," + base64.b64encode(b"not looked at here").decode()
    client.chat.completions.create(
        model="fake",
        messages=[
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": picture}},
                ],
            },
        ],
        temperature=0.5,
        top_p=0.9,
        seed=7,
        stop=["END"],
        max_tokens=20,
        user="somebody",
    )
    body = provider.requests[-1].body
    assert (body["temperature"], body["top_p"], body["seed"]) == (0.5, 0.9, 7)
    assert (body["stop"], body["max_tokens"]) == (["END"], 20)
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert body["messages"][1]["content"][1]["image_url"]["url"] == picture


def test_reasoning_comes_beside_the_text(client: OpenAI) -> None:
    directive = {"tokens": 5, "reasoning": 5}
    answer = client.chat.completions.create(model="fake", messages=said(directive))
    message: Any = answer.choices[0].message
    assert message.reasoning_content == expected_reasoning(directive)
    assert message.content == expected_text(directive)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("directive", "error", "code"),
    [
        ({"error": 429}, openai.RateLimitError, "rate_limit_exceeded"),
        ({"error": 400}, openai.BadRequestError, "provider_bad_request"),
        ({"error": 500}, openai.InternalServerError, "provider_error"),
    ],
)
def test_a_failure_has_openais_shape(
    client: OpenAI, directive: dict[str, Any], error: Any, code: str, stream: bool
) -> None:
    with pytest.raises(error) as caught:
        client.chat.completions.create(model="fake", messages=said(directive), stream=stream)
    assert caught.value.code == code


def test_a_cut_after_the_first_byte_is_told_in_the_stream(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="fake", messages=said({"tokens": 30, "cut_after": 10}), stream=True
    )
    seen = ""
    with pytest.raises(openai.APIError, match="cut off"):  # noqa: PT012
        for chunk in stream:
            seen += chunk.choices[0].delta.content or ""
    assert seen
    assert expected_text({"tokens": 30}).startswith(seen)


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "model", "invalid_value"),
        ({"model": "fake"}, "messages", "invalid_value"),
        ({"model": "fake", "messages": []}, "messages", "invalid_value"),
        ({"model": "fake", "messages": said(SHORT), "n": 2}, "n", "invalid_value"),
        (
            {"model": "fake", "messages": said(SHORT), "audio": {}},
            "audio",
            "unsupported_parameter",
        ),
        ({"model": "none", "messages": said(SHORT)}, "model", "model_not_found"),
        (
            {"model": "fake", "messages": [{"role": "user", "content": None}]},
            "messages.0.content",
            "missing",
        ),
        (
            {
                "model": "fake",
                "messages": [{"role": "user", "content": [{"type": "input_audio"}]}],
            },
            "messages.0.content",
            "invalid_value",
        ),
        (
            {
                "model": "fake",
                "messages": [*said(SHORT), {"role": "tool", "tool_call_id": "1", "content": "a"}],
            },
            "messages.1.tool_call_id",
            "invalid_value",
        ),
        (
            {"model": "fake", "messages": [{"role": "user", "content": ""}]},
            "messages",
            "invalid_value",
        ),
        (
            {"model": "fake", "messages": [{"role": "user", "content": [{"text": "a"}]}]},
            "messages.0.content.0.type",
            "invalid_value",
        ),
        (
            {
                "model": "fake",
                "messages": said(SHORT),
                "tools": [{"type": "function", "function": {}}],
            },
            "tools.0.function.name",
            "invalid_value",
        ),
        ({"model": "fake", "messages": [*CALLED, PICTURED]}, "messages.1.content", "invalid_value"),
    ],
)
def test_a_wrong_request_is_refused_by_name(
    secret: str, web: Web, body: dict[str, Any], param: str, code: str
) -> None:
    answer = httpx2.post(
        f"{web.url}/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {secret}"}
    )
    error = answer.json()["error"]
    assert answer.status_code in (400, 404)
    assert (error["param"], error["code"]) == (param, code)


def test_what_is_no_json_is_refused(secret: str, web: Web) -> None:
    headers = {"Authorization": f"Bearer {secret}"}
    answer = httpx2.post(f"{web.url}/v1/chat/completions", content=b"{", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_value")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sk-wrong"}])
def test_without_a_key_nothing_is_answered(
    web: Web, worker: Process, headers: dict[str, str]
) -> None:
    answer = httpx2.get(f"{web.url}/v1/models", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


def test_a_revoked_key_is_refused(client: OpenAI, owner: User) -> None:
    ApiKey.objects.filter(owner=owner).update(revoked_at=timezone.now())
    with pytest.raises(openai.AuthenticationError):
        client.models.list()


def test_a_model_for_others_is_not_there(
    owner: User, secret: str, client: OpenAI, web: Web
) -> None:
    closed = ChatModel.objects.get(slug="fake")
    others = Group.objects.create(name="Others")
    closed.groups.add(others)
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="fake", messages=said(SHORT))
    assert refused.value.code == "model_not_found"
    assert "fake" not in [model.id for model in client.models.list()]
    assert not Generation.objects.filter(conversation__owner=owner).exists()
    owner.groups.add(others)
    assert "fake" in [model.id for model in client.models.list()]


def test_whoever_hangs_up_stops_the_model(
    client: OpenAI, owner: User, web: Web, secret: str
) -> None:
    with client.chat.completions.create(model="fake", messages=said(LONG), stream=True) as stream:
        for _ in range(5):
            next(stream)
    generation = Generation.objects.get(conversation__owner=owner)
    events = ApiClient(web.url, secret).events(str(generation.pk))
    assert replay(events)["status"] == "cancelled"


def test_whoever_hangs_up_at_any_moment_stops_the_model(
    owner: User, web: Web, worker: Process, secret: str
) -> None:
    """Before the request is read, while it is stored, before the answer begins, and after."""
    asked = {"model": "fake", "messages": said({"tokens": 4000, "rate": 40}), "stream": True}
    body = json.dumps(asked).encode()
    head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\nContent-Length: {len(body)}"
    request = f"POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n\r\n".encode() + body
    address = urlsplit(web.url)
    for number in range(60):
        with socket.create_connection((address.hostname, address.port)) as line:
            line.sendall(request)
            line.settimeout(0.0015 * (number + 1))
            with suppress(TimeoutError):
                line.recv(1)
    requests = Generation.objects.filter(conversation__owner=owner)
    others = requests.exclude(status="cancelled")
    wait_until(lambda: requests.exists() and not others.exists(), 20)


def test_whoever_hangs_up_while_it_waits_takes_it_out_of_the_queue(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """No worker is there to do it. The owner's page is told, as it is of every end."""
    web = stack.web()
    tab = open_tab(owner, web)
    tab.ask("ping")
    program = ApiClient(web.url, create_key(owner, "tests")[1])
    body = {"model": "fake", "messages": said(SHORT), "stream": True}
    with pytest.raises(httpx2.ReadTimeout):
        program.http.post("/v1/chat/completions", json=body, timeout=1)
    ended = tab.wait_for_type("conversation.updated")
    assert ended["active"] == []
    assert Generation.objects.get(conversation=ended["conversation"]).status == "cancelled"
    program.close()


def test_a_request_is_kept_out_of_the_lists(client: OpenAI, owner: User) -> None:
    client.chat.completions.create(model="fake", messages=said(SHORT))
    conversation = Conversation.objects.get(owner=owner)
    assert conversation.is_temporary
    generation = conversation.generations.get()
    assert generation.status == "completed"
    assert generation.usage["output_tokens"] > 0


def test_langchain_is_answered_unchanged(secret: str, web: Web, provider: Provider) -> None:
    @tool
    def weather(city: str) -> str:
        """The weather somewhere."""
        return f"Rain in {city}"

    chat = ChatOpenAI(
        model="fake", base_url=f"{web.url}/v1", api_key=SecretStr(secret), max_retries=0
    )
    text = json.dumps(SHORT)
    assert chat.invoke(text).text == expected_text(SHORT)
    assert "".join(chunk.text for chunk in chat.stream(text)) == expected_text(SHORT)

    provider.script({"tool": CALL}, {"text": "It rains."})
    asked = HumanMessage("What is the weather in Oslo?")
    bound = chat.bind_tools([weather])
    called = bound.invoke([asked])
    assert [call["name"] for call in called.tool_calls] == ["weather"]
    result = weather.invoke(called.tool_calls[0])
    assert bound.invoke([asked, called, result]).text == "It rains."


@pytest.mark.parametrize(
    "hostile",
    [
        {"messages": [{"role": "user", "content": "a\0b"}]},
        {"messages": [{"role": "user", "content": "a"}], "logit_bias": {"1": float("nan")}},
        {"messages": [{"role": "user", "content": "a"}], "response_format": {"a": float("inf")}},
        {"messages": [{"role": "user", "content": "a"}], "model": "a\0"},
    ],
)
def test_what_no_database_keeps_is_refused(secret: str, web: Web, hostile: dict[str, Any]) -> None:
    body = json.dumps({"model": "fake", **hostile})
    program = ApiClient(web.url, secret)
    answer = program.http.post("/v1/chat/completions", content=body)
    program.close()
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["error"]["code"] in ("invalid_value", "model_not_found")


@pytest.mark.parametrize("written", ["[" * 100_000, '{"a": "\\ud800"}', '{"a": NaN}', "{"])
def test_a_call_that_was_written_wrong_counts_as_one_without_arguments(
    client: OpenAI, written: str
) -> None:
    call: Any = {"id": "1", "type": "function", "function": {"name": "f", "arguments": written}}
    history: list[Any] = [
        {"role": "user", "content": "What?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "That."},
    ]
    answer = client.chat.completions.create(model="fake", messages=[*history, *said(SHORT)])
    assert answer.choices[0].message.content == expected_text(SHORT)


def test_a_model_of_an_impossible_name_is_not_there(secret: str, web: Web) -> None:
    program = ApiClient(web.url, secret)
    assert program.http.get("/v1/models/%00").status_code == 404
    program.close()
