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
    """`signed_in`: whether the owner looks, or somebody without an account."""

    name: str
    path: str
    signed_in: bool = True
    steps: Callable[[Page], None] = field(default=nothing)


def show_settings(page: Page) -> None:
    page.locator('[data-action="settings"]').first.evaluate("button => button.click()")
    expect(page.get_by_role("dialog")).to_be_visible()


def show_dialog(opener: str) -> Callable[[Page], None]:
    def steps(page: Page) -> None:
        page.locator(opener).click()
        expect(page.get_by_role("dialog")).to_be_visible()

    return steps


def show_conversation_menu(page: Page) -> None:
    page.locator("#conversation-menu-button").click()
    expect(page.locator("#conversation-menu")).to_be_visible()


def show_chat_settings(page: Page) -> None:
    show_conversation_menu(page)
    show_dialog("#open-chat-settings")(page)


def show_model_menu(page: Page) -> None:
    page.locator("#model").click()
    expect(page.locator("#model-menu")).to_be_visible()


def make_a_key(page: Page) -> None:
    """By its marks in the page, which is opened in several languages."""
    page.locator("#id_name").fill("A script")
    page.locator(".form-actions button").click()
    expect(page.locator(".secret")).to_be_visible()


def show_palette(page: Page) -> None:
    show_drawer(page)
    page.locator("#open-palette").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def show_found(page: Page) -> None:
    show_palette(page)
    page.keyboard.type("everything")
    expect(page.locator(".palette mark").first).to_be_visible()


def show_shortcuts(page: Page) -> None:
    page.locator("#composer-text").evaluate("area => area.blur()")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def show_menu_of_a_chat(page: Page) -> None:
    show_drawer(page)
    page.locator(".conversation-item").first.hover()
    page.locator(".conversation-more").first.click()
    expect(page.locator("#sidebar-menu")).to_be_visible()


def show_new_folder(page: Page) -> None:
    show_drawer(page)
    page.locator("#new-folder").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def show_answer_menu(page: Page) -> None:
    page.locator('.assistant [data-action="more"]').click()
    expect(page.locator("#answer-menu")).to_be_visible()


def show_details(page: Page) -> None:
    show_answer_menu(page)
    show_dialog('[data-item="details"]')(page)


def show_feedback(page: Page) -> None:
    """The note that asks for a comment, and then the dialog for it."""
    page.locator('.assistant [data-action="bad"]').click()
    show_dialog("#toasts button")(page)


def show_account_menu(page: Page) -> None:
    show_drawer(page)
    page.locator(".account-button").click()


def show_reasoning_and_tool(page: Page) -> None:
    for part in page.locator(".blocks details > summary").all():
        part.click()
    expect(page.locator(".blocks details[open]")).to_have_count(2)


def show_drawer(page: Page) -> None:
    opener = page.locator(".sidebar-opener")
    if opener.is_visible():
        opener.click()


def show_library(page: Page) -> None:
    page.evaluate(ADD_TO_LIBRARY)
    page.reload()
    page.locator("#conversation-menu-button").click()
    page.locator("#open-library").click()
    expect(page.locator(".library-row")).to_have_count(2)


def show_preset(page: Page) -> None:
    show_library(page)
    page.get_by_role("button", name="Edit Poet").click()
    expect(page.get_by_role("dialog", name="Preset", exact=True)).to_be_visible()


def show_prompts(page: Page) -> None:
    page.evaluate(ADD_TO_LIBRARY)
    page.locator("#composer-text").press_sequentially("/")
    expect(page.locator(".prompt-option")).to_have_count(1)


def show_queue(page: Page) -> None:
    """Of a message that was written behind a branch that is not shown."""
    page.evaluate(
        """() => {
          const data = document.getElementById("page-data");
          const { user, conversation } = JSON.parse(data.textContent);
          const waiting = {id: "1", conversation: conversation.id, after: "gone", hurry: false,
            message: {text: "And what would you take for a smaller one, or for a larger one?"}};
          sessionStorage.setItem(`queue:${user.id}`, JSON.stringify([waiting]));
        }"""
    )
    page.reload()
    expect(page.locator(".queued")).to_be_visible()


ADD_TO_LIBRARY = """async () => {
  const csrf = document.cookie.match(/csrftoken=([^;]+)/)[1];
  const post = (path, row) => fetch(`/api/v1/${path}`, {method: "POST", body: JSON.stringify(row),
    headers: {"X-CSRFToken": csrf, "Content-Type": "application/json"}});
  await post("prompts", {title: "Shorter", text: "Make this text shorter and keep its meaning."});
  await post("presets", {name: "Poet", system_prompt: "Answer in verse.", temperature: 0.7});
}"""
STATES = [
    State("sign in", "/accounts/login/", signed_in=False),
    State("sign up", "/accounts/signup/", signed_in=False),
    State("reset password", "/accounts/password/reset/", signed_in=False),
    State("reset done", "/accounts/password/reset/done/", signed_in=False),
    State("not found", "/nowhere/", signed_in=False),
    State("offline", "/offline/", signed_in=False),
    State("email", "/accounts/email/"),
    State("password", "/accounts/password/change/"),
    State("two factors", "/accounts/2fa/"),
    State("sessions", "/accounts/sessions/"),
    State("data", "/accounts/data/"),
    State("API", "/api/v1/docs"),
    State("API keys", "/accounts/keys/", steps=make_a_key),
    State("sign out", "/accounts/logout/"),
    State("empty", "/"),
    State("chat", "/c/{conversation}/"),
    State("chat, all open", "/c/{conversation}/", steps=show_reasoning_and_tool),
    State("account menu", "/", steps=show_account_menu),
    State("settings", "/", steps=show_settings),
    State("share", "/c/{conversation}/", steps=show_dialog("#share")),
    State("conversation menu", "/c/{conversation}/", steps=show_conversation_menu),
    State("chat settings", "/c/{conversation}/", steps=show_chat_settings),
    State("model menu", "/c/{conversation}/", steps=show_model_menu),
    State("library", "/", steps=show_library),
    State("preset", "/c/{conversation}/", steps=show_preset),
    State("prompts", "/", steps=show_prompts),
    State("queue", "/c/{conversation}/", steps=show_queue),
    State("shared", "/s/{token}/", signed_in=False),
    State("shared, all open", "/s/{token}/", steps=show_reasoning_and_tool),
    State("palette", "/", steps=show_palette),
    State("palette, found", "/", steps=show_found),
    State("shortcuts", "/c/{conversation}/", steps=show_shortcuts),
    State("menu of a chat", "/", steps=show_menu_of_a_chat),
    State("new folder", "/", steps=show_new_folder),
    State("answer menu", "/c/{conversation}/", steps=show_answer_menu),
    State("details", "/c/{conversation}/", steps=show_details),
    State("bad answer", "/c/{conversation}/", steps=show_feedback),
    State("drawer", "/c/{conversation}/", steps=show_drawer),
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
    link = share(conversation, last.pk, with_attachments=False)
    page.goto(url + state.path.format(conversation=conversation.pk, token=link.token))
    state.steps(page)
