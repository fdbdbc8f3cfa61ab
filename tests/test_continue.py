"""An answer that was cut goes on where it stopped: from its length limit, a stop, a failure or the
death of its worker. The text is exact, whatever dies meanwhile."""

import signal
from typing import Any

import pytest

from accounts.models import User
from conversations.models import Generation, Message
from llm import places
from llm.going_on import GO_ON
from llm.models import ChatModel
from llm.models import Provider as ProviderRow
from tests.client import Tab, text_of
from tests.conftest import OpenTab
from tests.provider import Provider, expected_text
from tests.rows import answered, asked
from tests.stack import Process, Stack, Web

pytestmark = pytest.mark.database
CUT = {"text": "The quick brown fox ju", "finish_reason": "length"}
REST = {"text": "mps over the lazy dog."}
WHOLE = "The quick brown fox jumps over the lazy dog."
SLOW = {"tokens": 150, "rate": 50}
MORE = {"text": " ".join(f"more{number}" for number in range(100)), "rate": 50}


def cut_answer(tab: Tab, provider: Provider) -> dict[str, Any]:
    provider.script(CUT)
    ack = tab.submit("Go on")
    state = tab.wait_for_end(ack["generation"])
    assert (state["status"], state["finish_reason"]) == ("completed", "length")
    return ack


def go_on(tab: Tab, reply: str) -> dict[str, Any]:
    ack = tab.ask("generation.retry", message=reply, **{"continue": True})
    assert ack["type"] == "ack", ack
    return ack


def assert_whole(tab: Tab, ack: dict[str, Any], text: str = WHOLE) -> None:
    state = tab.wait_for_end(ack["generation"], 60)
    assert state["status"] == "completed", state["error"]
    assert text_of(state["content"]) == text
    stored = Message.objects.get(pk=ack["reply"])
    assert stored.content == state["content"]
    assert len(stored.content) == 1
    assert tab.gaps == 0


def test_a_cut_answer_goes_on_in_a_sibling(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    tab, other = open_tab(owner, web), open_tab(owner, web)
    first = cut_answer(tab, provider)
    provider.script(REST)

    ack = go_on(tab, first["reply"])

    assert_whole(tab, ack)
    begun = tab.of(ack["generation"])[0]
    assert (begun["type"], begun["attempt"], begun["seq"]) == ("snapshot", 1, 1)
    assert text_of(begun["content"]) == CUT["text"]
    created = other.wait_for(lambda e: e.get("message", {}).get("id") == ack["reply"])
    assert text_of(created["message"]["content"]) == CUT["text"]
    old, new = Message.objects.get(pk=first["reply"]), Message.objects.get(pk=ack["reply"])
    assert (old.text, old.parent_id) == (CUT["text"], new.parent_id)
    said = provider.wait_for(2).body["messages"]
    assert [one["role"] for one in said] == ["user", "assistant", "user"]
    assert [one["content"] for one in said[1:]] == [CUT["text"], GO_ON]


def test_words_that_the_model_repeats_are_left_out(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    tab = open_tab(owner, web)
    first = cut_answer(tab, provider)
    provider.script({"text": "quick brown fox jumps over the lazy dog.", "reasoning": 5})

    assert_whole(tab, go_on(tab, first["reply"]))


def test_a_wait_for_the_model_does_not_bring_its_repetition_back(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    tab = open_tab(owner, web)
    first = cut_answer(tab, provider)
    row = ChatModel.objects.get(slug="fake").provider
    ProviderRow.objects.filter(pk=row.pk).update(max_concurrency=1)
    places.take(row.pk, 1, "somebody else")
    provider.script({"text": "quick brown fox jumps over the lazy dog."})

    ack = go_on(tab, first["reply"])
    tab.wait_for(lambda event: event["type"] == "progress")
    places.give_back(row.pk, 1, "somebody else")
    assert_whole(tab, ack)


def test_a_stopped_answer_goes_on_and_can_be_stopped_again(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    tab = open_tab(owner, web)
    provider.script(SLOW, MORE, {"text": " END"})
    ack = tab.submit("Count")
    tab.wait_for_text(ack["generation"], 30)
    tab.ask("generation.cancel", generation=ack["generation"])
    before = text_of(tab.wait_for_end(ack["generation"])["content"])

    second = go_on(tab, ack["reply"])
    tab.wait_for_text(second["generation"], len(before) + 20)
    tab.ask("generation.cancel", generation=second["generation"])

    state = tab.wait_for_end(second["generation"])
    assert state["status"] == "cancelled"
    assert (before + expected_text(MORE)).startswith(text_of(state["content"]))
    assert len(text_of(state["content"])) > len(before)
    assert_whole(tab, go_on(tab, second["reply"]), text_of(state["content"]) + " END")


def test_an_answer_whose_line_broke_goes_on(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    tab = open_tab(owner, web)
    provider.script({"text": WHOLE, "cut_after": 4}, {"text": "jumps over the lazy dog."})
    ack = tab.submit("Go on")
    assert tab.wait_for_end(ack["generation"])["status"] == "failed"

    assert_whole(tab, go_on(tab, ack["reply"]))


def test_after_the_result_of_a_tool_the_model_goes_on_by_itself(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    ChatModel.objects.filter(slug="fake").update(tools=["current_time"])
    made = answered(owner, "What time is it?")
    call = {"type": "tool_call", "id": "t1", "name": "current_time", "args": {}}
    content = [{**call, "extras": {"result": "noon"}}, {"type": "reasoning", "reasoning": "Hm"}]
    Message.objects.filter(pk=made.reply.pk).update(content=content)
    tab = open_tab(owner, web)
    tab.resume(str(made.conversation.pk))
    provider.script({"text": "It is noon."})

    ack = go_on(tab, str(made.reply.pk))

    state = tab.wait_for_end(ack["generation"])
    assert state["content"] == [content[0], {"type": "text", "text": "It is noon."}]
    assert provider.wait_for(1).body["messages"][-1]["role"] == "tool"


def test_a_worker_killed_while_it_goes_on_loses_and_doubles_nothing(
    owner: User, stack: Stack, open_tab: OpenTab, provider: Provider
) -> None:
    web, first = stack.web(), stack.worker()
    tab = open_tab(owner, web)
    begun = cut_answer(tab, provider)
    provider.script(SLOW, SLOW)
    ack = go_on(tab, begun["reply"])
    tab.wait_for_text(ack["generation"], 80)

    first.kill()
    stack.worker()

    again = tab.wait_for(lambda e: e.get("attempt") == 2 and e["type"] == "snapshot", 20)
    assert (again["seq"], text_of(again["content"])) == (1, CUT["text"])
    assert_whole(tab, ack, CUT["text"] + expected_text(SLOW))


def test_a_drained_worker_hands_it_over_with_its_beginning(
    owner: User, stack: Stack, open_tab: OpenTab, provider: Provider
) -> None:
    web, first = stack.web(), stack.worker(DRAIN_SECONDS="30")
    tab = open_tab(owner, web)
    begun = cut_answer(tab, provider)
    provider.script(SLOW, REST)
    ack = go_on(tab, begun["reply"])
    tab.wait_for_text(ack["generation"], 60)

    first.signal(signal.SIGQUIT)
    assert first.wait(20) == 0
    stack.worker()

    assert_whole(tab, ack)
    assert Generation.objects.get(pk=ack["generation"]).losses == 0


def test_a_tab_that_was_away_resumes_it(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    tab, away = open_tab(owner, web), open_tab(owner, web)
    begun = cut_answer(tab, provider)
    provider.script(SLOW)
    ack = go_on(tab, begun["reply"])
    away.resume(ack_conversation(ack))
    away.wait_for_text(ack["generation"], 40)
    away.close()
    tab.wait_for_text(ack["generation"], 200)

    away.open()
    away.resume(ack_conversation(ack))

    for each in (tab, away):
        assert_whole(each, ack, CUT["text"] + expected_text(SLOW))


def test_stopped_in_the_queue_it_keeps_its_beginning(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    made = answered(owner, answer="So far")
    tab = open_tab(owner, stack.web())
    ack = go_on(tab, str(made.reply.pk))

    tab.ask("generation.cancel", generation=ack["generation"])

    state = tab.wait_for_end(ack["generation"])
    assert (state["status"], text_of(state["content"])) == ("cancelled", "So far")
    assert Message.objects.get(pk=ack["reply"]).text == "So far"


def test_a_continued_answer_can_be_tried_again_from_its_first_word(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    tab = open_tab(owner, web)
    begun = cut_answer(tab, provider)
    provider.script(REST, {"text": "Anew."})
    ack = go_on(tab, begun["reply"])
    tab.wait_for_end(ack["generation"])

    again = tab.ask("generation.retry", message=ack["reply"])

    assert_whole(tab, again, "Anew.")


def test_sent_twice_it_is_one(owner: User, stack: Stack, open_tab: OpenTab) -> None:
    made = answered(owner)
    tab = open_tab(owner, stack.web())

    first, second = (go_on(tab, str(made.reply.pk)) for _ in range(2))

    assert first["generation"] == second["generation"]
    refused = tab.ask("generation.retry", message=str(made.reply.pk))
    assert (refused["type"], refused["code"]) == ("error", "busy")


def test_nothing_cannot_be_continued(
    owner: User, stranger: User, web: Web, open_tab: OpenTab
) -> None:
    tab = open_tab(owner, web)
    empty = answered(owner, answer="")
    Message.objects.filter(pk=empty.reply.pk).update(
        content=[{"type": "reasoning", "reasoning": "Hm"}]
    )
    command = {"message": str(empty.reply.pk), "continue": True}

    refused = tab.ask("generation.retry", **command)
    foreign = open_tab(stranger, web).ask("generation.retry", **command)

    assert (refused["code"], refused["message"]) == (
        "conflict",
        "There is nothing to continue. Try again instead.",
    )
    assert foreign["code"] == "not_found"
    assert Generation.objects.count() == 1


def test_the_reason_of_its_end_is_kept(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    ack = cut_answer(open_tab(owner, web), provider)
    late = open_tab(owner, web)

    late.send(
        "resume",
        id="late",
        conversation=ack["conversation"],
        positions={ack["generation"]: [0, 0]},
    )

    assert late.wait_for_end(ack["generation"])["finish_reason"] == "length"
    assert Generation.objects.get(pk=ack["generation"]).finish_reason == "length"


def ack_conversation(ack: dict[str, Any]) -> str:
    return str(Generation.objects.get(pk=ack["generation"]).conversation_id)


def test_its_own_answer_is_not_followed_while_it_runs(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    made = answered(owner)
    tab = open_tab(owner, stack.web())
    ack = go_on(tab, str(made.reply.pk))

    assert asked(owner, "Another").created
    refused = tab.ask(
        "message.submit",
        client_message_id="0b5c1f0e-6f0c-4a53-9a5e-2f1b7a0c9d11",
        conversation=str(made.conversation.pk),
        parent=ack["reply"],
        text="Next",
    )
    assert refused["code"] == "busy"


# --- With the answer as the last message ---------------------------------------------------------
POEM = {"text": "Row, row, row your boat, row,", "finish_reason": "length"}
REFRAIN = {"text": " row, row your boat, row, gently down the stream."}


def prefill(way: str, **changes: Any) -> None:
    ChatModel.objects.filter(slug="fake").update(prefill=way, **changes)


@pytest.mark.parametrize(
    ("way", "marks", "sent"),
    [
        ("last", {}, {}),
        ("vllm", {}, {"continue_final_message": True, "add_generation_prompt": False}),
        ("prefix", {"prefix": True}, {}),
    ],
)
def test_a_model_that_can_goes_on_from_the_text_itself(
    owner: User,
    web: Web,
    worker: Process,
    open_tab: OpenTab,
    provider: Provider,
    way: str,
    marks: dict[str, Any],
    sent: dict[str, Any],
) -> None:
    prefill(way)
    tab = open_tab(owner, web)
    provider.script(POEM, REFRAIN)
    first = tab.submit("Sing")
    tab.wait_for_end(first["generation"])

    # What looks like a repetition is the text.
    assert_whole(tab, go_on(tab, first["reply"]), POEM["text"] + REFRAIN["text"])
    body = provider.wait_for(2).body
    assert body["messages"][-1] == {"role": "assistant", "content": POEM["text"], **marks}
    names = ("continue_final_message", "add_generation_prompt")
    assert {name: body[name] for name in names if name in body} == sent
    assert "continue_final_message" not in provider.wait_for(1).body


@pytest.mark.parametrize(
    ("text", "tools"), [("The end of a line.\n", []), ("The quick brown fox ju", ["current_time"])]
)
def test_it_is_asked_in_words_where_that_is_safer(
    owner: User,
    web: Web,
    worker: Process,
    open_tab: OpenTab,
    provider: Provider,
    text: str,
    tools: list[str],
) -> None:
    prefill("last", tools=tools)
    tab = open_tab(owner, web)
    provider.script({"text": text, "finish_reason": "length"}, {"text": "mps over"})
    first = tab.submit("Go on")
    tab.wait_for_end(first["generation"])

    tab.wait_for_end(go_on(tab, first["reply"])["generation"])
    assert provider.wait_for(2).body["messages"][-1]["content"] == GO_ON


def test_claude_gets_the_answer_as_the_last_message(
    owner: User, web: Web, worker: Process, open_tab: OpenTab, provider: Provider
) -> None:
    row = ProviderRow.objects.create(
        name="Claude's", kind="anthropic", base_url=provider.url.removesuffix("/v1")
    )
    ChatModel.objects.filter(slug="fake").update(provider=row, prefill="last")
    tab = open_tab(owner, web)
    first = cut_answer(tab, provider)
    provider.script(REST)
    assert_whole(tab, go_on(tab, first["reply"]))
    last = provider.wait_for(2).body["messages"][-1]
    assert (last["role"], CUT["text"] in str(last["content"])) == ("assistant", True)
