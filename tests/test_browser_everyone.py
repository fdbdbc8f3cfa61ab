"""For everyone: preferences, languages, the keyboard, small phones, both directions of writing."""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.chat import OpenChat
from tests.provider import Provider
from tests.stack import Web

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser


def open_settings(page: Page, account: str = "owner") -> None:
    page.get_by_role("button", name=account).click()
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_role("dialog", name="Settings")).to_be_visible()


def background(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return colour


def text_size(page: Page) -> float:
    return float(page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)"))


# --- Preferences ---------------------------------------------------------------------------------
def test_a_theme_shows_at_once_stays_and_reaches_the_other_tab(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site, color_scheme="light")
    other = open_chat(owner, site, context=chat.page.context)
    expect(other.composer).to_be_visible()
    page, light = chat.page, background(chat.page)
    open_settings(page)
    with page.expect_response("**/me/preferences"):
        page.get_by_role("radio", name="Dark").last.check()
    dark = background(page)
    assert dark != light
    expect(other.page.locator("html")).to_have_attribute("data-theme", "dark")
    assert background(other.page) == dark
    page.keyboard.press("Escape")
    chat.reload()
    assert background(page) == dark
    page.context.clear_cookies()
    chat.visit("/accounts/login/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_text_grows_with_all_that_is_measured_in_it(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    page = open_chat(owner, site).page
    before = text_size(page)
    open_settings(page)
    with page.expect_response("**/me/preferences"):
        page.get_by_role("radio", name="Largest").check()
    assert text_size(page) > before * 1.25
    with page.expect_response("**/me/preferences"):
        page.get_by_role("radio", name="Small").check()
    assert text_size(page) < before


def test_what_cannot_be_stored_is_taken_back_with_a_word(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    page = open_chat(owner, site, color_scheme="light").page
    light = background(page)
    page.route("**/me/preferences", lambda route: route.abort())
    open_settings(page)
    page.get_by_role("radio", name="Dark").last.check()
    expect(page.get_by_text("The server cannot be reached. Try again.")).to_be_visible()
    assert background(page) == light
    expect(page.get_by_role("radio", name="Like the system").last).to_be_checked()


def test_another_language_keeps_the_draft_and_says_what_a_worker_stored_in_english(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    page = chat.page
    provider.script({"error": 401})
    chat.send("Hello")
    failed = "The model refused our access. Please tell your administrator."
    expect(chat.answer.locator(".status-text")).to_have_text(failed)
    chat.write("Half a thought")
    open_settings(page)
    page.get_by_role("combobox", name="Language").select_option(label="Français")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("#composer-text")).to_have_value("Half a thought")
    refused = "Le modèle a refusé notre accès. Veuillez le signaler à votre administrateur."
    expect(chat.answer.locator(".status-text")).to_have_text(refused)
    expect(page.get_by_role("heading", name="Aujourd’hui")).to_be_visible()
    page.get_by_role("button", name="owner").click()
    page.get_by_role("button", name="Réglages").click()
    page.get_by_role("combobox", name="Langue").select_option(label="Deutsch")
    expect(page.get_by_role("heading", name="Heute")).to_be_visible()
