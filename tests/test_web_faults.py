"""Web nodes that are killed and deployed, readers that are slow, lines that drop and double."""

import json
import time
import uuid
from typing import Any

from redis import Redis

from accounts.models import User
from conversations.models import Generation, Message
from streaming.delivery import channel_of, conversation_group
from tests.client import Tab, text_of
from tests.conftest import OpenTab, session_cookie
from tests.provider import expected_text
from tests.stack import Stack, Web

LONG = {"tokens": 150, "rate": 50}


def assert_exact(tab: Tab, ack: dict[str, str], directive: dict[str, Any]) -> None:
    state = tab.wait_for_end(ack["generation"], 60)
    assert text_of(state["content"]) == expected_text(directive)
    assert Message.objects.get(pk=ack["reply"]).content == state["content"]


def test_a_killed_web_node_costs_nothing(owner: User, stack: Stack, open_tab: OpenTab) -> None:
    first, second = stack.web(), stack.web()
    stack.worker()
    tab = open_tab(owner, first)
    ack = tab.submit(json.dumps(LONG))
    tab.wait_for_text(ack["generation"], 60)

    first.kill()

    assert tab.wait_for_close() == 1006
    tab.url = second.url.replace("http", "ws") + "/ws/chat/"
    tab.open()
    began = time.monotonic()
    tab.resume(ack["conversation"])
    tab.receive()
    assert time.monotonic() - began < 2
    assert_exact(tab, ack, LONG)
    assert tab.gaps == 0
    assert Generation.objects.get(pk=ack["generation"]).attempt == 1


def test_a_deployed_web_node_tells_its_sockets_to_come_back(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    first, second = stack.web(), stack.web()
    stack.worker()
    tab = open_tab(owner, first)
    ack = tab.submit(json.dumps(LONG))
    tab.wait_for_text(ack["generation"], 60)

    assert first.stop(20) == 0

    assert tab.wait_for_close() == 1012
    tab.url = second.url.replace("http", "ws") + "/ws/chat/"
    tab.open()
    tab.resume(ack["conversation"])
    assert_exact(tab, ack, LONG)


def test_the_line_drops_again_and_again(owner: User, web: Web, worker: object) -> None:
    """1–2 arrive, the line drops, 3–5 happen, resume, 3–5 in order, 6 live; forty times over."""
    directive = {"tokens": 200, "rate": 50}
    tab = Tab(web.url, session_cookie(owner))
    ack = tab.submit(json.dumps(directive))
    drops = 0
    while not ended(tab, ack) and drops < 40:
        for _ in range(3):
            if not ended(tab, ack):
                tab.receive()
        tab.close()
        tab.open()
        tab.resume(ack["conversation"])
        drops += 1
    assert_exact(tab, ack, directive)
    tab.close()
    assert drops > 10
    # A tab that came before the worker began was told so, at position (0, 0).
    seqs = [event["seq"] for event in tab.of(ack["generation"]) if event["attempt"]]
    assert tab.gaps == 0
    # A tab that drops before it has seen anything comes back to a snapshot.
    assert sorted(set(seqs)) == list(range(min(seqs), max(seqs) + 1))


def ended(tab: Tab, ack: dict[str, str]) -> bool:
    return tab.states.get(ack["generation"], {}).get("status") == "completed"


def test_events_that_are_dropped_or_doubled_on_the_way_do_no_harm(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """Beside what the worker publishes, old events come again and false ones from the future."""
    web, _ = stack.web(), stack.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps(LONG))
    tab.wait_for_text(ack["generation"], 30)
    seen = [event for event in tab.of(ack["generation"]) if event["type"] == "text.delta"]
    channel = channel_of(conversation_group(ack["conversation"])).replace(
        "chatsite", stack.env["REDIS_PREFIX"], 1
    )
    with Redis.from_url(stack.redis_url) as redis:
        for event in seen * 3:
            assert redis.publish(channel, json.dumps(event)) == 1
        # One that is far ahead: everything between seems to have been dropped.
        ahead = {**seen[-1], "seq": 10_000, "text": "from the future"}
        redis.publish(channel, json.dumps(ahead))

    assert_exact(tab, ack, LONG)
    assert tab.gaps == 0
    assert "from the future" not in tab.text(ack["generation"])


def test_an_event_that_nothing_follows_is_found_by_the_position_check(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """The last event of all is lost: no later one shows the gap."""
    web, _ = stack.web(), stack.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tokens": 5, "rate": 100, "delay": 1}))
    tab.wait_for_type("generation.started")
    with Redis.from_url(stack.redis_url) as redis:
        # The node's only subscription breaks off and comes back about a second later.
        for client in redis.client_list():
            if "subscribe" in client["cmd"]:
                redis.client_kill_filter(_id=client["id"])

    assert_exact(tab, ack, {"tokens": 5})


def test_a_reader_that_confirms_nothing_is_paused_and_then_sent_away(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    web, _ = stack.web(MAX_PAUSE_SECONDS="3"), stack.worker()
    tab = open_tab(owner, web)
    tab.confirms = False
    big = {"tokens": 60_000, "rate": 0}
    ack = tab.submit(json.dumps(big))

    assert tab.wait_for_close(60) == 4008

    size = sum(len(json.dumps(event)) for event in tab.of(ack["generation"]))
    assert 200_000 < size < 700_000
    tab.confirms = True
    tab.open()
    tab.resume(ack["conversation"])
    assert_exact(tab, ack, big)


def test_a_slow_reader_does_not_slow_the_others(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    web, _ = stack.web(), stack.worker()
    slow, quick = open_tab(owner, web), open_tab(owner, web)
    slow.confirms = False
    big = {"tokens": 60_000, "rate": 0}
    ack = slow.submit(json.dumps(big))
    quick.resume(ack["conversation"])

    assert_exact(quick, ack, big)


def test_a_submit_whose_ack_was_lost_is_sent_again(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    first, second = stack.web(), stack.web()
    stack.worker()
    same = str(uuid.uuid4())
    tab, other = open_tab(owner, first), open_tab(owner, second)
    other.ask("ping")
    tab.send("message.submit", client_message_id=same, text=json.dumps(LONG))
    other.wait_for_type("message.created")
    first.kill()

    ack = other.submit(json.dumps(LONG), client_message_id=same)

    assert_exact(other, ack, LONG)
    assert Message.objects.filter(role="user").count() == 1
    assert Generation.objects.count() == 1


def test_a_reader_that_confirms_what_it_was_not_sent_is_not_believed(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    web, _ = stack.web(MAX_PAUSE_SECONDS="3"), stack.worker()
    tab = open_tab(owner, web)
    tab.confirms = False
    ack = tab.submit(json.dumps({"tokens": 60_000, "rate": 0}))
    tab.wait_for_type("text.delta")

    tab.send("received", generation=ack["generation"], attempt=1, seq=1_000_000)

    assert tab.wait_for_close(60) == 4008


def test_a_reader_that_asks_again_and_again_and_reads_nothing_is_sent_away(
    owner: User, stack: Stack, open_tab: OpenTab
) -> None:
    """An answer that has ended counts as well, however often it is asked for."""
    web, _ = stack.web(MAX_PAUSE_SECONDS="3"), stack.worker()
    tab = open_tab(owner, web)
    ack = tab.submit(json.dumps({"tokens": 30_000, "rate": 0}))
    tab.wait_for_end(ack["generation"], 60)
    tab.confirms = False
    for _ in range(12):
        tab.ask("resume", conversation=ack["conversation"], positions={ack["generation"]: [0, 0]})

    assert tab.wait_for_close(30) == 4008
    assert sum(event["type"] == "snapshot" for event in tab.events) <= 3
