"""What was measured, as a table for people: of plain text, or of Markdown."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version

from benchmarks.measure import Result

HEADS = (
    "server",
    "streams",
    "CPU ms / 1,000 tokens",
    "first token p50 / p99",
    "submit to first p50 / p99",
    "every token p50 / p99",
    "lost",
    "memory MB",
)


def row(result: Result) -> tuple[str, ...]:
    return (
        result.server,
        str(result.streams),
        f"{result.cpu:.0f}",
        f"{result.first_p50:.1f} / {result.first_p99:.1f} ms",
        f"{result.submit_p50:.1f} / {result.submit_p99:.1f} ms",
        f"{result.every_p50:.1f} / {result.every_p99:.1f} ms",
        str(result.lost),
        f"{result.memory:.0f}",
    )


def table(results: Sequence[Result], *, markdown: bool) -> str:
    rows = [HEADS, *(row(result) for result in results)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(HEADS))]
    lines = [aligned(cells, widths, " | " if markdown else "   ") for cells in rows]
    rule = " | ".join("-" * width for width in widths) if markdown else "-" * len(lines[0])
    lines.insert(1, rule)
    return "\n".join(f"| {line} |" for line in lines) if markdown else "\n".join(lines)


def aligned(cells: Sequence[str], widths: Sequence[int], between: str) -> str:
    first, *rest = zip(cells, widths, strict=True)
    return between.join(
        [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
    ).rstrip(" " if between != " | " else "")


def parts(results: Sequence[Result]) -> str:
    """Where the CPU time went, for servers of several processes."""
    lines = []
    for result in results:
        if len(result.cpu_by_process) > 1:
            shares = ", ".join(f"{name} {ms:.0f}" for name, ms in result.cpu_by_process.items())
            lines.append(f"{result.server}, {result.streams} streams, CPU by process: {shares}")
    return "\n".join(lines)


def troubles(results: Sequence[Result]) -> str:
    """What makes a row of the table doubtful."""
    lines = []
    for result in results:
        where = f"{result.server}, {result.streams} streams"
        if result.gaps or result.doubled:
            lines.append(f"{where}: {result.gaps} gaps, {result.doubled} tokens doubled")
        if result.failed:
            lines.append(f"{where}: {len(result.failed)} streams failed: {result.failed[0]}")
    return "\n".join(lines)


def machine() -> str:
    load = os.getloadavg()[0]
    packages = ("daphne", "channels", "celery", "langchain-openai", "fastapi", "uvicorn")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {versions}; "
        f"load average at the start {load:.2f}"
    )
