"""What the pages say of settings, metrics, files and targets is what there is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
PACKAGES = ("chatsite", "streaming", "conversations", "llm", "accounts", "deploy/embedded")
READERS = {
    "text": "empty",
    "words": "empty",
    "pairs": "empty",
    "flag": "0",
    "number": "",
    "whole": "",
}
# Set by make and by Django for themselves, never by a person.
INTERNAL = {"MAKELEVEL", "DJANGO_SETTINGS_MODULE"}
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
FILE = re.compile(r"^(?:[\w.@-]+/)+[\w.@-]*\.\w+$|^[\w.-]+/$")


class Variable(NamedTuple):
    """`default`: as the page writes it, None where the code works it out."""

    name: str
    default: str | None


class Row(NamedTuple):
    name: str
    default: str


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


each_page = pytest.mark.parametrize("page", PAGES, ids=page_id)


# --- What the code reads -------------------------------------------------------------------------
def variables(packages: tuple[str, ...] = PACKAGES) -> list[Variable]:
    files = [file for package in packages for file in (ROOT / package).rglob("*.py")]
    return [found for file in files for found in read_in(ast.parse(file.read_text()))]


def read_in(tree: ast.Module) -> Iterator[Variable]:
    readers = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "chatsite.environment"
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from read_by_call(node, readers)
        elif isinstance(node, ast.Subscript) and is_environ(node.value):
            if isinstance(node.ctx, ast.Load):
                yield from named(node.slice)
        elif isinstance(node, ast.Compare) and is_environ(node.comparators[0]):
            yield from named(node.left)


def read_by_call(call: ast.Call, readers: set[str]) -> Iterator[Variable]:
    if isinstance(call.func, ast.Name) and call.func.id in readers & READERS.keys():
        yield from named(call.args[0], default_of(call, READERS[call.func.id]))
    elif isinstance(call.func, ast.Attribute) and is_environ(call.func.value):
        yield from named(call.args[0], default_of(call, None))


def is_environ(node: ast.expr) -> bool:
    return ast.unparse(node) == "os.environ"


def named(node: ast.expr, default: str | None = None) -> Iterator[Variable]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield Variable(node.value, default)


def default_of(call: ast.Call, without: str | None) -> str | None:
    given = call.args[1] if len(call.args) > 1 else None
    if given is None:
        return without
    if not isinstance(given, ast.Constant) or given.value == "":
        return None
    if isinstance(given.value, bool):
        return str(int(given.value))
    return f"{given.value:g}" if isinstance(given.value, float) else str(given.value)


def variables_of_compose() -> set[str]:
    return set(re.findall(r"(?<!\$)\$\{(\w+)", (ROOT / "compose.yaml").read_text()))


# --- What the page says --------------------------------------------------------------------------
def settings_rows() -> list[Row]:
    text = (ROOT / "docs" / "operations.md").read_text()
    section = text.split("\n## Settings\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE)
    return [Row(*row) for row in found]


def test_every_setting_that_the_code_reads_is_on_the_page() -> None:
    read = {variable.name for variable in variables()} | variables_of_compose()
    assert len(read) > 50
    assert read - INTERNAL - {row.name for row in settings_rows()} == set()


def test_every_setting_on_the_page_is_read_by_the_code() -> None:
    names = [row.name for row in settings_rows()]
    read = {variable.name for variable in variables()} | variables_of_compose()
    assert set(names) - read == set()
    assert len(names) == len(set(names))


def test_the_defaults_on_the_page_are_those_of_the_code() -> None:
    shown = {row.name: row.default.replace("`", "") for row in settings_rows()}
    # `make run` sets some of them otherwise; the page says so under "meaning".
    known = [
        (name, default)
        for name, default in variables(("chatsite",))
        if default is not None and name not in INTERNAL
    ]
    assert len(known) > 30
    wrong = [name for name, default in known if not has_word(shown[name], default)]
    assert wrong == []


def has_word(text: str, word: str) -> bool:
    """Not a part of another: 3 is not in 30."""
    return re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", text) is not None


def test_the_sample_of_the_environment_names_settings_alone() -> None:
    sample = (ROOT / ".env.example").read_text()
    names = set(re.findall(r"^#? ?([A-Z_]+)=", sample, re.MULTILINE))
    assert {"SECRET_KEY", "POSTGRES_PASSWORD"} <= names
    assert names - {row.name for row in settings_rows()} == set()


def test_every_metric_is_on_the_page_and_none_that_is_not_there() -> None:
    sources = ("streaming/metrics.py", "chatsite/metrics.py", "llm/metrics.py")
    code = "".join((ROOT / source).read_text() for source in sources)
    counted = set(re.findall(r"\"(chatsite_\w+)\"", code))
    section = (ROOT / "docs" / "operations.md").read_text().split("\n## Metrics\n")[1]
    listed = set(re.findall(r"^\| `(chatsite_\w+)` \|", section, re.MULTILINE))
    assert len(counted) > 20
    assert counted == listed


@each_page
def test_every_metric_that_a_page_names_is_counted(page: Path) -> None:
    listed = (ROOT / "docs" / "operations.md").read_text().split("\n## Metrics\n")[1]
    for name in re.findall(r"`(chatsite_\w+)`", page.read_text()):
        assert f"| `{name}` |" in listed


# --- Links, files and targets --------------------------------------------------------------------
@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [link for link in links(page) if not leads_somewhere(page, link)]
    assert broken == []


def links(page: Path) -> list[str]:
    prose = CODE.sub("", page.read_text())
    found = [one or other for one, other in LINK.findall(prose)]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or anchor in anchors(target)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named_files = [span.strip("`") for span in CODE.findall(page.read_text())]
    missing = [
        name
        for name in named_files
        if FILE.match(name) and not name.startswith("docs/images/") and not (ROOT / name).exists()
    ]
    assert [name for name in missing if name not in made_later()] == []


def made_later() -> set[str]:
    """Folders that `make` makes, which a fresh clone does not hold."""
    ignored = (ROOT / ".gitignore").read_text().split()
    return {name for name in ignored if name.endswith("/")} | {"docs/"}


@each_page
def test_every_target_that_a_page_names_can_be_made(page: Path) -> None:
    targets = re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    code = "\n".join(CODE.findall(page.read_text()))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) - set(targets) == set()


def test_the_readme_names_both_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert re.findall(r"^make (\w+)", readme, re.MULTILINE)[:2] == ["run", "test"]
