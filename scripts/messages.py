"""The texts of the product in other languages.

    scripts/messages.py extract    # look for texts, and add new ones to locale/*/LC_MESSAGES/*.po
    scripts/messages.py compile    # make the .mo files, that Django reads, where they are older

Needs Babel alone: no xgettext, and no settings.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
LANGUAGES = ("de", "fr")
PACKAGES = ("accounts", "api", "chatsite", "conversations", "llm", "streaming", "usage")
PYTHON = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
JAVASCRIPT = {"gettext": None, "ngettext": (1, 2)}

Found = tuple[str | tuple[str, ...], str | None]


# --- What there is to say ------------------------------------------------------------------------
def texts(domain: str) -> Iterator[Found]:
    """A text, or the two of a number, with its context. `django` is what the server says,
    `djangojs` what the page's scripts say."""
    if domain == "djangojs":
        for file in sorted((ROOT / "static" / "js").glob("**/*.js")):
            yield from found_in("javascript", file.read_bytes(), JAVASCRIPT)
        return
    for file in python_files():
        yield from found_in("python", file.read_bytes(), PYTHON)
    for file in sorted((ROOT / "templates").rglob("*.*")):
        yield from found_in("python", calls_in(file.read_text()), PYTHON)


def python_files() -> Iterable[Path]:
    files = (file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return sorted(file for file in files if "migrations" not in file.parts)


def found_in(method: str, source: bytes, keywords: Mapping[str, object]) -> Iterator[Found]:
    for _, message, _, context in extract(method, BytesIO(source), keywords):  # type: ignore[arg-type]
        yield message, context


def calls_in(template: str) -> bytes:
    """Django's own way to make of a template what looks like calls in Python; the letters in
    between would not always be Python's."""
    from django.conf import settings
    from django.utils.translation.template import templatize

    if not settings.configured:
        settings.configure()
    calls = re.findall(
        r"(?:n?p?gettext|\b_)\(u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|[^()])*\)",
        templatize(template),
    )
    return "\n".join(calls).encode()


# --- Catalogs ------------------------------------------------------------------------------------
def path_of(language: str, domain: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.po"


def load(path: Path, language: str) -> Catalog:
    if not path.exists():
        return Catalog(locale=language, charset="utf-8", fuzzy=False)
    return read_po(BytesIO(path.read_bytes()), locale=language)


def template_of(domain: str) -> Catalog:
    template = Catalog(charset="utf-8", fuzzy=False)
    for message, context in texts(domain):
        template.add(message, context=context)
    return template


def update(language: str, domain: str, template: Catalog) -> int:
    """Returns how many texts are still to be translated."""
    path = path_of(language, domain)
    catalog = load(path, language)
    # A guess that looks right is worse than none.
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    written = BytesIO()
    write_po(written, catalog, no_location=True, sort_output=True, width=100, omit_header=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header(catalog) + written.getvalue())
    return sum(1 for message in catalog if message.id and not is_whole(message.string))


def header(catalog: Catalog) -> bytes:
    """Without dates and names, which would change with every run."""
    kept = {
        "Language": str(catalog.locale),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": catalog.plural_forms,
    }
    lines = "".join(f'"{name}: {value}\\n"\n' for name, value in kept.items())
    return f'msgid ""\nmsgstr ""\n{lines}\n'.encode()


def is_whole(string: str | Iterable[str] | None) -> bool:
    return bool(string) if isinstance(string, str) or string is None else all(string)


def extract_all() -> None:
    for domain in ("django", "djangojs"):
        template = template_of(domain)
        for language in LANGUAGES:
            print(f"{language}/{domain}: {update(language, domain, template)} to translate")


def compile_all() -> None:
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        made = path.with_suffix(".mo")
        if made.exists() and made.stat().st_mtime_ns >= path.stat().st_mtime_ns:
            continue
        text = BytesIO()
        write_mo(text, load(path, path.parent.parent.name))
        # In one step: others may be reading it, or making it too.
        partial = made.with_suffix(f".{os.getpid()}")
        partial.write_bytes(text.getvalue())
        partial.replace(made)


if __name__ == "__main__":
    {"extract": extract_all, "compile": compile_all}[sys.argv[1]]()
