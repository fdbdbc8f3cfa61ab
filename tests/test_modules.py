"""The page names every module that it needs, so that the browser fetches them all at once."""

import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from conversations.templatetags.modules import imported_by
from tests.stack import ROOT

STATIC = Path(ROOT) / "static"


@pytest.fixture(autouse=True)
def _names_without_hashes(settings: Settings) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


def preloaded(client: Client, owner: User) -> list[str]:
    client.force_login(owner)
    page = client.get("/").content.decode()
    return re.findall(r'<link rel="modulepreload" href="/static/([^"]+)">', page)


def test_the_page_names_every_module_once(client: Client, owner: User) -> None:
    named = preloaded(client, owner)
    assert len(named) == len(set(named))
    assert {name for name in named if name.startswith("js/")} == set(imported_by("js/chat.js"))


def test_the_page_names_the_packages_that_its_modules_import(client: Client, owner: User) -> None:
    modules = [STATIC / name for name in imported_by("js/chat.js")]
    source = "\n".join(module.read_text() for module in modules)
    packages = set(re.findall(r'^import .* from "([a-z][^"]*)";$', source, re.MULTILINE))
    named = {name.split("/")[1] for name in preloaded(client, owner) if name.startswith("npm/")}
    assert packages == named


def test_what_is_fetched_when_it_is_needed_is_not_named() -> None:
    assert "js/code_worker.js" not in imported_by("js/chat.js")
    assert "js/message_view.js" in imported_by("js/chat.js")


def test_every_import_is_seen() -> None:
    """Written over several lines, for its effect alone, or to be passed on."""
    followed = {STATIC / name for name in imported_by("js/chat.js")}
    for module in followed:
        for name in re.findall(r'from "\./([^"]+)"|^import "\./([^"]+)"', module.read_text(), re.M):
            assert STATIC / "js" / (name[0] or name[1]) in followed
