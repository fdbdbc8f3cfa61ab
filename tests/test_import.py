"""Files of conversations on their way in: ours, ChatGPT's, and what somebody took for one."""

import io
import json
import uuid
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import User
from api.tasks import pick_up_imports
from conversations.models import Conversation, Generation, Import, Message
from conversations.transfer import importing
from conversations.transfer.export import as_json, portable
from conversations.transfer.shapes import PortableConversation, PortableMessage
from conversations.transfer.storing import store
from tests.chatgpt_file import NOON, chat, node, text, with_other_id
from tests.rows import answered

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path, no_worker: None) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def bring(user: User, content: bytes, name: str = "conversations.json") -> dict[str, Any]:
    """Upload it, and read it as the worker does."""
    client = signed_in(user)
    answer = client.post("/api/v1/imports", {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 202, answer.content
    key = answer.json()["id"]
    importing.run(uuid.UUID(key), lambda conversation: None)
    state: dict[str, Any] = client.get(f"/api/v1/imports/{key}").json()
    return state


def counts(state: dict[str, Any]) -> dict[str, int]:
    names = ("total", "done", "created", "extended", "unchanged", "refused")
    return {name: state[name] for name in names if state[name]}


def chats(*found: Any) -> bytes:
    return json.dumps(list(found)).encode()


def zipped(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/") + ".json", content)
    return target.getvalue()


def damaged(archive: bytes) -> bytes:
    """In the middle of what is packed."""
    broken = bytearray(archive)
    broken[60:200] = bytes(140)
    return bytes(broken)


def ours(*found: PortableConversation) -> bytes:
    return b"".join(as_json(found))


def small(key: str = "1", **changes: Any) -> PortableConversation:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    question = PortableMessage("q", None, "user", [{"type": "text", "text": "Why?"}], at)
    fields: dict[str, Any] = {"title": "Small", "messages": [question], **changes}
    return PortableConversation(id=key, created_at=at, updated_at=at, **fields)


# --- ChatGPT's file ------------------------------------------------------------------------------
def test_a_chat_comes_with_its_tree_its_times_and_its_title(owner: User) -> None:
    state = bring(owner, chats(chat()))

    assert (state["status"], counts(state)) == ("completed", {"total": 1, "done": 1, "created": 1})
    made = Conversation.objects.get(owner=owner)
    assert (made.title, made.archived, made.pinned) == ("Powers of two", True, False)
    assert made.updated_at == datetime.fromtimestamp(NOON + 30, UTC)
    tree = {row.text: row.parent and row.parent.text for row in made.messages.all()}
    assert tree == {
        "Two to the ten?": None,
        "1,024.": "Two to the ten?",
        "[Image]\n\nWhat is this power?": None,
        "It is 1,024.": "[Image]\n\nWhat is this power?",
        "2¹⁰ = 1,024": "[Image]\n\nWhat is this power?",
        "Thanks": "It is 1,024.",
    }
    first = made.messages.earliest("created_at")
    assert first.created_at == datetime.fromtimestamp(NOON, UTC)


def test_a_turn_with_tools_is_one_answer(owner: User) -> None:
    bring(owner, chats(chat()))

    answer = next(row for row in Message.objects.all() if row.text == "It is 1,024.")
    assert answer.content == [
        {"type": "reasoning", "reasoning": "Doubling\n\nTen times two."},
        {
            "type": "tool_call",
            "id": "call_1",
            "name": "python",
            "args": {"input": "print(2 ** 10)"},
            "extras": {"result": "1024"},
        },
        {"type": "text", "text": "It is 1,024."},
    ]
    assert answer.generation.model_slug == "gpt-4o"
    assert answer.generation.status == Generation.Status.COMPLETED


def test_what_was_hidden_stays_out(owner: User) -> None:
    bring(owner, chats(chat()))
    assert "secret" not in json.dumps(list(Message.objects.values_list("content", flat=True)))


def test_an_imported_chat_goes_on_like_any_other(owner: User) -> None:
    bring(owner, chats(chat()))
    last = next(row for row in Message.objects.all() if row.text == "1,024.")

    more = answered(owner, "And eleven?", conversation=last.conversation_id, parent=last.pk)

    assert more.message.parent == last


@pytest.mark.parametrize("member", ["conversations", "export__conversations", "conversations-000"])
def test_it_may_come_in_its_zip(owner: User, member: str) -> None:
    state = bring(owner, zipped(**{member: chats(chat()), "user": b"{}"}), "export.zip")
    assert counts(state) == {"total": 1, "done": 1, "created": 1}


def test_many_files_in_a_zip_are_all_read(owner: User) -> None:
    parts = {f"conversations-{n:03}": chats(with_other_id(n)) for n in range(3)}
    assert counts(bring(owner, zipped(**parts)))["created"] == 3


def test_a_very_deep_chat_is_read(owner: User) -> None:
    mapping: dict[str, Any] = {"0": node(None, ["1"])}
    for n in range(1, 3001):
        role = "user" if n % 2 else "assistant"
        mapping[str(n)] = node(str(n - 1), [str(n + 1)], role, text(f"Turn {n}"), NOON + n)
    bring(owner, chats({**chat(), "mapping": mapping}))
    assert Message.objects.count() == 3000


def test_half_an_emoji_does_not_cost_the_file(owner: User) -> None:
    one = {**chat(), "title": "Half HERE, whole \U0001f600"}
    content = chats(one).replace(b"HERE", rb"\ud83d and \\ud83d and \udc00")

    assert bring(owner, content)["created"] == 1

    assert Conversation.objects.get().title == "Half � and \\ud83d and �, whole \U0001f600"


def test_strange_nodes_do_no_harm(owner: User) -> None:
    strange: dict[str, Any] = {
        "root": node(None, ["loop", "nowhere", "odd"]),
        "loop": node("root", ["loop", "root"], "user", text("Loop\x00"), float(10**18)),
        "odd": node("root", [], "assistant", {"content_type": "new_kind", "text": "New"}, -1.0),
        "numbers": node("gone", [], "user", {"content_type": "text", "parts": [1, None, {}]}),
    }
    state = bring(owner, chats({**chat(), "mapping": strange}))
    assert (state["created"], state["problems"]) == (1, [])
    assert sorted(row.text for row in Message.objects.all()) == ["Loop�", "New"]


# --- Twice is once -------------------------------------------------------------------------------
def test_bringing_a_file_twice_makes_everything_once(owner: User) -> None:
    content = chats(chat(), with_other_id(2))
    bring(owner, content)
    before = sorted(Message.objects.values_list("pk", flat=True))

    again = bring(owner, content)

    assert counts(again) == {"total": 2, "done": 2, "unchanged": 2}
    assert sorted(Message.objects.values_list("pk", flat=True)) == before


def test_a_newer_file_adds_what_is_new(owner: User) -> None:
    bring(owner, chats(chat()))
    newer = chat()
    newer["mapping"]["thanks"]["children"] = ["a4"]
    newer["mapping"]["a4"] = node("thanks", [], "assistant", text("You are welcome."), NOON + 40)

    state = bring(owner, chats(newer))

    assert counts(state) == {"total": 1, "done": 1, "extended": 1}
    added = next(row for row in Message.objects.all() if row.text == "You are welcome.")
    assert added.parent is not None
    assert added.parent.text == "Thanks"


def test_two_users_bring_the_same_file(owner: User, stranger: User) -> None:
    bring(owner, chats(chat()))
    assert counts(bring(stranger, chats(chat())))["created"] == 1
    assert Conversation.objects.filter(owner=stranger).count() == 1


def test_what_was_deleted_since_comes_back(owner: User) -> None:
    bring(owner, chats(chat()))
    Conversation.objects.update(deleted_at=timezone.now())

    assert bring(owner, chats(chat()))["created"] == 1

    assert Conversation.objects.get().deleted_at is None
    assert Message.objects.count() == 6


def test_what_was_exported_here_and_is_still_here_is_left_alone(owner: User) -> None:
    made = answered(owner)
    state = bring(owner, ours(portable(made.conversation)))
    assert counts(state) == {"total": 1, "done": 1, "unchanged": 1}


def test_anothers_export_never_touches_their_conversation(owner: User, stranger: User) -> None:
    made = answered(owner, "Mine", "Yours")
    before = portable(made.conversation)

    assert bring(stranger, ours(before))["created"] == 1

    assert portable(Conversation.objects.get(pk=made.conversation.pk)) == before
    assert Conversation.objects.get(owner=stranger).pk != made.conversation.pk


# --- There and back ------------------------------------------------------------------------------
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
moments = st.datetimes(datetime(2001, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
blocks = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, words),
    st.builds(lambda text: {"type": "reasoning", "reasoning": text}, words),
    st.builds(
        lambda name, value: {
            "type": "tool_call",
            "id": name,
            "name": name,
            "args": {"a": value},
            "extras": {"result": name},
        },
        words,
        st.integers(-(2**53), 2**53) | words | st.none(),
    ),
)


@st.composite
def trees(draw: st.DrawFn) -> list[PortableMessage]:
    """Every message follows an earlier one or nothing, and is later than it."""
    made: list[PortableMessage] = []
    at = draw(moments)
    for number in range(draw(st.integers(0, 8))):
        above = draw(st.sampled_from([None, *made]))
        role = "assistant" if above is not None and above.role == "user" else "user"
        model, status = ("m", "completed") if role == "assistant" else ("", "")
        made.append(
            PortableMessage(
                id=str(number),
                parent=above.id if above else None,
                role=role,  # type: ignore[arg-type]
                content=draw(st.lists(blocks, max_size=3)),
                created_at=at + timedelta(seconds=number),
                model=model,
                status=status,  # type: ignore[arg-type]
            )
        )
    return made


def comparable(one: PortableConversation) -> dict[str, Any]:
    """Without the ids, which are others for another user: a message is known by its time."""
    time_of = {message.id: message.created_at for message in one.messages}
    kept = {name: getattr(one, name) for name in one.__struct_fields__}
    messages = [
        (m.created_at, time_of.get(m.parent or ""), m.role, m.content, m.model, m.status)
        for m in sorted(one.messages, key=lambda m: m.created_at)
    ]
    return {**kept, "id": "", "messages": messages}


@examples(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    messages=trees(),
    key=st.uuids(),
    title=st.text("abc é", max_size=20),
    at=moments,
    pinned=st.booleans(),
    temperature=st.none() | st.floats(0, 2, width=16),
    tools=st.none() | st.lists(words, max_size=2),
    prompt=words,
)
def test_what_goes_out_and_comes_in_is_the_same_tree(
    owner: User,
    stranger: User,
    messages: list[PortableMessage],
    key: uuid.UUID,
    title: str,
    at: datetime,
    pinned: bool,
    temperature: float | None,
    tools: list[str] | None,
    prompt: str,
) -> None:
    first = PortableConversation(
        id=str(key),
        title=" ".join(title.split()),
        created_at=at,
        updated_at=at,
        messages=messages,
        pinned=pinned,
        folder="Folder",
        model="m",
        system_prompt=prompt,
        temperature=temperature,
        tools=tools,
    )
    _, there = store(owner, first, "chatsite")
    exported = portable(Conversation.objects.get(pk=there.pk))
    read = json.loads(b"".join(as_json([exported])))["conversations"][0]
    again = bring(stranger, json.dumps({**HEAD, "conversations": [read]}).encode())
    copy = Conversation.objects.get(owner=stranger)
    back = portable(copy)

    assert again["problems"] == []
    assert comparable(exported) == comparable(first) == comparable(back)
    Conversation.objects.all().delete()


HEAD = {"format": "chatsite", "version": 1}


# --- What is refused, and how it is said ---------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"Dear diary", "no file of conversations, or it is damaged or incomplete."),
        (b"{}", "no file of conversations"),
        (b'{"conversations": [}', "no file of conversations"),
        (b'{"conversations": []}', "neither an export of this site nor one of ChatGPT"),
        (b'{"format": "chatsite", "version": 2, "conversations": []}', "version 2"),
        (b"PK\x03\x04 not really", "no file of conversations"),
        (zipped(user=b"{}"), "no conversations.json in the ZIP"),
        (zipped(conversations=b"x" * 99)[:60], "no file of conversations"),
    ],
    # A ZIP holds the time at which it was made, and a name made of it would be another each time.
    ids=[
        "nothing",
        "no JSON",
        "an empty object",
        "half of a list",
        "of nobody",
        "of a later version",
        "half of a ZIP",
        "a ZIP of something else",
        "a ZIP that breaks off",
    ],
)
def test_a_file_that_is_none_fails_with_a_sentence(owner: User, content: bytes, says: str) -> None:
    client = signed_in(owner)
    upload = SimpleUploadedFile("a.json", content or b" ")
    key = client.post("/api/v1/imports", {"file": upload}).json()["id"]
    if not content:
        with Import.objects.get().file.open("wb") as file:
            file.write(b"")
    importing.run(uuid.UUID(key), lambda conversation: None)

    state = client.get(f"/api/v1/imports/{key}").json()

    assert state["status"] == "failed"
    assert says in state["error"]
    assert not Conversation.objects.exists()


def test_one_that_cannot_be_read_is_named_and_does_not_hold_up_the_others(owner: User) -> None:
    state = bring(owner, chats(with_other_id(1), {"mapping": 7}, {"mapping": {}}, chat()))

    assert counts(state) == {"total": 4, "done": 4, "created": 2, "refused": 2}
    assert state["status"] == "completed"
    assert state["problems"] == [
        "Conversation 2: Expected `object`, got `int` - at `$.mapping`",
        "Conversation 3: it has no id",
    ]


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({"role": "admin"}, "Invalid enum value 'admin'"),
        ({"parent": "gone"}, "there is no message 'gone'"),
        ({"parent": "q"}, "follow each other in a circle"),
        ({"content": [{"type": "text", "text": 7}]}, "expected a text, got 7"),
        ({"content": [{"type": "tool_call", "id": "1", "name": "x"}]}, "expected an object"),
        ({"created_at": "yesterday"}, "Invalid RFC3339"),
    ],
)
def test_a_broken_conversation_leaves_nothing_behind(
    owner: User, message: dict[str, Any], says: str
) -> None:
    broken = json.loads(ours(small()))
    broken["conversations"][0]["messages"][0].update(message)

    state = bring(owner, json.dumps(broken).encode())

    assert counts(state) == {"total": 1, "done": 1, "refused": 1}
    assert says in state["problems"][0]
    assert not Conversation.objects.exists()


def test_content_that_nobody_could_show_is_left_out(owner: User) -> None:
    one = small()
    file = {"type": "image", "file_id": str(uuid.uuid4()), "extras": {"name": "cat.png"}}
    one.messages[0].content += [{"type": "iframe", "src": "https://example.com"}, file]

    bring(owner, ours(one))

    assert Message.objects.get().content == [
        {"type": "text", "text": "Why?"},
        {"type": "text", "text": "[cat.png]"},
    ]


def test_what_the_page_looks_into_is_what_it_expects(owner: User) -> None:
    one = small()
    call = {"type": "tool_call", "id": "1", "name": "look", "args": {}}
    one.messages[0].content[:] = [
        {"type": "text", "text": "A", "annotations": [None, {"type": "citation"}], "file_id": "1"},
        {"type": "text", "text": "B", "annotations": 7},
        {**call, "extras": {"result": {"a": 1}, "seconds": 2}},
        {**call, "extras": {"error": "It broke."}},
    ]

    bring(owner, ours(one))

    assert Message.objects.get().content == [
        {"type": "text", "text": "A", "annotations": [{"type": "citation"}]},
        {"type": "text", "text": "B", "annotations": []},
        {**call, "extras": {"seconds": 2}},
        {**call, "extras": {"error": "It broke."}},
    ]


def test_what_is_nested_too_deeply_costs_one_conversation(owner: User) -> None:
    args: Any = {}
    for _ in range(600):
        args = {"a": args}
    deep = small("deep")
    deep.messages[0].content += [{"type": "tool_call", "id": "1", "name": "x", "args": args}]

    state = bring(owner, ours(deep, small("flat")))

    assert counts(state) == {"total": 2, "done": 2, "created": 1, "refused": 1}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[" + b"[" * 100_000 + b"]" * 100_000 + b"]", "cannot be read"),
        (b"[" + b"0," * 200_000 + b"0]", "more than 100000 conversations"),
        (
            b'{"format": "chatsite", "version": 1, "conversations": [' + b"0," * 200_000 + b"0]}",
            "more than 100000 conversations",
        ),
        (damaged(zipped(conversations=json.dumps(list(range(9_999))).encode())), "damaged"),
    ],
)
def test_what_would_break_the_reading_ends_it(owner: User, content: bytes, says: str) -> None:
    """Otherwise it would be taken up again for ever, and its owner could bring no other file."""
    state = bring(owner, content)
    assert state["status"] == "failed"
    assert says in state["error"]


def test_a_conversation_of_endless_length_is_refused(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.transfer.reading.CONVERSATION_BYTES", 2_000)
    long = small("long", title="x" * 2_000)
    state = bring(owner, ours(small("short"), long))
    assert counts(state) == {"total": 2, "done": 2, "created": 1, "refused": 1}
    assert "too long" in state["problems"][0]


def test_a_small_zip_with_a_huge_text_is_refused(owner: User, settings: Settings) -> None:
    settings.IMPORT_UNPACKED_MB = 1
    bomb = zipped(conversations=b"[" + b" " * 2_000_000 + b"]")
    assert len(bomb) < 10_000

    state = bring(owner, bomb)

    assert (state["status"], "1 MB" in state["error"]) == ("failed", True)


def test_a_file_that_is_too_large_is_refused_at_once(owner: User, settings: Settings) -> None:
    settings.IMPORT_MB = 1
    upload = SimpleUploadedFile("a.json", b" " * 1_000_001)
    answer = signed_in(owner).post("/api/v1/imports", {"file": upload})

    assert (answer.status_code, answer.json()["code"]) == (400, "too_large")
    assert not Import.objects.exists()


def test_a_second_import_waits_for_the_first(owner: User, stranger: User) -> None:
    def send(user: User) -> Any:
        upload = SimpleUploadedFile("a.json", b"[]")
        return signed_in(user).post("/api/v1/imports", {"file": upload})

    assert send(owner).status_code == 202
    second = send(owner)
    assert (second.status_code, second.json()["code"]) == (409, "busy")
    assert send(stranger).status_code == 202


def test_a_stranger_sees_nothing_of_an_import(owner: User, stranger: User) -> None:
    state = bring(owner, chats(chat()))
    client = signed_in(stranger)

    assert client.get(f"/api/v1/imports/{state['id']}").status_code == 404
    assert client.get("/api/v1/imports").json() == []
    assert Client().get("/api/v1/imports").status_code == 401


# --- Workers die ---------------------------------------------------------------------------------
class Died(BaseException):
    pass


def test_an_import_whose_worker_died_is_finished_by_another(owner: User, media: Path) -> None:
    client = signed_in(owner)
    content = chats(*(with_other_id(n) for n in range(4)))
    upload = SimpleUploadedFile("conversations.json", content)
    key = uuid.UUID(client.post("/api/v1/imports", {"file": upload}).json()["id"])
    told: list[Conversation] = []

    def die_at_the_third(conversation: Conversation) -> None:
        told.append(conversation)
        if len(told) == 3:
            raise Died

    with pytest.raises(Died):
        importing.run(key, die_at_the_third)
    assert Conversation.objects.count() == 2
    assert importing.waiting() == []

    Import.objects.update(touched_at=timezone.now() - timedelta(minutes=2))
    assert importing.waiting() == [key]
    importing.run(key, lambda conversation: None)

    one = Import.objects.get()
    assert (one.status, one.done, one.refused, one.total) == ("completed", 4, 0, 4)
    assert Conversation.objects.count() == 4
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_a_message_that_comes_twice_runs_once(owner: User) -> None:
    state = bring(owner, chats(chat()))
    importing.run(uuid.UUID(state["id"]), lambda conversation: pytest.fail("ran again"))
    pick_up_imports()
    assert Conversation.objects.count() == 1
