"""What a model may write and no database keeps must not hold a generation for ever."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from conversations.models import Message
from llm.models import ChatModel
from tests.conftest import PASSWORD, OpenTab
from tests.stack import Process, Web

pytestmark = pytest.mark.database


@pytest.mark.parametrize("arguments", ['{"q": "a\\u0000b"}', '{"q": 1e999}', '{"q": "\\ud83d"}'])
def test_arguments_that_cannot_be_kept_end_like_any_others(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, arguments: str
) -> None:
    ChatModel.objects.filter(slug="fake").update(tools=["current_time"])
    tab = open_tab(owner, web)
    call = {"name": "current_time", "args": arguments}
    ack = tab.submit(json.dumps({"tokens": 5, "tool": call}))

    state = tab.wait_for_end(ack["generation"], 15)

    assert state["status"] in ("completed", "failed")
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]


def test_people_can_sign_in_while_redis_is_away(owner: User, settings: Any) -> None:
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    }
    answer = Client().post("/accounts/login/", {"login": "owner", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")
