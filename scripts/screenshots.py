"""Takes the README's two pictures, light and dark, of a running instance and its demo model.

    DEMO_PASSWORD=... make run                         # in one terminal
    DEMO_PASSWORD=... .venv/bin/python scripts/screenshots.py [http://localhost:8000]

Needs Chromium. Conversations that are there already will be seen in the sidebar.
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
SIZE = {"width": 1280, "height": 800}
EARLIER = ("Shorten this release note", "Why does my index not help?", "Plan a week in Lisbon")
SHOWN = "What time is it?"


def main() -> None:
    url = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000"
    password = os.environ.get("DEMO_PASSWORD") or sys.exit("DEMO_PASSWORD is not set.")
    chromium = shutil.which("chromium") or sys.exit("There is no chromium on the PATH.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        take(browser, url, password)
        browser.close()


def take(browser: Browser, url: str, password: str) -> None:
    page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
    page.set_default_timeout(90_000)
    sign_in(page, url, password)
    for question in (*EARLIER, SHOWN):
        ask(page, url, question)
    page.locator("#scroller").evaluate("element => { element.scrollTop = 0; }")
    page.mouse.move(0, 0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        # Colours change within a transition of 140 ms.
        page.wait_for_timeout(300)
        page.screenshot(path=FOLDER / f"chat-{scheme}.png")


def sign_in(page: Page, url: str, password: str) -> None:
    page.goto(url)
    page.get_by_label("Username or email").fill("demo")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def ask(page: Page, url: str, question: str) -> None:
    """In a conversation of its own, and wait for the whole answer."""
    page.get_by_role("textbox", name="Message").wait_for()
    page.goto(url)
    choose_demo(page)
    page.get_by_role("textbox", name="Message").fill(question)
    page.keyboard.press("Enter")
    page.locator(".assistant:not([data-live]) .actions").first.wait_for(timeout=60_000)


def choose_demo(page: Page) -> None:
    """Where there are several models. Its only one cannot be chosen."""
    picker = page.locator("#model")
    page.locator(".picker-label:not(:empty)").wait_for()
    if picker.is_enabled():
        picker.click()
        page.locator("#model-menu").get_by_role("menuitemradio").filter(has_text="Demo").click()


if __name__ == "__main__":
    main()
