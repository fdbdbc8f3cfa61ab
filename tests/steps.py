"""How a page comes into a state: what its user does there, by marks that are the same in every
language."""

import re
from collections.abc import Callable

from django.template.loader import render_to_string
from django.test import override_settings
from playwright.sync_api import FilePayload, Page, expect

from tests import files

ADD_TO_LIBRARY = """async () => {
  const csrf = document.cookie.match(/csrftoken=([^;]+)/)[1];
  const post = (path, row) => fetch(`/api/v1/${path}`, {method: "POST", body: JSON.stringify(row),
    headers: {"X-CSRFToken": csrf, "Content-Type": "application/json"}});
  await post("prompts", {title: "Shorter", text: "Make this text shorter and keep its meaning."});
  await post("presets", {name: "Poet", system_prompt: "Answer in verse.", temperature: 0.7});
}"""


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
    page.locator("#id_name").fill("The script that reports at night")
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
    page.locator(".library-row", has_text="Poet").locator("[data-action=edit]").click()
    expect(page.locator("[aria-labelledby=preset-title]")).to_be_visible()


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


def show_nothing_found(page: Page) -> None:
    show_palette(page)
    page.keyboard.type("zzyzx")
    expect(page.locator(".palette-note")).to_be_visible()


def show_folder(page: Page) -> None:
    show_drawer(page)
    page.locator(".folder-toggle").click()
    expect(page.locator(".folder .conversation-item")).to_be_visible()


def show_folder_menu(page: Page) -> None:
    show_folder(page)
    page.locator(".folder-more").click()
    expect(page.locator("#folder-menu")).to_be_visible()


def show_confirm(page: Page) -> None:
    show_folder_menu(page)
    show_dialog('#folder-menu [data-action="delete"]')(page)


def show_move_menu(page: Page) -> None:
    show_menu_of_a_chat(page)
    page.locator('#sidebar-menu [data-action="move"]').click()
    expect(page.locator("#move-menu")).to_be_visible()


def show_archive(page: Page) -> None:
    show_account_menu(page)
    page.locator("#show-archive").click()
    expect(page.locator("#archive-head")).to_be_visible()


def show_temporary(page: Page) -> None:
    page.locator("#new-temporary").click()
    expect(page.locator("#temporary-empty")).to_be_visible()


def show_chosen_files(page: Page) -> None:
    chosen: list[FilePayload] = [
        {"name": "a red picture.png", "mimeType": "image/png", "buffer": files.image()},
        {"name": "a report.pdf", "mimeType": "application/pdf", "buffer": files.pdf("42")},
        {"name": "no file to read.bin", "mimeType": "", "buffer": bytes(range(256))},
    ]
    page.locator("#composer input[type=file]").set_input_files(chosen)
    expect(page.locator('#tray .attachment[data-state="ready"]')).to_have_count(2)


def show_sent_files(page: Page) -> None:
    expect(page.locator(".message-file")).to_be_visible()
    page.wait_for_function("() => document.querySelector('.message-image img')?.complete")


def show_image(page: Page) -> None:
    show_sent_files(page)
    show_dialog(".message-image")(page)


def show_approval(page: Page) -> None:
    expect(page.locator('.tool-approval [data-action="approve"]')).to_be_visible()


def show_ended(page: Page) -> None:
    expect(page.locator(".assistant .status-text")).to_be_visible()


def show_import(page: Page) -> None:
    expect(page.locator("#import-state")).to_be_visible()
    expect(page.locator("#links li")).to_have_count(1)


def show_problems(page: Page) -> None:
    show_import(page)
    page.locator("#import-problems summary").click()


def end_session(page: Page) -> None:
    """In another tab of the same browser."""
    page.evaluate(
        """async () => {
          const csrf = document.cookie.match(/csrftoken=([^;]+)/)[1];
          await fetch("/accounts/logout/", {method: "POST", headers: {"X-CSRFToken": csrf}});
        }"""
    )
    expect(page.locator(".line-sign-in")).to_be_visible()


def send_an_expired_form(page: Page) -> None:
    page.locator("form input[name=csrfmiddlewaretoken]").first.evaluate(
        "field => { field.value = ''; field.form.noValidate = true; }"
    )
    page.locator("form:has(#id_login)").evaluate("form => form.submit()")
    expect(page.locator(".error-code")).to_be_visible()


def show_error(template: str) -> Callable[[Page], None]:
    """A page for faults that no request can cause, as its template gives it."""

    def steps(page: Page) -> None:
        plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
        with override_settings(STORAGES={"staticfiles": {"BACKEND": plain}}):
            body = render_to_string(template)
        page.set_content(body)
        expect(page.locator(".error-code")).to_have_text(re.compile(template.removesuffix(".html")))

    return steps
