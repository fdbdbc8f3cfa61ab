"""What a phone asks for when the site is put on its home screen."""

from io import BytesIO

import pytest
from django.test import Client
from PIL import Image
from pytest_django.fixtures import Settings

from accounts.models import User
from chatsite.home_screen import ICONS


@pytest.fixture(autouse=True)
def _files_as_they_are(settings: Settings) -> None:
    """Pages without a `collectstatic` before."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


def content(client: Client, path: str) -> bytes:
    answer = client.get(path)
    assert answer.status_code == 200
    return b"".join(answer) if answer.streaming else answer.content


def test_the_manifest_speaks_the_language_of_its_reader(client: Client) -> None:
    answer = client.get("/manifest.webmanifest", headers={"Accept-Language": "fr"})
    shown = answer.json()
    assert answer["Content-Type"] == "application/manifest+json"
    assert (shown["lang"], shown["dir"], shown["display"]) == ("fr", "ltr", "standalone")
    assert shown["shortcuts"][0]["name"] == "Nouvelle discussion"


def test_every_icon_of_the_manifest_is_there_in_its_size(client: Client) -> None:
    icons = client.get("/manifest.webmanifest").json()["icons"]
    assert {(one["sizes"], one["purpose"]) for one in icons} == {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }
    for one in icons:
        image = Image.open(BytesIO(content(client, one["src"])))
        assert f"{image.width}x{image.height}" == one["sizes"]


@pytest.mark.parametrize("name", ICONS)
def test_an_icon_is_cut_by_us_or_by_the_system(client: Client, name: str) -> None:
    _, full = ICONS[name]
    image = Image.open(BytesIO(content(client, f"/icons/{name}.png"))).convert("RGBA")
    corner, middle = image.getpixel((0, 0)), image.getpixel((image.width // 2, image.height // 2))
    assert corner == ((14, 124, 123, 255) if full else (0, 0, 0, 0))
    assert middle == (255, 255, 255, 255)


def test_there_are_no_other_icons(client: Client) -> None:
    assert client.get("/icons/icon-9999.png").status_code == 404


def test_the_service_worker_lies_at_the_root_and_is_asked_about_each_time(client: Client) -> None:
    answer = client.get("/service-worker.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert "no-cache" in answer["Cache-Control"]
    assert b'"/offline/"' in b"".join(answer)


def test_the_page_that_is_kept_names_nobody(client: Client, owner: User) -> None:
    client.force_login(owner)
    page = content(client, "/offline/").decode()
    assert "No connection" in page
    assert owner.username not in page
    assert "csrf" not in page
