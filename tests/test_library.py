"""A user's own prompts and presets over `/api/v1/`."""

from typing import Any

import pytest

from accounts.models import User
from conversations.models import Preset, Prompt
from tests.test_conversations_api import Ask, caller

pytestmark = pytest.mark.database
PROMPT = {"title": "Shorter", "text": "Make this shorter:\n\n"}
PRESET = {
    "name": "Poet", "model": "fake", "system_prompt": "Answer in verse.", "temperature": 1.2,
    "tools": [],
}  # fmt: skip


@pytest.fixture
def ask(owner: User) -> Ask:
    return caller(owner)


@pytest.fixture
def foreign(stranger: User) -> Ask:
    return caller(stranger)


@pytest.mark.parametrize(
    ("path", "body", "changed"),
    [
        ("/prompts", PROMPT, {"title": "Shorter still"}),
        ("/presets", PRESET, {"name": "Sober", "temperature": None, "tools": None}),
    ],
)
def test_one_is_added_changed_listed_and_deleted(
    ask: Ask, path: str, body: dict[str, Any], changed: dict[str, Any]
) -> None:
    status, made = ask("POST", path, **body)
    assert (status, made) == (201, {"id": made["id"], **body})
    assert ask("GET", path) == (200, [made])

    status, after = ask("PUT", f"{path}/{made['id']}", **{**body, **changed})

    assert (status, after) == (200, {**made, **changed})
    assert ask("GET", path)[1] == [after]
    assert ask("DELETE", f"{path}/{made['id']}") == (204, None)
    assert ask("GET", path)[1] == []
    assert ask("DELETE", f"{path}/{made['id']}")[0] == 404


def test_names_are_listed_in_their_order_and_each_is_there_once(ask: Ask) -> None:
    for title in ("Beta", "Alpha"):
        ask("POST", "/prompts", title=title, text="x")

    status, refused = ask("POST", "/prompts", title=" Beta ", text="y")

    assert (status, refused["code"]) == (409, "conflict")
    assert refused["message"] == "You have one of this name already."
    assert [one["title"] for one in ask("GET", "/prompts")[1]] == ["Alpha", "Beta"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/prompts", {**PROMPT, "title": " "}, 422),
        ("/prompts", {**PROMPT, "title": "x" * 81}, 422),
        ("/prompts", {**PROMPT, "text": ""}, 422),
        ("/prompts", {**PROMPT, "text": "a\0b"}, 422),
        ("/prompts", {**PROMPT, "text": "x" * 32_001}, 422),
        ("/presets", {**PRESET, "temperature": 9}, 422),
        ("/presets", {**PRESET, "model": "gone"}, 400),
        ("/presets", {**PRESET, "tools": ["launch_rockets"]}, 400),
    ],
)
def test_what_cannot_be_is_refused(ask: Ask, path: str, body: dict[str, Any], status: int) -> None:
    answer = ask("POST", path, **body)

    assert answer[0] == status
    assert answer[1]["message"]
    assert not Prompt.objects.exists()
    assert not Preset.objects.exists()


@pytest.mark.parametrize(("path", "body"), [("/prompts", PROMPT), ("/presets", PRESET)])
def test_a_stranger_has_none_of_them(
    ask: Ask, foreign: Ask, path: str, body: dict[str, Any]
) -> None:
    made = ask("POST", path, **body)[1]

    assert foreign("GET", path) == (200, [])
    assert foreign("PUT", f"{path}/{made['id']}", **body)[0] == 404
    assert foreign("DELETE", f"{path}/{made['id']}")[0] == 404
    assert foreign("POST", path, **body)[0] == 201
    assert ask("GET", path)[1] == [made]
