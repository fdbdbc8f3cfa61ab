"""Signing up, in and out, through the pages that a browser would use."""

import re
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User

PASSWORD = "correct horse battery"
NEW_PASSWORD = "another horse entirely"


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Settings) -> None:
    """The hash of a password is slow on purpose; the first of the list is used for a new one."""
    quick = "django.contrib.auth.hashers.MD5PasswordHasher"
    settings.PASSWORD_HASHERS = [quick, *settings.PASSWORD_HASHERS]


@pytest.fixture(autouse=True)
def _files_as_they_are(settings: Settings) -> None:
    """Pages without a `collectstatic` before."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


def sign_up(client: Client, name: str = "ada") -> Any:
    return client.post(
        "/accounts/signup/",
        {
            "username": name,
            "email": f"{name}@example.com",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )


def log_in(client: Client, login: str, password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": login, "password": password})


def is_logged_in(client: Client) -> bool:
    return client.get("/").status_code == 200


# --- Signing up ---------------------------------------------------------------------------------
@pytest.mark.django_db
def test_signing_up_makes_a_user_and_logs_them_in(client: Client) -> None:
    assert sign_up(client)["Location"] == "/"
    assert User.objects.get().email == "ada@example.com"
    assert is_logged_in(client)


@pytest.mark.django_db
def test_a_weak_password_is_refused_with_a_reason(client: Client) -> None:
    answer = client.post(
        "/accounts/signup/",
        {"username": "ada", "email": "ada@example.com", "password1": "123", "password2": "123"},
    )
    assert "too short" in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_with_sign_up_closed_nobody_can(client: Client, settings: Settings) -> None:
    settings.SIGN_UP_OPEN = False
    assert sign_up(client).status_code == 200
    assert not User.objects.exists()
    assert 'name="password1"' not in client.get("/accounts/signup/").content.decode()


# --- Logging in ---------------------------------------------------------------------------------
@pytest.mark.parametrize("login", ["owner", "owner@example.com"])
def test_a_user_logs_in_by_name_and_by_e_mail(client: Client, owner: User, login: str) -> None:
    assert log_in(client, login)["Location"] == "/"
    assert is_logged_in(client)


def test_a_wrong_password_does_not_log_in(client: Client, owner: User) -> None:
    answer = log_in(client, "owner", "not the password")
    assert answer.status_code == 200
    assert not is_logged_in(client)


def test_an_unknown_name_gets_the_same_answer_as_a_wrong_password(
    client: Client, owner: User
) -> None:
    def errors(login: str) -> list[str]:
        form = log_in(client, login, "not the password").context["form"]
        return [str(error) for errors in form.errors.values() for error in errors]

    assert errors("owner") == errors("nobody")


def test_a_deactivated_user_does_not_log_in(client: Client, owner: User) -> None:
    User.objects.update(is_active=False)
    log_in(client, "owner")
    assert not is_logged_in(client)


def test_guessing_passwords_is_stopped(client: Client, owner: User) -> None:
    for _ in range(10):
        log_in(client, "owner", "not the password")
    log_in(client, "owner")
    assert not is_logged_in(client)


def test_logging_in_leads_back_to_the_page_that_was_asked_for(client: Client, owner: User) -> None:
    there = "/c/00000000-0000-4000-8000-000000000000/"
    asked = client.get(there)["Location"]
    assert asked == f"/accounts/login/?next={there}"
    answer = client.post(asked, {"login": "owner", "password": PASSWORD, "next": there})
    assert answer["Location"] == there


def test_logging_in_does_not_lead_to_another_site(client: Client, owner: User) -> None:
    answer = client.post(
        "/accounts/login/",
        {"login": "owner", "password": PASSWORD, "next": "https://evil.example/"},
    )
    assert "evil.example" not in answer.get("Location", "")


def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(
    client: Client, owner: User
) -> None:
    log_in(client, "owner")
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_over_https_the_session_cookie_goes_over_https_only(
    client: Client, owner: User, settings: Settings
) -> None:
    settings.SESSION_COOKIE_SECURE = True
    log_in(client, "owner")
    assert client.cookies["sessionid"]["secure"]


def test_forms_from_other_sites_are_refused(owner: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert log_in(strict, "owner").status_code == 403


# --- Logging out --------------------------------------------------------------------------------
def test_logging_out_takes_a_post(client: Client, owner: User) -> None:
    client.force_login(owner)
    client.get("/accounts/logout/")
    assert is_logged_in(client)
    client.post("/accounts/logout/")
    assert not is_logged_in(client)


# --- A forgotten password -----------------------------------------------------------------------
def reset_link() -> str:
    found = re.search(
        r"https?://[^/]+(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body)
    )
    assert found, mail.outbox[-1].body
    return found[1]


def test_a_password_is_reset_by_the_link_in_an_e_mail(client: Client, owner: User) -> None:
    client.post("/accounts/password/reset/", {"email": owner.email})
    form = client.get(reset_link())["Location"]
    client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    client.logout()
    log_in(client, "owner")
    assert not is_logged_in(client)
    log_in(client, "owner", NEW_PASSWORD)
    assert is_logged_in(client)


def test_a_reset_link_works_once(client: Client, owner: User) -> None:
    client.post("/accounts/password/reset/", {"email": owner.email})
    link = reset_link()
    form = client.get(link)["Location"]
    client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    again = Client().get(link)
    assert again.status_code == 200
    assert 'name="password1"' not in again.content.decode()


def test_asking_for_a_reset_does_not_tell_who_has_an_account(client: Client, owner: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": owner.email})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.com"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


# --- The users of a trial -----------------------------------------------------------------------
@pytest.fixture
def trial(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.DEBUG = True
    settings.DATA_DIR = tmp_path
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    return tmp_path


def demo_users(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Run the command; the password that it prints for each user."""
    call_command("demo_users")
    return dict(re.findall(r"user\s+(\w+)\s+password\s+(\S+)", capsys.readouterr().out))


@pytest.mark.django_db
def test_the_log_ins_that_are_printed_work(
    trial: Path, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = demo_users(capsys)
    assert log_in(client, "demo@localhost", printed["demo"])["Location"] == "/"
    client.logout()
    log_in(client, "admin", printed["admin"])
    assert client.get("/admin/").status_code == 200
    assert EmailAddress.objects.filter(verified=True, primary=True).count() == 2


@pytest.mark.django_db
def test_the_demo_user_is_no_admin(
    trial: Path, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    log_in(client, "demo", demo_users(capsys)["demo"])
    assert client.get("/admin/").status_code == 302


@pytest.mark.django_db
def test_a_random_password_is_the_same_at_every_start_and_kept_from_others(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo_users(capsys) == demo_users(capsys)
    assert (trial / "demo-password").stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db
def test_a_password_that_is_asked_for_takes_the_place_of_an_older_one(
    trial: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    demo_users(capsys)
    monkeypatch.setenv("DEMO_PASSWORD", "sesame")
    assert demo_users(capsys) == {"demo": "sesame", "admin": "sesame"}
    assert all(user.check_password("sesame") for user in User.objects.all())
    before = set(User.objects.values_list("password", flat=True))
    demo_users(capsys)
    assert set(User.objects.values_list("password", flat=True)) == before


@pytest.mark.django_db
def test_a_password_that_was_changed_by_hand_stays(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo_users(capsys)
    user = User.objects.get(username="admin")
    user.set_password(PASSWORD)
    user.save()
    assert demo_users(capsys)["admin"] == "(changed"
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.django_db
def test_without_debug_there_are_no_demo_users(settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("demo_users")
    assert not User.objects.exists()
