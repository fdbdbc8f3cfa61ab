"""Devices that go from test to test, as good as new: to open another takes Chromium more than most
tests do on it."""

from playwright.sync_api import Browser, Error, Page

KEPT = 3
# What `browser.new_context()` begins with.
MEDIA = {
    "media": "null",
    "color_scheme": "light",
    "reduced_motion": "no-preference",
    "forced_colors": "none",
}
SIZE = {"width": 1280, "height": 720}
# The storage of a tab lasts as long as the tab, which is known by its name to the next pages of the
# same test. `renew` takes the name away.
FORGET = """if (window === top && location.protocol !== "about:" && window.name !== "opened") {
  sessionStorage.clear();
  window.name = "opened";
}"""


class Devices:
    """Each with one tab. What a device keeps beyond `give_back` is the browser's cache alone, as
    that of a user who was here before."""

    def __init__(self) -> None:
        self._idle: list[Page] = []

    def borrow(self, browser: Browser) -> Page:
        if self._idle:
            return self._idle.pop()
        page = browser.new_context().new_page()
        page.add_init_script(FORGET)
        return page

    def give_back(self, page: Page, url: str) -> None:
        if len(self._idle) < KEPT:
            try:
                renew(page, url)
            except Error:
                pass  # It was closed, or is past help.
            else:
                self._idle.append(page)
                return
        page.context.close()


def renew(page: Page, url: str) -> None:
    """Take from a device all that a test did to it, but what `add_init_script` and the like leave,
    which nothing takes away: they want a device of their own, by `open_context`."""
    context = page.context
    for other in context.pages:
        if other is not page:
            other.close()
    page.unroute_all(behavior="ignoreErrors")
    context.unroute_all(behavior="ignoreErrors")
    context.set_offline(False)
    page.goto("about:blank")
    page.evaluate("window.name = ''")
    debugger = context.new_cdp_session(page)
    debugger.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": "all"})
    debugger.send("Page.resetNavigationHistory")
    debugger.detach()
    context.clear_cookies()
    context.clear_permissions()
    page.emulate_media(**MEDIA)  # type: ignore[arg-type]
    page.set_viewport_size(SIZE)  # type: ignore[arg-type]
    page.mouse.move(0, 0)
