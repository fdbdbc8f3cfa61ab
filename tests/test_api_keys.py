"""Keys for programs: shown once, stored as a hash, held to their scopes."""

import re
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from accounts.keys import create_key, find_key
from accounts.models import ApiKey, User
from api.auth import standing

pytestmark = [pytest.mark.django_db, pytest.mark.database]
LIST = "/api/v1/conversations"


@pytest.fixture(autouse=True)
def _files_as_they_are(settings: Settings) -> None:
    """Pages without a `collectstatic` before: Django renders one to refuse a missing CSRF token."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


def get(secret: str, path: str = LIST) -> tuple[int, str]:
    answer = Client().get(path, headers={"Authorization": f"Bearer {secret}"})
    return answer.status_code, answer.json().get("code", "")


def test_a_key_lets_a_program_in(owner: User) -> None:
    key, secret = create_key(owner, "script")
    assert secret.startswith("sk-")
    assert get(secret) == (200, "")
    key.refresh_from_db()
    assert key.last_used_at is not None
    assert secret not in str(ApiKey.objects.values_list())


@pytest.mark.parametrize("secret", ["sk-wrong", "", "sk-" + "x" * 43, "sk-ключ"])
def test_what_is_no_key_is_refused(owner: User, secret: str) -> None:
    create_key(owner, "script")
    answer = Client().get(
        LIST, headers={"Authorization": f"Bearer {secret}".encode().decode("latin1")}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_a_wrong_key_is_told_apart_from_a_missing_csrf_token(owner: User) -> None:
    answer = Client().post(
        "/api/v1/folders",
        {"name": "x"},
        "application/json",
        headers={"Authorization": "Bearer sk-no"},
    )
    assert answer.status_code == 401


def test_a_program_without_a_key_is_told_nothing_of_csrf(owner: User) -> None:
    program = Client(enforce_csrf_checks=True)
    answer = program.post("/api/v1/folders", {"name": "x"}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    program.force_login(owner)
    assert program.post("/api/v1/folders", {"name": "x"}, "application/json").status_code == 403


def test_a_revoked_an_ended_and_a_disabled_users_key_are_refused(owner: User) -> None:
    now = timezone.now()
    ended, ended_secret = create_key(owner, "ended", expires_at=now - timedelta(seconds=1))
    revoked, revoked_secret = create_key(owner, "revoked")
    ApiKey.objects.filter(pk=revoked.pk).update(revoked_at=now)
    _, secret = create_key(owner, "good")
    assert [get(one)[0] for one in (ended_secret, revoked_secret, secret)] == [401, 401, 200]
    refused = Client().get(LIST, headers={"Authorization": f"Bearer {revoked_secret}"}).json()
    assert "has ended or was revoked" in refused["message"]
    assert Client().get(LIST).json()["message"] == "Sign in first."
    assert not ended.is_valid
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert find_key(secret) is None


def test_a_key_stands_until_it_ends_and_no_longer(owner: User) -> None:
    """Who reads is asked about again and again, with what was looked up at the beginning."""
    key, _ = create_key(owner, "short", expires_at=timezone.now() + timedelta(seconds=0.2))
    request = RequestFactory().get(LIST)
    request.api_key = key  # type: ignore[attr-defined]
    stands = standing(request)
    assert stands()
    deadline = time.monotonic() + 5
    while stands():
        assert time.monotonic() < deadline
    assert not key.is_valid


def test_a_key_may_do_what_its_scopes_say(owner: User) -> None:
    _, reader = create_key(owner, "reader", ["read"])
    headers = {"Authorization": f"Bearer {reader}"}
    assert get(reader) == (200, "")
    for path, needed in (("/api/v1/folders", "write"), ("/api/v1/messages", "chat")):
        answer = Client().post(
            path, {"name": "x", "text": "x"}, "application/json", headers=headers
        )
        assert answer.status_code == 403
        assert needed in answer.json()["message"]


def test_a_key_cannot_change_its_owners_preferences(owner: User) -> None:
    _, secret = create_key(owner, "script")
    answer = Client(enforce_csrf_checks=True).patch(
        "/api/v1/me/preferences",
        {"theme": "dark"},
        "application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code in (401, 403)


def test_the_command_prints_a_key_that_works(
    owner: User, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_api_key", owner.username, "--name", "ci", "--scope", "read", "--days", "3")
    secret = capsys.readouterr().out.strip()
    assert get(secret) == (200, "")
    key = ApiKey.objects.get()
    assert (key.name, key.scopes) == ("ci", ["read"])
    assert key.expires_at is not None
    with pytest.raises(CommandError, match="no user 'nobody'"):
        call_command("create_api_key", "nobody", "--name", "ci")


@pytest.mark.parametrize(
    ("option", "value"),
    [("--name", " "), ("--name", "x" * 81), ("--days", "0"), ("--days", "99999999")],
)
def test_the_command_refuses_what_no_key_can_have(owner: User, option: str, value: str) -> None:
    options = {"--name": "ci", option: value}
    words = [word for pair in options.items() for word in pair]
    with pytest.raises(CommandError, match=f"^{option}: expected"):
        call_command("create_api_key", owner.username, *words)
    assert not owner.api_keys.exists()


def test_the_page_makes_a_key_shows_it_once_and_revokes_it(owner: User, stranger: User) -> None:
    page = Client()
    page.force_login(owner)
    made = page.post(
        "/accounts/keys/", {"name": "Script", "scopes": ["chat", "read"], "days": "30"}
    )
    secret = re.findall(r'value="(sk-[^"]+)"', made.content.decode())[0]
    assert get(secret) == (200, "")
    again = page.get("/accounts/keys/").content.decode()
    assert "Script" in again
    assert secret not in again
    key = ApiKey.objects.get()
    other = Client()
    other.force_login(stranger)
    assert other.post(f"/accounts/keys/{key.pk}/revoke/").status_code == 404
    assert page.post(f"/accounts/keys/{key.pk}/revoke/").status_code == 302
    assert get(secret)[0] == 401


def test_the_page_wants_a_name_and_a_scope(owner: User) -> None:
    page = Client()
    page.force_login(owner)
    answer = page.post("/accounts/keys/", {"name": "", "days": ""}).content.decode()
    assert answer.count("This field is required.") == 2
    assert not ApiKey.objects.exists()


def test_an_admin_sees_keys_and_revokes_them(owner: User) -> None:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    key, secret = create_key(owner, "script")
    admin = Client()
    admin.force_login(owner)
    listed = admin.get("/admin/accounts/apikey/").content.decode()
    assert "script" in listed
    assert "Ask models, Read conversations" in listed
    admin.post("/admin/accounts/apikey/", {"action": "revoke", "_selected_action": [str(key.pk)]})
    assert find_key(secret) is None
