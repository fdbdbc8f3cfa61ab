"""What providers do wrong, through the real worker and socket: each ends in `generation.failed`
with a code, a sentence for the user and the partial text, and can be tried again."""

import json
from typing import Any

import pytest

from accounts.models import User
from conversations.models import Generation, Message
from tests.client import text_of
from tests.conftest import OpenTab
from tests.provider import Provider, expected_text
from tests.stack import Stack, Web

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("worker")]

CASES: list[tuple[dict[str, Any], str, bool, int]] = [
    ({"no_finish": True}, "provider_interrupted", True, 40),
    ({"cut_after": 10}, "provider_interrupted", True, 10),
    ({"garbage_after": 5}, "provider_invalid_response", True, 5),
    ({"hang_after": 8}, "provider_timeout", True, 8),
    ({"keepalive_only": True}, "provider_timeout", True, 0),
    ({"error": 401}, "provider_auth", False, 0),
    ({"error": 429, "retry_after": 60}, "provider_rate_limited", True, 0),
    ({"error": 500}, "provider_error", True, 0),
    ({"context_too_long": True}, "context_too_long", False, 0),
]


@pytest.mark.parametrize(("fault", "code", "retryable", "kept"), CASES, ids=str)
def test_a_fault_is_told_and_what_came_is_kept(
    owner: User,
    web: Web,
    open_tab: OpenTab,
    fault: dict[str, Any],
    code: str,
    retryable: bool,
    kept: int,
) -> None:
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"rate": 500, **fault}))

    end = tab.wait_for_type("generation.failed")

    assert (end["code"], end["retryable"]) == (code, retryable)
    assert end["message"].endswith(".")
    assert "sk-" not in end["message"]
    state = tab.states[ack["generation"]]
    assert text_of(state["content"]) == (expected_text({"tokens": kept}) if kept else "")
    stored = Generation.objects.get(pk=ack["generation"])
    assert (stored.status, stored.error_code) == ("failed", code)
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]
    assert tab.ask("generation.retry", message=ack["reply"])["type"] == "ack"


def test_a_fault_before_the_first_token_is_tried_again_unseen(
    owner: User, web: Web, open_tab: OpenTab, provider: Provider
) -> None:
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tokens": 20, "error": 500, "fail_times": 1}))

    state = tab.wait_for_end(ack["generation"])

    assert state["status"] == "completed"
    assert text_of(state["content"]) == expected_text({"tokens": 20})
    assert len(provider.requests) == 2


def test_an_answer_without_end_is_ended(owner: User, stack: Stack, open_tab: OpenTab) -> None:
    web, _ = stack.web(), stack.worker(ANSWER_CHARS="5000")
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tokens": 1_000_000, "rate": 20_000}))

    end = tab.wait_for_type("generation.completed")

    assert end["finish_reason"] == "length"
    text = tab.text(ack["generation"])
    assert 5000 < len(text) < 100_000
    assert Message.objects.get(pk=ack["reply"]).text == text
