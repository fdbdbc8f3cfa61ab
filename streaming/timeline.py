"""A trace as an admin sees it: one line for each span, in the order in which they began."""

from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from conversations.models import Generation

WIDTH = 1000
# Of a span that took no time at all: it must be seen.
THINNEST = 4
INDENT = "\N{EM SPACE}"


def timeline(spans: list[dict[str, Any]]) -> SafeString:
    first = min((int(span["start"]) for span in spans), default=0)
    whole = max((end_of(span) for span in spans), default=first) - first or 1
    lines = [line(span, spans, first, whole) for span in spans]
    return render_to_string("admin/streaming/timeline.html", {"lines": lines, "width": WIDTH})


def spans_of_plain(generation: Generation) -> list[dict[str, Any]]:
    """What the row itself tells of an answer without a trace: the queue, and one model. Empty where
    it has not ended."""
    timings, usage = generation.timings, generation.usage
    queued, whole = timings.get("queued_ms") or 0, timings.get("total_ms")
    if whole is None:
        return []
    first = timings.get("first_token_ms")
    model = span("model", generation.answering_slug, queued, whole) | {
        "error": generation.error_code,
        "input_tokens": usage.get("input_tokens", 0),
        "output_tokens": usage.get("output_tokens", 0),
    }
    spans = [span("queue", generation.queue, 0, queued), model]
    if first is not None:
        spans.append(span("wait", "until the first token", queued, first, parent=1))
        spans.append(span("text", "writing", queued + first, whole - first, parent=1))
    return spans


def span(kind: str, name: str, start: int, took: int, parent: int | None = None) -> dict[str, Any]:
    return {"kind": kind, "name": name, "start": start, "took": took, "parent": parent}


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
