"""Workers that die, drain and run full while users are asked; and users who do not answer."""

import json
from typing import Any

from accounts.models import User
from conversations.models import Generation
from llm.calls import EXPIRED
from llm.models import ChatModel
from tests.api_client import client_of
from tests.approvals import MAIL, call_in, decide, question_of, submit, wait_for_question
from tests.conftest import OpenTab
from tests.stack import Stack

MAILS = "tests.tools.send_mail"


def test_a_worker_that_dies_while_it_waits_leaves_it_to_the_next_to_ask_again(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """A tool with side effects has not acted while its user is asked. What was asked before is no
    question any more, although the provider gives the call the same id."""
    web, worker = stack.web(), stack.worker(LLM_TOOLS=MAILS)
    ChatModel.objects.filter(slug="fake").update(tools=["send_mail"])
    tab, client = open_tab(owner, web), client_of(owner, web.url)
    ack = submit(tab, MAIL)
    first = wait_for_question(tab)
    assert not acted(ack)

    worker.kill()
    stack.worker(LLM_TOOLS=MAILS)
    second = wait_for_question(tab)

    assert (second["attempt"], second["tool_call"]) == (2, first["tool_call"])
    decide(client, second, "approve", 409, question=question_of(first))
    assert not acted(ack)
    decide(client, second, "approve", question=question_of(second))
    state = tab.wait_for_end(ack["generation"])
    assert call_in(state)["extras"]["result"] == "sent to ada"
    assert acted(ack)


def row(ack: dict[str, Any]) -> Generation:
    return Generation.objects.get(pk=ack["generation"])


def acted(ack: dict[str, Any]) -> bool:
    return row(ack).side_effects


def test_no_answer_is_a_refusal_and_the_wait_is_not_the_models_time(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """Waiting takes longer than the whole attempt may."""
    web = stack.web()
    stack.worker(LLM_TOOLS=MAILS, GENERATION_SECONDS="4", APPROVAL_SECONDS="5")
    ChatModel.objects.filter(slug="fake").update(tools=["send_mail", "current_time"])
    tab = open_tab(owner, web)
    # The first answer with tools waits for LangGraph to be imported.
    tab.wait_for_end(submit(tab)["generation"])
    ack = submit(tab, MAIL)

    state = tab.wait_for_end(ack["generation"])

    extras = call_in(state)["extras"]
    assert (state["status"], extras["approval"], extras["error"]) == (
        "completed",
        "expired",
        EXPIRED,
    )
    assert not acted(ack)


def test_a_worker_that_goes_while_it_waits_hands_the_question_over(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    web, leaving = stack.web(), stack.worker(LLM_TOOLS=MAILS, DRAIN_SECONDS="0")
    ChatModel.objects.filter(slug="fake").update(tools=["send_mail"])
    tab = open_tab(owner, web)
    ack = submit(tab, MAIL)
    wait_for_question(tab)

    assert leaving.stop() == 0
    stack.worker(LLM_TOOLS=MAILS)
    second = wait_for_question(tab)

    assert second["attempt"] == 2
    decide(client_of(owner, web.url), second, "refuse", question=question_of(second))
    state = tab.wait_for_end(ack["generation"])
    assert (state["status"], call_in(state)["extras"]["approval"]) == ("completed", "refused")
    assert not acted(ack)


def test_who_waits_for_a_user_is_in_nobodys_way(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """One place, and one answer may wait beside it: a second that waits keeps the place, and a
    third begins when the second is over. The first goes on although others have had its place."""
    web = stack.web()
    stack.worker(LLM_TOOLS=MAILS, WORKER_CONCURRENCY="1", WORKER_WAITING="1")
    ChatModel.objects.filter(slug="fake").update(tools=["send_mail"])
    tab, client = open_tab(owner, web), client_of(owner, web.url)
    first = submit(tab, MAIL)
    first_asked = wait_for_question(tab)
    second = submit(tab, MAIL)
    second_asked = wait_for_question(tab)
    third = tab.submit(json.dumps({"tokens": 3}))
    decide(client, second_asked, "approve")
    tab.wait_for_end(second["generation"])
    assert tab.wait_for_end(third["generation"])["status"] == "completed"
    before, after = row(second), row(third)
    assert before.finished_at is not None
    assert after.started_at is not None
    assert before.finished_at <= after.started_at
    assert not acted(first)
    decide(client, first_asked, "approve")
    assert call_in(tab.wait_for_end(first["generation"]))["extras"]["result"] == "sent to ada"
