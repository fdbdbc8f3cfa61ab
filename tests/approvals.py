"""A tool that asks first: what a test sends, and what its user decides."""

import json
from typing import Any

from tests.api_client import ApiClient
from tests.client import Tab

CLOCK = {"name": "current_time", "args": {"timezone": "UTC"}}
MAIL = {"name": "send_mail", "args": {"to": "ada"}}
Event = dict[str, Any]


def submit(tab: Tab, tool: Any = CLOCK, **fields: Any) -> dict[str, Any]:
    return tab.submit(json.dumps({"tool": tool, "tokens": 3}), **fields)


def wait_for_question(tab: Tab) -> Event:
    return tab.wait_for(lambda event: event.get("approval") == "asked")


def decide(client: ApiClient, asked: Event, what: str, status: int = 202, **more: Any) -> Any:
    path = f"/generations/{asked['generation']}/tool-calls/{asked['tool_call']}/decision"
    return client.call("POST", path, status, json={"decision": what, **more})


def call_in(state: dict[str, Any]) -> dict[str, Any]:
    calls = (block for block in state["content"] if block["type"].startswith("tool_call"))
    call: dict[str, Any] = next(calls)
    return call


def question_of(event: Event) -> str:
    return f"{event['attempt']}-{event['seq']}"
