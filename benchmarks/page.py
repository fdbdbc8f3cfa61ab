"""How smooth a long answer is in a real browser, and what is left of it when one has gone on.

One answer of 20,000 tokens at 200 a second, with lists, tables, formulas, and a piece of code of
thousands of lines, through the whole stack into Chromium. Every task of the page's main thread is
read from Chromium's own trace.
"""

import json
import os
import shutil
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from benchmarks import servers
from benchmarks.processes import Stage
from tests.provider import Provider

TRACED = ["disabled-by-default-devtools.timeline", "devtools.timeline"]
LONG_MS = 50.0
# Chromium counts thousands of tasks that do next to nothing; they would flatter any percentile.
SMALL_MS = 1.0
PATIENCE_MS = 30_000


def main(folder: Path, tokens: int, rate: float) -> None:
    with Stage(folder) as stage, Provider() as provider, sync_playwright() as playwright:
        url, cookie = start(stage, provider.url)
        executable = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
        warm_up(context, url, provider)
        provider.script({"text": text(tokens), "rate": rate})
        report(measure(browser, context, url, tokens / rate if rate else 0))
        browser.close()
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end")


def start(stage: Stage, provider_url: str) -> tuple[str, str]:
    """The product with its files for browsers; its URL, and the session of a user."""
    place = servers.make_place(stage, "page")
    env = {**servers.environment(place, provider_url), "STATIC_ROOT": str(place.data / "static")}
    servers.run_python(["-m", "django", "collectstatic", "--noinput", "--verbosity", "0"], env)
    servers.start_redis(stage, place, env)
    [cookie] = servers.prepare(env, 1)
    servers.start_worker(stage, env)
    servers.start_web(stage, place.port, env)
    return f"http://{servers.HOST}:{place.port}", cookie


def text(tokens: int) -> str:
    """Ordinary sections, and in the middle a long piece of code, a long table and a long list."""
    section = (
        "## A section\n\nSome **bold** words, a [link](https://example.com/) and `code` in a "
        "paragraph that is as long as they usually are. It has $x^2$ too.\n\n- one item\n- and "
        "another one\n\n```python\ndef f(x):\n    return x + 1\n```\n\n| a | b |\n|---|---|\n"
        "| one | two |\n\n"
    )
    code = (
        "```js\n" + "const value = compute(left, right); // a note\n" * (tokens // 25) + "```\n\n"
    )
    rows = "| A name | 12 | some words |\n" * (tokens // 45)
    table = f"| Name | Number | Words |\n|---|--:|---|\n{rows}\n"
    items = "".join(f"{n}. An item with **bold** text\n" for n in range(1, tokens // 35)) + "\n"
    long = (code + table + items).split(" ")
    rest = islice(cycle((section + "").split(" ")), max(0, tokens - len(long)))
    words = list(rest)
    half = len(words) // 2
    return " ".join([*words[:half], "\n\n" + long[0], *long[1:], *words[half:]])


def warm_up(context: BrowserContext, url: str, provider: Provider) -> None:
    """Scripts are compiled and fetched once, as for anyone who has been here before."""
    provider.script({"text": text(600), "rate": 0})
    page = context.new_page()
    page.goto(url)
    ask(page)
    page.close()


def ask(page: Page, seconds: float = 0) -> None:
    page.get_by_role("textbox", name="Message").fill("Write at length")
    page.keyboard.press("Enter")
    page.locator(".assistant[data-live]").wait_for(timeout=PATIENCE_MS)
    ended = page.locator(".assistant:not([data-live]) .actions").first
    ended.wait_for(state="attached", timeout=PATIENCE_MS + seconds * 2_000)


def measure(browser: Browser, context: BrowserContext, url: str, seconds: float) -> dict[str, Any]:
    page = context.new_page()
    page.goto(url)
    cdp = context.new_cdp_session(page)
    before = held(cdp)
    browser.start_tracing(page=page, categories=TRACED)
    ask(page, seconds)
    tasks = tasks_of(json.loads(browser.stop_tracing()))
    shown = held(cdp)
    page.get_by_role("link", name="New chat").first.click()
    page.locator(".assistant").wait_for(state="detached")
    return {"tasks": tasks, "before": before, "shown": shown, "after": held(cdp)}


def held(cdp: CDPSession) -> dict[str, float]:
    for _ in range(3):
        cdp.send("HeapProfiler.collectGarbage")
    cdp.send("Performance.enable")
    metrics = cdp.send("Performance.getMetrics")["metrics"]
    values = {metric["name"]: metric["value"] for metric in metrics}
    return {"MB": values["JSHeapUsedSize"] / 1e6, "nodes": values["Nodes"]}


def tasks_of(trace: dict[str, Any]) -> list[float]:
    """Milliseconds of each task on the main thread of the busiest page: of its own time on a
    processor, for which a machine that has other things to do is no excuse."""
    events = trace["traceEvents"]
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    found: dict[tuple[int, int], list[float]] = {}
    for event in events:
        thread = (event["pid"], event["tid"])
        if event["name"] == "RunTask" and thread in mains and "tdur" in event:
            found.setdefault(thread, []).append(event["tdur"] / 1000)
    return max(found.values(), key=sum)


def report(result: dict[str, Any]) -> None:
    tasks = sorted(ms for ms in result["tasks"] if ms >= SMALL_MS)
    long = [ms for ms in tasks if ms > LONG_MS]
    print(f"tasks of at least {SMALL_MS:g} ms: {len(tasks)}, busy {sum(tasks) / 1000:.1f} s in all")
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        print(f"{name}: {tasks[int(share * (len(tasks) - 1))]:.1f} ms")
    print(f"longest: {tasks[-1]:.1f} ms; over {LONG_MS:g} ms: {len(long)}")
    for when in ("before", "shown", "after"):
        print(f"{when}: {result[when]['MB']:.1f} MB of heap, {result[when]['nodes']:.0f} nodes")
