"""Every page of the product, and its main states, for tests that hold all of them to one rule."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, expect

from accounts.models import User
from conversations.models import Conversation
from conversations.sharing import share
from streaming import lease
from streaming.lease import Outcome
from tests import prepared, steps
from tests.rows import USAGE, asked

ANSWER = """## A heading

A paragraph with **weight**, `code`, [a link](https://example.org/) and a list:

1. first
2. second

| database | writers |
|---|---:|
| PostgreSQL | many |
| SQLite | one |

```python
def greet(name: str) -> str:
    return f"Hello, {name}"  # a line that is long enough to want more room than a phone has for it
```

> A quotation that takes its time.
"""
CONTENT: list[dict[str, Any]] = [
    {"type": "reasoning", "reasoning": "The user wants to see what there is."},
    {
        "type": "tool_call",
        "id": "call-1",
        "name": "current_time",
        "args": {"timezone": "Europe/Berlin"},
        "extras": {"result": "2026-01-01T12:00:00+01:00"},
    },
    {"type": "text", "text": ANSWER},
]


def nothing(page: Page) -> None:
    """The page as it opens."""


@dataclass(frozen=True)
class State:
    """`signed_in`: whether the owner looks, or somebody without an account. `prepare` changes what
    is kept before the page is opened, `steps` is what is done there."""

    name: str
    path: str
    signed_in: bool = True
    steps: Callable[[Page], None] = field(default=nothing)
    prepare: Callable[[Conversation], None] = field(default=prepared.nothing)


STATES = [
    State("sign in", "/accounts/login/", signed_in=False),
    State("sign up", "/accounts/signup/", signed_in=False),
    State("reset password", "/accounts/password/reset/", signed_in=False),
    State("reset done", "/accounts/password/reset/done/", signed_in=False),
    State("not found", "/nowhere/", signed_in=False),
    State("offline", "/offline/", signed_in=False),
    State("email", "/accounts/email/"),
    State("password", "/accounts/password/change/"),
    State("data", "/accounts/data/"),
    State("API", "/api/v1/docs"),
    State("API keys", "/accounts/keys/", steps=steps.make_a_key),
    State("sign out", "/accounts/logout/"),
    State("empty", "/"),
    State("chat", "/c/{conversation}/"),
    State("chat, all open", "/c/{conversation}/", steps=steps.show_reasoning_and_tool),
    State("account menu", "/", steps=steps.show_account_menu),
    State("settings", "/", steps=steps.show_settings),
    State("share", "/c/{conversation}/", steps=steps.show_dialog("#share")),
    State("conversation menu", "/c/{conversation}/", steps=steps.show_conversation_menu),
    State("chat settings", "/c/{conversation}/", steps=steps.show_chat_settings),
    State("model menu", "/c/{conversation}/", steps=steps.show_model_menu),
    State("library", "/", steps=steps.show_library),
    State("preset", "/c/{conversation}/", steps=steps.show_preset),
    State("prompts", "/", steps=steps.show_prompts),
    State("queue", "/c/{conversation}/", steps=steps.show_queue),
    State("shared", "/s/{token}/", signed_in=False),
    State("shared, all open", "/s/{token}/", steps=steps.show_reasoning_and_tool),
    State("palette", "/", steps=steps.show_palette),
    State("palette, found", "/", steps=steps.show_found),
    State("shortcuts", "/c/{conversation}/", steps=steps.show_shortcuts),
    State("menu of a chat", "/", steps=steps.show_menu_of_a_chat),
    State("new folder", "/", steps=steps.show_new_folder),
    State("answer menu", "/c/{conversation}/", steps=steps.show_answer_menu),
    State("details", "/c/{conversation}/", steps=steps.show_details),
    State("bad answer", "/c/{conversation}/", steps=steps.show_feedback),
    State("drawer", "/c/{conversation}/", steps=steps.show_drawer),
    State("nothing found", "/", steps=steps.show_nothing_found),
    State("folder", "/", steps=steps.show_folder, prepare=prepared.in_a_folder),
    State("folder menu", "/", steps=steps.show_folder_menu, prepare=prepared.in_a_folder),
    State("move menu", "/", steps=steps.show_move_menu, prepare=prepared.beside_a_folder),
    State("confirm", "/", steps=steps.show_confirm, prepare=prepared.in_a_folder),
    State("archive", "/", steps=steps.show_archive, prepare=prepared.archived),
    State("empty archive", "/", steps=steps.show_archive),
    State("empty temporary", "/", steps=steps.show_temporary),
    State("temporary", "/c/{conversation}/", prepare=prepared.temporary),
    State("chosen files", "/", steps=steps.show_chosen_files),
    State(
        "sent files",
        "/c/{conversation}/",
        steps=steps.show_sent_files,
        prepare=prepared.with_files,
    ),
    State("image", "/c/{conversation}/", steps=steps.show_image, prepare=prepared.with_files),
    State("approval", "/c/{conversation}/", steps=steps.show_approval, prepare=prepared.asking),
    State("failed", "/c/{conversation}/", steps=steps.show_ended, prepare=prepared.failed),
    State("stopped", "/c/{conversation}/", steps=steps.show_ended, prepare=prepared.stopped),
    State("cut", "/c/{conversation}/", steps=steps.show_ended, prepare=prepared.cut),
    State("your data", "/accounts/data/"),
    State("import", "/accounts/data/", steps=steps.show_import, prepare=prepared.importing),
    State("imported", "/accounts/data/", steps=steps.show_problems, prepare=prepared.imported),
    State("delete all", "/accounts/data/", steps=steps.show_dialog("#delete-all")),
    State("delete account", "/accounts/data/", steps=steps.show_dialog("#delete-account")),
    State("session ended", "/c/{conversation}/", steps=steps.end_session),
    # More fields than Django reads.
    State("error 400", "/accounts/login/?" + "a&" * 1200, signed_in=False),
    State("error 403", "/accounts/login/", signed_in=False, steps=steps.show_error("403.html")),
    State("expired form", "/accounts/login/", signed_in=False, steps=steps.send_an_expired_form),
    State("error 500", "/accounts/login/", signed_in=False, steps=steps.show_error("500.html")),
]


def conversation_with_everything(owner: User) -> Conversation:
    made = asked(owner, "Show me everything, please, and take a sentence that is not short")
    claimed = lease.claim(made.generation.pk, "a test")
    assert claimed is not None
    outcome = Outcome("completed", 3, CONTENT, USAGE, {})
    assert lease.finish(made.generation.pk, claimed.attempt, outcome)
    return made.conversation


def visit(page: Page, url: str, state: State, owner: User) -> None:
    conversation = conversation_with_everything(owner)
    last = conversation.messages.latest("created_at")
    # Before an answer is made into one that is still being written, which cannot be shared.
    link = share(conversation, last.pk, with_attachments=False)
    state.prepare(conversation)
    page.goto(url + state.path.format(conversation=conversation.pk, token=link.token))
    # What a script lists once the page has come.
    if (links := page.locator("#links")).count():
        expect(links.get_by_role("listitem")).to_have_count(1)
    state.steps(page)
