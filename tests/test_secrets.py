"""Keys of providers: stored encrypted, used by the worker, never shown again."""

import os

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from llm.models import ChatModel, Provider
from llm.secrets import SecretLost, decrypt, encrypt
from tests.provider import Provider as FakeProvider

pytestmark = [pytest.mark.django_db, pytest.mark.database]
KEY = "sk-very-secret-9z8y"


@pytest.fixture(autouse=True)
def _files_as_they_are(settings: Settings) -> None:
    """Pages without a `collectstatic` before."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def admin(owner: User) -> Client:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    client = Client()
    client.force_login(owner)
    return client


def form(**changes: str) -> dict[str, str]:
    fields = {"name": "Ours", "kind": "openai", "base_url": "http://a:1/v1", "enabled": "on"}
    return fields | changes


def test_a_key_is_stored_encrypted_and_never_shown_again(admin: Client) -> None:
    url = reverse("admin:llm_provider_add")
    assert admin.post(url, form(key=KEY, headers="X-Team: blue")).status_code == 302
    provider = Provider.objects.get(name="Ours")
    assert KEY not in provider.encrypted_key
    assert decrypt(provider.encrypted_key) == KEY
    page = admin.get(reverse("admin:llm_provider_change", args=[provider.pk])).content.decode()
    assert "ends in …9z8y" in page
    assert KEY not in page
    assert "Stored: X-Team." in page
    assert "blue" not in page


def test_an_empty_field_keeps_the_key_and_forget_drops_it(admin: Client) -> None:
    provider = Provider.objects.create(name="Ours", base_url="http://a:1/v1")
    provider.set_key(KEY)
    provider.save()
    url = reverse("admin:llm_provider_change", args=[provider.pk])
    admin.post(url, form(name="Renamed"))
    provider.refresh_from_db()
    assert (provider.name, decrypt(provider.encrypted_key)) == ("Renamed", KEY)
    admin.post(url, form(forget="on"))
    provider.refresh_from_db()
    assert provider.encrypted_key == ""


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({"base_url": "http://a:1/other"}, True),
        ({"base_url": "http://theirs:1/v1"}, False),
        ({"base_url": "https://a:1/v1"}, False),
        ({"base_url": "http://a:2/v1"}, False),
        ({"base_url": ""}, False),
        ({"base_url": "http://theirs:1/v1", "key": "sk-theirs"}, False),
        ({"base_url": "http://theirs:1/v1", "key": "sk-theirs", "headers": "X-Team: red"}, True),
        ({"base_url": "http://theirs:1/v1", "forget": "on"}, True),
    ],
)
def test_what_is_stored_goes_to_no_other_host(
    admin: Client, change: dict[str, str], moves: bool
) -> None:
    provider = Provider.objects.create(name="Ours", base_url="http://a:1/v1")
    provider.set_key(KEY)
    provider.set_headers({"X-Team": "blue"})
    provider.save()
    url = reverse("admin:llm_provider_change", args=[provider.pk])
    answer = admin.post(url, form(**change))
    provider.refresh_from_db()
    assert (provider.base_url == change["base_url"]) is moves
    if not moves:
        assert "was given for http://a:1. For another one" in answer.content.decode()
        assert decrypt(provider.encrypted_key) == KEY


def test_a_header_that_is_none_is_refused(admin: Client) -> None:
    answer = admin.post(reverse("admin:llm_provider_add"), form(headers="X-Team blue"))
    assert "Expected `Name: value`, got &#x27;X-Team blue&#x27;." in answer.content.decode()
    assert not Provider.objects.filter(name="Ours").exists()


def test_a_setting_of_ours_is_no_key(admin: Client, provider: FakeProvider) -> None:
    """SECRET_KEY would go to a server that whoever edits providers has named."""
    url = reverse("admin:llm_provider_add")
    refused = admin.post(url, form(key_variable="DATABASE_URL", base_url=provider.url))
    assert "no setting of ours" in refused.content.decode()
    assert os.environ["DATABASE_URL"]
    row = Provider.objects.create(name="Theirs", base_url=provider.url, key_variable="DATABASE_URL")
    model = ChatModel.objects.create(slug="m", label="M", provider=row, provider_model="fake")
    admin.post(f"/admin/llm/chatmodel/{model.pk}/test/")
    assert provider.requests[0].headers["Authorization"] == "Bearer none"


def test_rotation_writes_every_secret_with_the_first_key(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = ["old"]
    provider = Provider.objects.create(name="Ours", encrypted_key=encrypt(KEY))
    settings.ENCRYPTION_KEYS = ["new", "old"]
    call_command("rotate_encryption_keys")
    settings.ENCRYPTION_KEYS = ["new"]
    provider.refresh_from_db()
    assert decrypt(provider.encrypted_key) == KEY


def test_rotation_without_the_old_key_changes_nothing_and_names_it(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = ["old"]
    stored = encrypt(KEY)
    Provider.objects.create(name="Ours", encrypted_key=stored)
    settings.ENCRYPTION_KEYS = ["new"]
    with pytest.raises(CommandError, match=r"Ours: encrypted_key fits none.* that is SECRET_KEY"):
        call_command("rotate_encryption_keys")
    assert Provider.objects.get(name="Ours").encrypted_key == stored
    with pytest.raises(SecretLost):
        decrypt(stored)
