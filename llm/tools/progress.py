"""What a tool tells of itself while it runs."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import Any

import msgspec
from langchain_core.callbacks import BaseCallbackHandler

from llm.parts import Progress

MAX_LABEL_CHARS = 200
MAX_DATA_BYTES = 8 * 1024
Report = Callable[[Progress], None]

_report: ContextVar[Report | None] = ContextVar("report", default=None)


def progress(label: str, data: Any = None) -> None:
    """For tools: show the user how far it is. May be called from a thread."""
    report = _report.get()
    if report is not None:
        report(made(label, data))


def reporter() -> Callable[[str, Any], None]:
    """This task's `progress`, for what is called back from another one. LangGraph's writer, too,
    looks into the context for where it is."""
    context = copy_context()

    def tell(label: str, data: Any) -> None:
        context.run(progress, label, data)

    return tell


def report_to(report: Report) -> Report:
    """Where this task's `progress` goes from now on, from whichever thread it comes."""
    loop = asyncio.get_running_loop()

    def tell(step: Progress) -> None:
        if _running_loop() is loop:
            report(step)
        else:
            loop.call_soon_threadsafe(report, step)

    _report.set(tell)
    return tell


def made(label: str, data: Any = None) -> Progress:
    """Whatever a tool says, as something that can be sent: JSON, and of a bounded size."""
    return Progress(sendable(label)[:MAX_LABEL_CHARS], _data(data))


def from_stream(said: Any) -> Progress:
    """Of what came through LangGraph's stream writer, which takes anything."""
    if isinstance(said, Progress):
        return said
    if isinstance(said, dict):
        label = said.get("label") or said.get("status") or "Working"
        rest = {key: value for key, value in said.items() if key not in ("label", "status")}
        return made(str(label), rest or None)
    return made(str(said))


class CustomEvents(BaseCallbackHandler):
    """`dispatch_custom_event`, which a tool may call as well."""

    # In the task of the tool, where `progress` knows its way.
    run_inline = True

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        progress(name.replace("_", " ").strip().capitalize(), data)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def sendable(text: str) -> str:
    """PostgreSQL's JSON holds every character but NUL, and UTF-8 no half of a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _data(data: Any) -> dict[str, Any] | None:
    if data is None:
        return None
    try:
        encoded = msgspec.json.encode(data, enc_hook=str)
    except (TypeError, ValueError, RecursionError):
        return None
    if len(encoded) > MAX_DATA_BYTES:
        return None
    plain = msgspec.json.decode(encoded)
    return plain if isinstance(plain, dict) else {"value": plain}
