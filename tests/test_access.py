"""A user reaches only what is theirs, and what is another's looks like what does not exist."""

import json
import uuid
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import Settings
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts.models import User
from conversations.models import Generation, Message
from conversations.submit import Submitted
from tests.client import Tab, text_of
from tests.conftest import OpenTab, session_cookie
from tests.provider import expected_text
from tests.rows import answered, asked, kept, wait_until_all_have_ended
from tests.stack import Web

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("worker")]
STREAM = {"tokens": 60, "rate": 60}
NO_SESSION = 4501
AT_ONCE_SECONDS = 2


# --- Ids of others -------------------------------------------------------------------------------
def commands_of(own: dict[str, str]) -> list[dict[str, Any]]:
    """Every command that takes an id, with the ids given."""
    at = {"conversation": own["conversation"], "parent": own["reply"], "text": "Hello"}
    submit = {"type": "message.submit", **at}
    positions = {own["generation"]: [1, 1]}
    return [
        {**submit, "client_message_id": str(uuid.uuid4())},
        {**submit, "client_message_id": own["client_message_id"]},
        {**submit, "client_message_id": str(uuid.uuid4()), "parent": None},
        {**submit, "client_message_id": str(uuid.uuid4()), "conversation": None},
        {"type": "generation.retry", "message": own["reply"]},
        {"type": "generation.retry", "message": own["message"]},
        {"type": "generation.cancel", "generation": own["generation"]},
        {"type": "resume", "conversation": own["conversation"]},
        {"type": "resume", "conversation": own["conversation"], "positions": positions},
    ]


def ids_of(made: Submitted) -> dict[str, str]:
    return {
        "conversation": str(made.conversation.pk),
        "message": str(made.message.pk),
        "reply": str(made.reply.pk),
        "generation": str(made.generation.pk),
        "client_message_id": str(made.message.client_message_id),
    }


def without_ids(error: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    text = json.dumps(error)
    for name, value in ids.items():
        text = text.replace(value, name)
    plain: dict[str, Any] = json.loads(text)
    return {**plain, "id": "any"}


@pytest.mark.parametrize("make", [answered, asked])
def test_another_users_ids_are_answered_like_ids_that_do_not_exist(
    owner: User, stranger: User, web: Web, open_tab: OpenTab, make: Any
) -> None:
    ids = ids_of(make(owner))
    missing = {name: str(uuid.uuid4()) for name in ids}
    tab = open_tab(stranger, web)
    before = kept()

    for theirs, nobodys in zip(commands_of(ids), commands_of(missing), strict=True):
        refused, unknown = tab.ask(**as_call(theirs)), tab.ask(**as_call(nobodys))
        assert (refused["type"], refused["code"]) == ("error", "not_found"), theirs
        assert without_ids(refused, ids) == without_ids(unknown, missing)

    assert kept() == before
    assert {event["type"] for event in tab.events} == {"error"}
    wait_until_all_have_ended()


def as_call(command: dict[str, Any]) -> dict[str, Any]:
    return {"kind" if name == "type" else name: value for name, value in command.items()}


def test_leaving_and_confirming_what_is_anothers_does_nothing(
    owner: User, stranger: User, web: Web, open_tab: OpenTab
) -> None:
    mine, theirs = open_tab(owner, web), open_tab(stranger, web)
    ack = mine.submit(json.dumps(STREAM))
    left = theirs.ask("leave", conversation=ack["conversation"])
    assert left == {"type": "ack", "id": left["id"], "conversation": ack["conversation"]}
    theirs.send("received", generation=ack["generation"], attempt=1, seq=1_000_000)

    state = mine.wait_for_end(ack["generation"])
    assert text_of(state["content"]) == expected_text(STREAM)
    assert theirs.ask("ping")["type"] == "pong"
    assert [event["type"] for event in theirs.events] == ["ack", "pong"]


def test_a_stranger_gets_none_of_the_owners_events(
    owner: User, stranger: User, web: Web, open_tab: OpenTab
) -> None:
    mine, theirs = open_tab(owner, web), open_tab(stranger, web)
    ack = mine.submit(json.dumps(STREAM))
    mine.wait_for_text(ack["generation"], 10)
    own = {**ack, "client_message_id": str(uuid.uuid4())}
    for command in commands_of(own):
        assert theirs.ask(**as_call(command))["code"] == "not_found"

    state = mine.wait_for_end(ack["generation"])
    assert theirs.ask("ping")["type"] == "pong"

    assert (state["status"], text_of(state["content"])) == ("completed", expected_text(STREAM))
    kinds = [event["type"] for event in theirs.events]
    assert kinds == ["error"] * len(commands_of(own)) + ["pong"]
    assert theirs.states == {}
    assert "w1 " not in json.dumps(theirs.events)


def test_positions_of_anothers_generation_in_ones_own_resume_leak_nothing(
    owner: User, stranger: User, web: Web, open_tab: OpenTab
) -> None:
    mine, theirs = open_tab(owner, web), open_tab(stranger, web)
    ack = mine.submit(json.dumps(STREAM))
    mine.wait_for_text(ack["generation"], 10)
    own = answered(stranger, answer="My own")
    positions = {ack["generation"]: [0, 0], str(own.generation.pk): [0, 0]}

    resumed = theirs.ask("resume", conversation=str(own.conversation.pk), positions=positions)
    mine.wait_for_end(ack["generation"])
    theirs.wait_for_end(str(own.generation.pk))
    assert theirs.ask("ping")["type"] == "pong"

    assert resumed["active"] == []
    assert [event["type"] for event in theirs.events] == ["ack", "snapshot", "pong"]
    assert list(theirs.states) == [str(own.generation.pk)]
    assert theirs.text(str(own.generation.pk)) == "My own"


def test_a_generation_of_ones_other_conversation_is_not_resumed_with_this_one(
    owner: User, web: Web, open_tab: OpenTab
) -> None:
    one, other = answered(owner), answered(owner)
    tab = open_tab(owner, web)
    positions = {str(other.generation.pk): [0, 0]}
    tab.ask("resume", conversation=str(one.conversation.pk), positions=positions)
    assert tab.ask("ping")["type"] == "pong"
    assert [event["type"] for event in tab.events] == ["ack", "pong"]


def test_ids_are_the_same_however_they_are_written(
    owner: User, stranger: User, web: Web, open_tab: OpenTab
) -> None:
    own = answered(owner).conversation.pk
    mine, theirs = open_tab(owner, web), open_tab(stranger, web)
    for written in (str(own).upper(), own.hex):
        assert mine.ask("resume", conversation=written)["conversation"] == str(own)
        assert theirs.ask("resume", conversation=written)["code"] == "not_found"


# --- Pages ---------------------------------------------------------------------------------------
@pytest.fixture(autouse=True)
def _plain_static_files(settings: Settings) -> None:
    """Pages without a `collectstatic` before."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_page_is_its_owners_alone(owner: User, stranger: User) -> None:
    own = answered(owner, text="My secret question", answer="My secret answer")
    page = f"/c/{own.conversation.pk}/"

    shown = logged_in(owner).get(page)
    assert shown.status_code == 200
    assert "My secret answer" in shown.content.decode()

    client = logged_in(stranger)
    refused, unknown = client.get(page), client.get(f"/c/{uuid.uuid4()}/")
    assert (refused.status_code, unknown.status_code) == (404, 404)
    assert "secret" not in refused.content.decode()
    assert len(refused.content) == len(unknown.content)
    assert "secret" not in client.get("/").content.decode()


def test_without_a_session_a_page_leads_to_the_log_in(owner: User) -> None:
    own = answered(owner)
    for page in (f"/c/{own.conversation.pk}/", f"/c/{uuid.uuid4()}/", "/"):
        answer = Client().get(page)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/accounts/login/")


# --- Sessions ------------------------------------------------------------------------------------
@pytest.mark.parametrize("cookie", ["", "nonsense", "x" * 32, "%00", "é"])
def test_without_a_session_the_socket_is_closed(web: Web, cookie: str) -> None:
    with Tab(web.url, cookie) as tab:
        assert tab.wait_for_close() == NO_SESSION
        assert tab.events == []


def test_what_is_sent_without_a_session_is_not_obeyed(web: Web) -> None:
    before = kept()
    with Tab(web.url, "") as tab:
        # The server may have been quicker.
        with suppress(ConnectionClosed):
            tab.send("message.submit", client_message_id=str(uuid.uuid4()), text="Hello")
        assert tab.wait_for_close() == NO_SESSION
        assert tab.events == []
    assert kept() == before


def test_a_session_that_has_run_out_is_none(owner: User, web: Web) -> None:
    cookie = session_cookie(owner)
    Session.objects.update(expire_date="2001-01-01T00:00:00Z")
    with Tab(web.url, cookie) as tab:
        assert tab.wait_for_close() == NO_SESSION


@pytest.fixture
def browser(owner: User) -> Client:
    return logged_in(owner)


def tab_of(browser: Client, web: Web) -> Tab:
    tab = Tab(web.url, browser.cookies["sessionid"].value)
    assert tab.ask("ping")["type"] == "pong"
    return tab


def test_logging_out_closes_this_sessions_sockets_and_no_others(
    owner: User, stranger: User, web: Web, browser: Client, open_tab: OpenTab
) -> None:
    others = [open_tab(owner, web), open_tab(stranger, web)]
    # Many times: the session must be gone before the sockets are asked about it.
    for _ in range(10):
        browser.force_login(owner)
        with tab_of(browser, web) as first, tab_of(browser, web) as second:
            browser.post("/accounts/logout/")
            assert first.wait_for_close(AT_ONCE_SECONDS) == NO_SESSION
            assert second.wait_for_close(AT_ONCE_SECONDS) == NO_SESSION
    for other in others:
        assert other.ask("ping")["type"] == "pong"


def test_a_deactivation_closes_all_of_the_users_sockets(
    owner: User, stranger: User, web: Web, open_tab: OpenTab
) -> None:
    tabs, other = [open_tab(owner, web), open_tab(owner, web)], open_tab(stranger, web)
    for tab in (*tabs, other):
        tab.ask("ping")
    owner.is_active = False
    owner.save(update_fields=["is_active"])
    for tab in tabs:
        assert tab.wait_for_close(AT_ONCE_SECONDS) == NO_SESSION
    assert other.ask("ping")["type"] == "pong"


def test_a_new_password_closes_all_of_the_users_sockets(
    owner: User, stranger: User, web: Web, open_tab: OpenTab
) -> None:
    tab, other = open_tab(owner, web), open_tab(stranger, web)
    tab.ask("ping"), other.ask("ping")
    owner.set_password("another battery staple")
    owner.save(update_fields=["password"])
    assert tab.wait_for_close(AT_ONCE_SECONDS) == NO_SESSION
    assert other.ask("ping")["type"] == "pong"
    with Tab(web.url, tab.cookie) as again:
        assert again.wait_for_close() == NO_SESSION


def test_deleting_a_user_closes_all_of_their_sockets(
    owner: User, web: Web, open_tab: OpenTab
) -> None:
    tab = open_tab(owner, web)
    tab.ask("ping")
    owner.delete()
    assert tab.wait_for_close(AT_ONCE_SECONDS) == NO_SESSION


def test_a_change_of_name_closes_nothing(owner: User, web: Web, open_tab: OpenTab) -> None:
    tab = open_tab(owner, web)
    tab.ask("ping")
    owner.first_name = "Ada"
    owner.save(update_fields=["first_name"])
    ack = tab.submit(json.dumps(STREAM))
    assert tab.wait_for_end(ack["generation"])["status"] == "completed"


def test_what_was_running_at_the_log_out_is_kept(
    owner: User, web: Web, browser: Client, open_tab: OpenTab
) -> None:
    with tab_of(browser, web) as tab:
        ack = tab.submit(json.dumps(STREAM))
        tab.wait_for_text(ack["generation"], 10)
        browser.post("/accounts/logout/")
        assert tab.wait_for_close(AT_ONCE_SECONDS) == NO_SESSION
        shown = len(tab.of(ack["generation"]))
    wait_until_all_have_ended()
    assert Generation.objects.get().seq > shown
    assert Message.objects.get(pk=ack["reply"]).text == expected_text(STREAM)


# --- Other sites ---------------------------------------------------------------------------------
def test_a_page_of_this_site_may_open_a_socket(owner: User, web: Web, open_tab: OpenTab) -> None:
    assert open_tab(owner, web, origin=web.url).ask("ping")["type"] == "pong"


def test_a_page_of_another_site_may_not(owner: User, web: Web) -> None:
    cookie = session_cookie(owner)
    for origin in ("http://evil.example", f"http://127.0.0.1:{web.port + 1}", "null", "file://"):
        with pytest.raises(InvalidStatus) as refused:
            Tab(web.url, cookie, origin=origin)
        assert refused.value.response.status_code == 403
