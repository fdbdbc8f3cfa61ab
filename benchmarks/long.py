"""How long a conversation of thousands of messages takes to open in a browser, and whether
scrolling up through it is smooth."""

import json
import shutil
import statistics
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.processes import CpuMeter, Stage
from benchmarks.servers import Server, run_python, web_node

OPENINGS = 7
TURNS = 120
WHEEL_PX = -600
LISTEN = """
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) longTasks.push([startTime, duration]);
}).observe({ type: "longtask", buffered: true });
const look = () => {
  const last = document.querySelector(".message:last-child");
  const box = last?.getBoundingClientRect();
  if (box && box.bottom > 0 && box.top < innerHeight) window.seenAt = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
NUMBERS = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const server = page.responseStart - page.requestStart;
  return { seen: seenAt, server, bytes: page.decodedBodySize };
}"""


def open_page(browser: Browser, server: Server, path: str) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    url = server.url.replace("ws:", "http:").removesuffix("/ws/chat/")
    context.add_cookies([{"name": "sessionid", "value": server.cookies[0], "url": url}])
    page = context.new_page()
    page.add_init_script(LISTEN)
    page.goto(f"{url}{path}")
    page.wait_for_function("() => window.seenAt")
    return page


def openings(browser: Browser, server: Server, path: str) -> list[dict[str, Any]]:
    found = []
    for _ in range(OPENINGS):
        page = open_page(browser, server, path)
        found.append(page.evaluate(NUMBERS))
        page.context.close()
    return found[1:]


def scrolling(browser: Browser, server: Server, path: str) -> dict[str, Any]:
    page = open_page(browser, server, path)
    page.wait_for_timeout(1_000)
    before = page.evaluate("longTasks.length")
    page.mouse.move(700, 400)
    for _ in range(TURNS):
        page.mouse.wheel(0, WHEEL_PX)
        page.wait_for_timeout(50)
    tasks = [duration for _, duration in page.evaluate("longTasks")[before:]]
    messages = page.locator(".message").count()
    page.context.close()
    return {"tasks": tasks, "messages": messages}


def main(folder: Path, messages: int) -> None:
    with Stage(folder) as stage, sync_playwright() as playwright:
        server, env = web_node(stage, 1, pages=True)
        made = run_python(["-m", "benchmarks.history", server.cookies[0], str(messages)], env)
        path: str = json.loads(made)
        executable = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        meter = CpuMeter(server.processes)
        opened = openings(browser, server, path)
        spent = sum(meter.read().values()) / OPENINGS
        scrolled = scrolling(browser, server, path)
        browser.close()
    print(describe(messages, opened, spent, scrolled))


def describe(
    messages: int, opened: list[dict[str, Any]], spent: float, scrolled: dict[str, Any]
) -> str:
    def middle(name: str) -> float:
        return float(statistics.median(one[name] for one in opened))

    tasks = scrolled["tasks"]
    return "\n".join(
        [
            f"{messages} messages, {len(opened)} openings, medians",
            f"last message in view after {middle('seen'):.0f} ms "
            f"(worst {max(one['seen'] for one in opened):.0f}), "
            f"of that the server {middle('server'):.0f} ms",
            f"page of {middle('bytes') / 1024:.0f} KiB; CPU of the server {1000 * spent:.0f} ms",
            f"scrolled up to {scrolled['messages']} messages: {len(tasks)} tasks over 50 ms"
            + (f", the longest {max(tasks):.0f} ms" if tasks else ""),
        ]
    )
