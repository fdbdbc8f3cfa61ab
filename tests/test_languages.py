"""Every text has its French and its German, and who reads gets their own language."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from llm.errors import MESSAGES
from scripts import messages
from streaming.job import SENTENCES
from tests.conftest import OpenTab
from tests.stack import Web

ROOT = Path(__file__).resolve().parent.parent
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")
each_language = pytest.mark.parametrize("language", messages.LANGUAGES)
each_domain = pytest.mark.parametrize("domain", ["django", "djangojs"])


@pytest.fixture(autouse=True)
def _files_as_they_are(settings: Settings) -> None:
    """Pages without a `collectstatic` before."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


# --- The texts -----------------------------------------------------------------------------------
def pairs(language: str, domain: str) -> Iterator[tuple[str, str]]:
    """Each text beside its translation; those of a number, form by form."""
    for message in messages.load(messages.path_of(language, domain), language):
        if not message.id:
            continue
        sources = [message.id] if isinstance(message.id, str) else list(message.id)
        found = [message.string] if isinstance(message.string, str) else list(message.string or ())
        assert len(found) == len(sources)
        yield from zip(sources, found, strict=True)


@each_language
@each_domain
def test_the_catalog_holds_what_the_code_says_and_nothing_else(language: str, domain: str) -> None:
    said = {first_of(text) for text, _ in messages.texts(domain)}
    known = {
        first_of(message.id)
        for message in messages.load(messages.path_of(language, domain), language)
        if message.id
    }
    assert len(said) > 40
    assert said - known == set(), "run scripts/messages.py extract"
    assert known - said == set(), "run scripts/messages.py extract"


def first_of(text: str | tuple[str, ...] | list[str]) -> str:
    return text if isinstance(text, str) else text[0]


@each_language
@each_domain
def test_every_text_is_translated(language: str, domain: str) -> None:
    assert [source for source, found in pairs(language, domain) if not found] == []
    path = messages.path_of(language, domain)
    fuzzy = [one.id for one in messages.load(path, language) if one.fuzzy and one.id]
    assert fuzzy == []


@each_language
@each_domain
def test_no_translation_loses_a_value(language: str, domain: str) -> None:
    wrong = [
        source
        for source, found in pairs(language, domain)
        if sorted(PLACEHOLDER.findall(source)) != sorted(PLACEHOLDER.findall(found))
    ]
    assert wrong == []


@each_language
@each_domain
def test_no_translation_breaks_the_markup_around_it(language: str, domain: str) -> None:
    """Some stand in attributes, which templates put between straight quotes."""
    for source, found in pairs(language, domain):
        for mark in '<>"':
            assert found.count(mark) == source.count(mark), found


@each_language
@each_domain
def test_translations_are_set_with_the_marks_of_a_printer(language: str, domain: str) -> None:
    wrong = [found for _, found in pairs(language, domain) if re.search(r"\w'\w|\.\.\.", found)]
    assert wrong == []


def test_the_scripts_are_read_whole() -> None:
    """Should the extraction ever stumble over new syntax, it would go on without a word."""
    said = {first_of(text) for text, _ in messages.texts("djangojs")}
    for file in (ROOT / "static" / "js").glob("*.js"):
        for text in re.findall(r'\bn?gettext\(\s*"((?:[^"\\]|\\.)+)"', file.read_text()):
            assert json.loads(f'"{text}"') in said, file.name


def test_no_text_is_put_together_before_it_is_looked_up() -> None:
    """`gettext(`…${name}`)` would never be found in a catalog."""
    for file in (ROOT / "static" / "js").glob("*.js"):
        assert not re.search(r"\bn?gettext\(\s*`", file.read_text()), file.name
    for path in messages.python_files():
        assert not re.search(r"\b(_|gettext|ngettext|gettext_lazy)\(\s*f\"", path.read_text()), path


def test_the_page_says_every_failure_as_the_worker_does() -> None:
    """The worker stores its sentence in English; the page says the same in other languages."""
    script = (ROOT / "static" / "js" / "failures.js").read_text()
    rows: list[tuple[str, str]] = re.findall(
        r'^  (\w+): gettext\(\s*"(.*?)",?\s*\),$', script, re.MULTILINE | re.DOTALL
    )
    assert sorted(rows) == sorted([*MESSAGES.items(), *SENTENCES.items()])


# --- Who reads what ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("accepted", "heading"),
    [
        ("fr-CA, en;q=0.5", "Se connecter"),
        ("de", "Anmelden"),
        ("pt, it", "Sign in"),
        ("", "Sign in"),
    ],
)
def test_a_page_is_in_the_language_of_the_browser(
    client: Client, db: None, accepted: str, heading: str
) -> None:
    answer = client.get("/accounts/login/", headers={"Accept-Language": accepted})
    page = answer.content.decode()
    assert f"<h1>{heading}</h1>" in " ".join(page.split()).replace("> ", ">").replace(" <", "<")
    assert "Accept-Language" in answer["Vary"]


def test_the_users_own_language_comes_first(client: Client, owner: User) -> None:
    owner.language = "de"
    owner.save(update_fields=["language"])
    client.force_login(owner)
    client.cookies["django_language"] = "fr"
    answer = client.get("/", headers={"Accept-Language": "fr"})
    page = answer.content.decode()
    assert '<html lang="de" dir="ltr"' in page
    assert "Womit kann ich helfen, owner?" in page
    assert answer["Content-Language"] == "de"
    texts = json.loads(re.search(r'id="translations"[^>]*>(.*?)</script>', page)[1])  # type: ignore[index]
    assert texts["catalog"]["Today"] == "Heute"
    assert texts["catalog"]["%(number)s token"] == ["%(number)s Token", "%(number)s Token"]
    assert "n != 1" in texts["plural"]


def test_english_needs_no_translations_on_the_page(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert 'id="translations"' not in client.get("/").content.decode()


def test_the_socket_refuses_in_the_users_language(owner: User, web: Web, open_tab: OpenTab) -> None:
    owner.language = "fr"
    owner.save(update_fields=["language"])
    tab = open_tab(owner, web)
    error = tab.ask("message.submit", client_message_id=str(uuid4()), text=" ")
    assert error["message"] == "Le message est vide. Écrivez d’abord quelque chose."
