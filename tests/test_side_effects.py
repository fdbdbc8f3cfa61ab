"""A tool that has changed the world must not run a second time because a worker died."""

import json

from accounts.models import User
from conversations.models import Generation
from llm.models import ChatModel
from tests.conftest import OpenTab
from tests.stack import Stack


def test_an_answer_whose_tool_has_acted_is_not_started_again(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    tools = "tests.tools.act_and_wait"
    web, worker = stack.web(), stack.worker(LLM_TOOLS=tools)
    ChatModel.objects.filter(slug="fake").update(tools=["act_and_wait"])
    tab = open_tab(owner, web)
    call = {"name": "act_and_wait", "args": {}}
    ack = tab.submit(json.dumps({"tokens": 5, "tool": call}))
    tab.wait_for_type("tool_call.started")
    assert Generation.objects.get(pk=ack["generation"]).side_effects

    worker.kill()
    stack.worker(LLM_TOOLS=tools)

    state = tab.wait_for_end(ack["generation"], 15)
    assert (state["status"], state["error"]["code"]) == ("failed", "side_effects")
    assert state["error"]["retryable"] is True
    assert [block["type"] for block in state["content"]].count("tool_call_chunk") == 1
    starts = [e for e in tab.of(ack["generation"]) if e["type"] == "tool_call.started"]
    assert len(starts) == 1
