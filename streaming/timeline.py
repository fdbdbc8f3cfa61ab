"""A trace as an admin sees it: one line for each span, in the order in which they began."""

from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

WIDTH = 1000
# Of a span that took no time at all: it must be seen.
THINNEST = 4
INDENT = "\N{EM SPACE}"


def timeline(spans: list[dict[str, Any]]) -> SafeString:
    first = min((int(span["start"]) for span in spans), default=0)
    whole = max((end_of(span) for span in spans), default=first) - first or 1
    lines = [line(span, spans, first, whole) for span in spans]
    return render_to_string("admin/streaming/timeline.html", {"lines": lines, "width": WIDTH})


def steps_list(steps: list[dict[str, Any]]) -> SafeString:
    """Of a model that is debugged: each opens to what it was given, or what it gave."""
    return render_to_string("admin/streaming/steps.html", {"steps": steps})


def line(
    span: dict[str, Any], spans: list[dict[str, Any]], first: int, whole: int
) -> dict[str, Any]:
    """Its bar begins where the first span does: what came before (LangGraph's import, once for each
    process) would make all others thin."""
    start = span["start"] - first
    took = whole - start if span["took"] is None else span["took"]
    width = max(THINNEST, round(took * WIDTH / whole))
    return {
        **span,
        "indent": INDENT * depth_of(span, spans),
        "x": min(round(start * WIDTH / whole), WIDTH - THINNEST),
        "width": min(width, WIDTH),
    }


def depth_of(span: dict[str, Any], spans: list[dict[str, Any]]) -> int:
    """A parent began before its children, so this ends."""
    depth, parent = 0, span["parent"]
    while parent is not None:
        depth, parent = depth + 1, spans[parent]["parent"]
    return depth


def end_of(span: dict[str, Any]) -> int:
    return int(span["start"]) + int(span["took"] or 0)
