"""Theme, text size and language, as the server keeps and shows them."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User

PATH = "/api/v1/me/preferences"
pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def _files_as_they_are(settings: Settings) -> None:
    """Pages without a `collectstatic` before."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


def change(client: Client, **changes: str) -> tuple[int, dict[str, str]]:
    answer = client.patch(PATH, changes, content_type="application/json")
    return answer.status_code, answer.json()


def root_of(client: Client, path: str = "/") -> str:
    """The `<html>` tag of a page."""
    page = client.get(path, follow=True).content.decode()
    return page[page.index("<html") : page.index("<head")]


def test_what_is_chosen_is_on_every_page_from_its_first_byte(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert "data-" not in root_of(client)
    status, stored = change(client, theme="dark", text_size="large", language="fr")
    assert (status, stored) == (200, {"theme": "dark", "text_size": "large", "language": "fr"})
    for path in ("/", "/accounts/email/"):
        root = root_of(client, path)
        assert 'data-theme="dark"' in root
        assert 'data-text-size="large"' in root
        assert 'lang="fr"' in root


def test_only_what_is_named_is_changed(client: Client, owner: User) -> None:
    client.force_login(owner)
    change(client, theme="dark")
    assert change(client, text_size="small")[1] == {
        "theme": "dark",
        "text_size": "small",
        "language": "",
    }
    assert change(client)[1]["theme"] == "dark"


def test_the_browser_remembers_them_after_signing_out(client: Client, owner: User) -> None:
    client.force_login(owner)
    change(client, theme="light", text_size="largest", language="de")
    client.post("/accounts/logout/")
    root = root_of(client)
    assert 'data-theme="light"' in root
    assert 'data-text-size="largest"' in root
    assert 'lang="de"' in root


def test_the_browsers_language_is_a_choice_too(client: Client, owner: User) -> None:
    client.force_login(owner)
    change(client, language="de")
    change(client, language="")
    assert client.cookies["django_language"].value == ""
    assert 'lang="en"' in root_of(client)


def test_a_cookie_with_nonsense_changes_nothing(client: Client) -> None:
    client.cookies["theme"] = 'dark" onload="x'
    client.cookies["text_size"] = "huge"
    assert "data-" not in root_of(client, "/accounts/login/")


@pytest.mark.django_db
def test_whoever_is_not_signed_in_has_nothing_to_change(client: Client) -> None:
    assert change(client, theme="dark")[0] == 401


@pytest.mark.parametrize("wrong", [{"theme": "pink"}, {"text_size": "9"}, {"language": "xx"}])
def test_what_is_not_offered_is_refused(client: Client, owner: User, wrong: dict[str, str]) -> None:
    client.force_login(owner)
    assert change(client, **wrong)[0] in (400, 422)
    owner.refresh_from_db()
    assert (owner.theme, owner.text_size, owner.language) == ("system", "medium", "")


def test_one_users_choice_is_not_anothers(owner: User, stranger: User) -> None:
    mine, theirs = Client(), Client()
    mine.force_login(owner)
    theirs.force_login(stranger)
    change(mine, theme="dark")
    assert "data-theme" not in root_of(theirs)
