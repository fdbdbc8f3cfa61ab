"""Tools of MCP servers: a real server in its own process, over both transports."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from django.test import Client
from langchain_core.tools import ToolException
from pytest_django import Settings

from accounts.models import User
from llm.calls import NOBODY_TO_ASK
from llm.mcp import pool
from llm.mcp.connection import ServerFailed
from llm.mcp.listing import fetch, problem_of
from llm.mcp.spec import ServerSpec, ServerToolSpec, server_tools
from llm.mcp.tools import as_tool
from llm.models import ChatModel, ToolServer
from llm.models import Provider as ProviderRow
from llm.parts import Part, Progress, TextDelta, ToolCallFinished, ToolCallStarted
from llm.session import close_session
from llm.spec import ModelSpec, Turn, Wishes, spec
from llm.stream import stream
from tests.conftest import OpenTab
from tests.environment import free_port
from tests.provider import Provider, expected_text
from tests.stack import Process, Stack

OURS = ["-m", "tests.mcp_server"]
ANYTHING = {"type": "object", "properties": {}}
ADD = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}


@pytest.fixture(autouse=True)
def _may_run(settings: Settings) -> None:
    settings.MCP_COMMANDS = [sys.executable]
    # Pages of the admin without a `collectstatic` before.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
async def _closed() -> AsyncIterator[None]:
    yield
    await close_session()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    log = tmp_path_factory.mktemp("mcp") / "server.log"
    process = Process("mcp", [*OURS, "http", str(port)], dict(os.environ), log)
    wait_for_port(process, port)
    yield f"http://127.0.0.1:{port}/mcp"
    process.kill()


def wait_for_port(process: Process, port: int) -> None:
    while True:
        assert process.running, process.log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return


def by_command(timeout: float = 20, secrets: str = "") -> ServerSpec:
    args = (*OURS, "stdio")
    return ServerSpec("tests", "stdio", "", sys.executable, args, secrets, timeout)


def by_http(url: str, timeout: float = 20) -> ServerSpec:
    return ServerSpec("tests", "http", url, "", (), "", timeout)


def tool(server: ServerSpec, name: str, schema: Any = None, acts: bool = False) -> ServerToolSpec:
    return ServerToolSpec(server, f"tests__{name}", name, "A tool", schema or ANYTHING, acts)


async def call(spec: ServerToolSpec, **args: Any) -> str:
    result: str = await as_tool(spec).ainvoke(args)
    return result


async def answer(provider: Provider, spec: ServerToolSpec, **args: Any) -> list[Part]:
    model = ModelSpec("fake", "openai", provider.url, "", "fake-model", server_tools=(spec,))
    asked = json.dumps({"tool": {"name": spec.name, "args": args}, "tokens": 3})
    turns = [Turn("user", [{"type": "text", "text": asked}])]
    async with aclosing(stream(model, turns)) as parts:
        return [part async for part in parts]


def finished(parts: list[Part]) -> ToolCallFinished:
    return next(part for part in parts if isinstance(part, ToolCallFinished))


def said(parts: list[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


# --- What works ----------------------------------------------------------------------------------
@pytest.mark.usefixtures("_closed")
@pytest.mark.parametrize("way", ["stdio", "http"])
async def test_a_tool_of_a_server_answers(way: str, url: str, provider: Provider) -> None:
    server = by_command() if way == "stdio" else by_http(url)
    parts = await answer(provider, tool(server, "add", ADD, acts=True), a=2, b=3)
    assert finished(parts).result == "5"
    assert next(part for part in parts if isinstance(part, ToolCallStarted)).side_effects
    assert said(parts) == expected_text({"tokens": 3})
    assert provider.requests[0].body["tools"][0]["function"]["parameters"] == ADD


@pytest.mark.usefixtures("_closed")
async def test_a_tool_of_a_server_that_asks_is_not_run_unasked(
    url: str, provider: Provider
) -> None:
    asking = msgspec.structs.replace(tool(by_http(url), "add", ADD, acts=True), asks=True)
    parts = await answer(provider, asking, a=2, b=3)
    assert finished(parts).error == NOBODY_TO_ASK
    # Only its approval makes it one that may have acted.
    assert not next(part for part in parts if isinstance(part, ToolCallStarted)).side_effects


@pytest.mark.usefixtures("_closed")
async def test_what_a_server_reports_is_said_of_its_call(url: str, provider: Provider) -> None:
    parts = await answer(provider, tool(by_http(url), "report"))
    told = [part for part in parts if isinstance(part, Progress) and part.tool_call]
    assert [(part.label, part.data) for part in told] == [("Half way", {"done": 1.0, "total": 2.0})]
    assert told[0].tool_call == finished(parts).id


@pytest.mark.usefixtures("_closed")
async def test_calls_share_one_process_that_gets_nothing_of_the_workers_environment() -> None:
    me = tool(by_command(), "whoami")
    one, other = await asyncio.gather(call(me), call(me))
    assert one == other
    process, greeting, secret = one.split()
    assert (greeting, secret) == ("None", "None")

    await close_session()

    assert not psutil.pid_exists(int(process))


# --- What goes wrong -----------------------------------------------------------------------------
@pytest.mark.usefixtures("_closed")
async def test_a_tool_that_fails_says_why_and_the_answer_goes_on(
    url: str, provider: Provider
) -> None:
    parts = await answer(provider, tool(by_http(url), "fail"))
    error = finished(parts).error
    assert error is not None
    assert "the kettle is empty" in error
    assert said(parts) == expected_text({"tokens": 3})


@pytest.mark.usefixtures("_closed")
async def test_a_server_that_hangs_holds_nobody_up(url: str, provider: Provider) -> None:
    """The next call gets a session that does not hang."""
    server = by_http(url, 2)
    parts = await answer(provider, tool(server, "hang"))
    assert finished(parts).error == "tests__hang took longer than 2 seconds."
    assert said(parts) == expected_text({"tokens": 3})
    assert await call(tool(server, "add", ADD), a=1, b=1) == "2"


@pytest.mark.usefixtures("_closed")
async def test_a_stopped_call_ends_at_once(url: str) -> None:
    task = asyncio.create_task(call(tool(by_http(url), "hang")))
    await call(tool(by_http(url), "whoami"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.usefixtures("_closed")
async def test_a_server_that_dies_in_a_call_is_started_again() -> None:
    server = by_command(10)
    with pytest.raises(ToolException, match="The MCP server tests did not answer"):
        await asyncio.wait_for(call(tool(server, "die")), 8)
    assert await call(tool(server, "add", ADD), a=1, b=1) == "2"


@pytest.mark.usefixtures("_closed")
async def test_a_server_that_was_started_anew_between_two_calls_answers_the_next(
    tmp_path: Path,
) -> None:
    port = free_port()
    add = tool(by_http(f"http://127.0.0.1:{port}/mcp"), "add", ADD)
    for number in (1, 2):
        log = tmp_path / f"server-{number}.log"
        process = Process("mcp", [*OURS, "http", str(port)], dict(os.environ), log)
        wait_for_port(process, port)
        assert await call(add, a=1, b=number) == str(1 + number)
        process.kill()


@pytest.mark.usefixtures("_closed")
async def test_a_command_that_died_between_two_calls_is_started_again() -> None:
    server = by_command()
    process = int((await call(tool(server, "whoami"))).split()[0])
    [connection] = pool._pools[asyncio.get_running_loop()].values()
    psutil.Process(process).kill()
    line: Any = connection.ready.result()._write_stream
    async with asyncio.timeout(10):
        while not line._closed:  # noqa: ASYNC110 - the library tells nobody
            await asyncio.sleep(0.01)
    assert await call(tool(server, "add", ADD), a=1, b=1) == "2"


@pytest.mark.usefixtures("_closed")
async def test_a_server_that_is_not_there_is_an_error_of_its_tool(provider: Provider) -> None:
    gone = by_http(f"http://127.0.0.1:{free_port()}/mcp")
    parts = await answer(provider, tool(gone, "add"))
    assert finished(parts).error == "The MCP server tests cannot be reached."
    assert said(parts) == expected_text({"tokens": 3})


@pytest.mark.usefixtures("_closed")
async def test_a_command_that_the_setting_does_not_list_is_not_run(settings: Settings) -> None:
    settings.MCP_COMMANDS = []
    with pytest.raises(ToolException, match="is not permitted"):
        await call(tool(by_command(), "add"))


async def test_an_idle_session_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0)
    process = int((await call(tool(by_command(), "whoami"))).split()[0])
    [connection] = pool._pools[asyncio.get_running_loop()].values()
    await asyncio.wait_for(connection.task, 10)
    assert not psutil.pid_exists(process)


# --- What an admin decides -----------------------------------------------------------------------
@pytest.fixture
def server(transactional_db: None, url: str) -> ToolServer:
    return ToolServer.objects.create(name="tests", url=url)


def test_fetched_tools_are_off_and_keep_what_was_decided(server: ToolServer) -> None:
    rows = {row.name: row for row in fetch(server)}
    assert {row.permission for row in rows.values()} == {"off"}
    assert (rows["add"].acts, rows["whoami"].acts) == (False, True)
    assert rows["add"].schema["properties"]["a"]["type"] == "integer"
    assert "broken at $.properties.a.type" in rows["broken"].problem

    server.tools.filter(name="add").update(permission="allowed")
    server.tools.create(name="gone", permission="allowed")
    fetch(server)
    assert server.tools.get(name="add").permission == "allowed"
    assert not server.tools.filter(name="gone").exists()


def test_a_model_gets_the_tools_that_are_allowed(server: ToolServer) -> None:
    fetch(server)
    server.tools.filter(name__in=["add", "broken"]).update(permission="allowed")
    names = ["tests__add", "tests__whoami", "tests__broken", "tests__nothing", "current_time"]
    ChatModel.objects.filter(slug="fake").update(tools=names)
    model = ChatModel.objects.select_related("provider").get(slug="fake")
    assert [each.name for each in spec(model).server_tools] == ["tests__add"]
    assert spec(model).tools == ("current_time",)
    assert spec(model, Wishes(tools=("current_time",))).server_tools == ()
    assert not spec(model).server_tools[0].asks
    server.tools.filter(name="add").update(permission="ask")
    assert spec(model).server_tools[0].asks

    ToolServer.objects.update(enabled=False)
    assert server_tools(names) == ()


@pytest.mark.parametrize(
    ("name", "schema", "problem"),
    [
        ("files__read", ANYTHING, ""),
        ("files__read it", ANYTHING, "no name that models take"),
        ("files__" + "a" * 60, ANYTHING, "no name that models take"),
        ("files__read", {"type": "string"}, "must describe an object"),
        ("files__read", {}, "must describe an object"),
        ("files__read", {**ANYTHING, "required": "all"}, "broken at"),
        ("files__read", {**ANYTHING, "$ref": "http://10.0.0.1/x"}, "refers to another document"),
        ("files__read", {**ANYTHING, "title": "a" * 40_000}, "longer than"),
    ],
)
def test_a_broken_tool_is_refused_with_a_sentence(name: str, schema: Any, problem: str) -> None:
    found = problem_of(name, schema)
    assert problem in found
    assert bool(found) == bool(problem)


def test_an_admin_fetches_allows_and_is_told_what_fails(
    server: ToolServer, admin_client: Client, owner: User
) -> None:
    page = admin_client.get(f"/admin/llm/toolserver/{server.pk}/change/").content.decode()
    fetching = next(each for each in page.split('"') if "fetch" in each and each.startswith("/"))
    asking = admin_client.get(fetching).content.decode()
    assert f'href="/admin/llm/toolserver/{server.pk}/change/"' in asking
    answer = admin_client.post(fetching, follow=True)
    assert "Tools found: 7. Tools that cannot be used: 1." in answer.content.decode()
    assert "tests__add" in answer.content.decode()

    ToolServer.objects.update(url=f"http://127.0.0.1:{free_port()}/mcp")
    failed = admin_client.post(fetching).content.decode()
    assert "cannot be reached" in failed
    assert "ConnectError: All connection attempts failed" in failed

    client = Client()
    client.force_login(owner)
    assert client.post(fetching).status_code in (302, 403)


def test_a_form_keeps_secrets_and_refuses_commands(
    admin_client: Client, settings: Settings, transactional_db: None
) -> None:
    form = {
        "name": "files",
        "transport": "stdio",
        "command": sys.executable,
        "args": '["-m", "x"]',
        "timeout": "5",
        "secrets": "TOKEN=swordfish",
        "enabled": "on",
        **{f"tools-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL", "MIN_NUM")},
        "tools-MAX_NUM_FORMS": "1000",
    }

    def add(**fields: str) -> str:
        return admin_client.post("/admin/llm/toolserver/add/", form | fields).content.decode()

    assert "MCP_COMMANDS" in add(command="/bin/sh")
    assert "cannot refer to a variable" in add(secrets="TOKEN=${SECRET_KEY}")
    assert "Small letters and digits only" in add(name="my files")
    assert "a list of texts" in add(args='{"a": 1}')
    assert "This transport needs it" in add(transport="http")
    assert not ToolServer.objects.exists()
    add(args="")
    row = ToolServer.objects.get()
    assert row.args == []
    assert "swordfish" not in row.encrypted_secrets
    page = admin_client.get(f"/admin/llm/toolserver/{row.pk}/change/").content.decode()
    assert "Stored: TOKEN." in page
    assert "swordfish" not in page


def test_secrets_of_a_server_go_to_no_other_host(server: ToolServer, admin_client: Client) -> None:
    server.set_secrets({"TOKEN": "swordfish"})
    server.save()
    form = {"name": "tests", "transport": "http", "args": "[]", "timeout": "30"}
    inline = {f"tools-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}
    url = f"/admin/llm/toolserver/{server.pk}/change/"

    def post(**fields: str) -> str:
        return admin_client.post(url, form | inline | fields).content.decode()

    assert "What is stored (secrets) was given for http://127" in post(url="http://theirs:1/mcp")
    assert ToolServer.objects.get().url == server.url
    post(url=server.url + "/other")
    post(url="http://theirs:1/mcp", forget="on")
    moved = ToolServer.objects.get()
    assert (moved.url, moved.encrypted_secrets) == ("http://theirs:1/mcp", "")


def test_models_keep_the_tools_of_a_server_that_is_renamed(
    server: ToolServer, admin_client: Client
) -> None:
    provider = ProviderRow.objects.create(name="Ours", base_url="http://a:1/v1")
    names = ["tests__add", "current_time", "tests2__add"]
    model = ChatModel.objects.create(
        slug="m", label="M", provider=provider, tools=names, tools_to_approve=names[:1]
    )
    form = {"name": "sums", "transport": "http", "url": server.url, "args": "[]", "timeout": "30"}
    inline = {f"tools-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}
    url = f"/admin/llm/toolserver/{server.pk}/change/"
    assert admin_client.post(url, form | inline).status_code == 302
    model.refresh_from_db()
    assert model.tools == ["sums__add", "current_time", "tests2__add"]
    assert model.tools_to_approve == ["sums__add"]


def test_a_lost_secret_is_said(server: ToolServer) -> None:
    ToolServer.objects.update(encrypted_secrets="nonsense")
    with pytest.raises(ServerFailed, match="secrets of the MCP server tests are lost"):
        fetch(ToolServer.objects.get())


# --- All of it -----------------------------------------------------------------------------------
def test_a_worker_uses_a_server_and_takes_it_along_when_it_ends(
    owner: User, stack: Stack, open_tab: OpenTab, provider: Provider, tmp_path: Path
) -> None:
    web, worker = stack.web(), stack.worker(MCP_COMMANDS=sys.executable)
    server = ToolServer.objects.create(
        name="tests", transport="stdio", command=sys.executable, args=[*OURS, "stdio"]
    )
    server.tools.create(name="whoami", schema=ANYTHING, permission="allowed")
    ChatModel.objects.filter(slug="fake").update(tools=["tests__whoami"])
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tool": {"name": "tests__whoami", "args": {}}, "tokens": 2}))
    state = tab.wait_for_end(ack["generation"])
    call = next(block for block in state["content"] if block["type"] == "tool_call")
    process = int(call["extras"]["result"].split()[0])
    assert psutil.pid_exists(process)
    worker.stop()
    assert not psutil.pid_exists(process)
