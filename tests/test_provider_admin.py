"""What admins do with providers: see how they fare, try a model, fetch what a server has."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import localtime
from pytest_django import Settings

from accounts.models import User
from llm import health
from llm.admin import clock
from llm.admin_pages import QUESTION
from llm.errors import ProviderError
from llm.models import ChatModel, ToolServer
from llm.models import Provider as ProviderRow
from tests.environment import free_port
from tests.pages_server import Answer, serving
from tests.provider import Provider, expected_text
from tests.stack import ROOT, Process

pytestmark = pytest.mark.database


@pytest.fixture
def admin(client: Client, settings: Settings, transactional_db: None) -> Client:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.LLM_MAX_RETRIES = 0
    client.force_login(User.objects.create_superuser("root", "root@example.com"))
    return client


@pytest.fixture
def row(provider: Provider, transactional_db: None) -> ProviderRow:
    made = ProviderRow.objects.create(name="Ours", base_url=provider.url)
    made.set_key("sk-very-secret-key")
    made.save()
    health.succeeded(made.pk, made.name)
    return made


@pytest.fixture
def model(row: ProviderRow) -> ChatModel:
    return ChatModel.objects.create(slug="m", label="M", provider=row, provider_model="fake")


def page(client: Client, url: str) -> str:
    answered = client.get(url)
    assert answered.status_code == 200, url
    return answered.content.decode()


def try_url(model: ChatModel) -> str:
    return f"/admin/llm/chatmodel/{model.pk}/test/"


def fetch_url(row: ProviderRow) -> str:
    return f"/admin/llm/provider/{row.pk}/fetch-models/"


# --- Test ----------------------------------------------------------------------------------------
def test_nothing_is_asked_before_the_click(
    admin: Client, model: ChatModel, provider: Provider
) -> None:
    assert QUESTION in page(admin, try_url(model))
    assert not provider.requests


def test_a_model_that_works_shows_its_answer_and_times(
    admin: Client, model: ChatModel, provider: Provider
) -> None:
    text = admin.post(try_url(model)).content.decode()
    assert "It works" in text
    assert f"You wrote: {QUESTION}" in text.replace("&#x27;", "'")
    assert len(re.findall(r"\d+ ms", text)) == 2
    assert provider.requests[0].headers["Authorization"] == "Bearer sk-very-secret-key"


def test_the_error_is_shown_as_it_is_but_for_the_key(
    admin: Client, model: ChatModel, provider: Provider
) -> None:
    provider.script({"error": 401})
    text = admin.post(try_url(model)).content.decode()
    assert "It failed: provider_auth" in text
    assert "tell your administrator" not in text
    assert "Incorrect API key provided" in text
    assert "HTTP 401" in text
    assert "sk-" not in text


@pytest.mark.parametrize("place", ["key", "header"])
def test_a_secret_of_any_form_that_a_server_quotes_is_not_shown(
    admin: Client, model: ChatModel, row: ProviderRow, provider: Provider, place: str
) -> None:
    for quoted, url in (("API key provided", None), ("404: Not Found", f"{provider.url}/nowhere")):
        if place == "key":
            row.set_key(quoted)
        else:
            row.set_headers({"X-Gate": quoted})
        row.base_url = url or row.base_url
        row.save()
        provider.script({"error": 401})
        shown = page(admin, fetch_url(row)) if url else admin.post(try_url(model)).content.decode()
        assert "***" in shown
        assert quoted not in shown


def test_a_server_that_is_away_is_told_as_such(admin: Client, model: ChatModel) -> None:
    ProviderRow.objects.update(base_url=f"http://127.0.0.1:{free_port()}/v1")
    text = admin.post(try_url(model)).content.decode()
    assert "provider_unreachable" in text
    assert "Cannot connect" in text


def test_a_wrong_parameter_is_named(admin: Client, model: ChatModel, provider: Provider) -> None:
    ChatModel.objects.filter(pk=model.pk).update(parameters={"temperature": "hot"})
    text = admin.post(try_url(model)).content.decode()
    assert "model_misconfigured" in text
    assert "temperature" in text
    assert not provider.requests


@pytest.mark.parametrize(
    ("variable", "words"), [("", "no variable is named"), ("NOT_A_KEY", "NOT_A_KEY is not set")]
)
def test_a_key_that_is_missing_is_missed(
    admin: Client, model: ChatModel, variable: str, words: str
) -> None:
    ProviderRow.objects.update(base_url="", encrypted_key="", key_variable=variable)
    text = admin.post(try_url(model)).content.decode()
    assert "model_misconfigured" in text
    assert f"none is stored, and {words}" in text


def test_a_test_that_works_brings_a_provider_back(
    admin: Client, model: ChatModel, row: ProviderRow, settings: Settings
) -> None:
    for _ in range(settings.LLM_BREAKER_FAILURES):
        health.failed(row.pk, row.name, ProviderError("provider_error"))
    admin.post(try_url(model))
    assert health.trouble(row.pk) is None


def test_a_web_node_starts_without_langchain() -> None:
    """Which takes seconds; these pages load it when they are used."""
    script = (
        "import django, sys; django.setup(); import chatsite.asgi, chatsite.urls;"
        "sys.exit('langchain_core' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


# --- Fetch models --------------------------------------------------------------------------------
def test_the_servers_models_are_listed_with_those_that_are_there(
    admin: Client, row: ProviderRow, model: ChatModel
) -> None:
    text = page(admin, fetch_url(row))
    assert re.search(r'value="fake" checked disabled', text)
    assert re.search(r'value="fake-large">', text)


def test_what_is_chosen_is_added_switched_off_and_once(
    admin: Client, row: ProviderRow, model: ChatModel
) -> None:
    for _ in range(2):
        answered = admin.post(fetch_url(row), {"model": ["fake", "fake-large", "fake-large"]})
        assert answered.status_code == 302
    added = ChatModel.objects.get(provider_model="fake-large", provider=row)
    assert (added.slug, added.enabled, added.default) == ("fake-large", False, False)
    assert ChatModel.objects.filter(provider=row).count() == 2


def test_a_slug_that_is_taken_gets_the_providers_name(
    admin: Client, row: ProviderRow, model: ChatModel
) -> None:
    other = ProviderRow.objects.create(name="Another One", base_url=row.base_url)
    ChatModel.objects.create(slug="fake-large", label="L", provider=row, provider_model="l")
    admin.post(fetch_url(other), {"model": ["fake-large"]})
    assert ChatModel.objects.get(provider=other).slug == "another-one/fake-large"


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_each_kind_is_asked_in_its_way(
    admin: Client, row: ProviderRow, kind: str, provider: Provider
) -> None:
    row.kind = kind
    row.save()
    assert "fake-large" in page(admin, fetch_url(row))


def test_a_server_that_does_not_list_says_why(admin: Client, row: ProviderRow) -> None:
    row.base_url = f"{row.base_url}/nowhere"
    row.save()
    text = page(admin, fetch_url(row))
    assert "did not list its models" in text
    assert "HTTP 404" in text


def test_what_a_server_says_in_place_of_a_list_is_shown(admin: Client, row: ProviderRow) -> None:
    with serving() as gateway:
        gateway.html("/v1/models", "<h1>Welcome to the gateway</h1>")
        ProviderRow.objects.filter(pk=row.pk).update(base_url=f"{gateway.url}/v1")
        text = page(admin, fetch_url(row))
    assert "provider_invalid_response" in text
    assert "text/html: JSON is malformed" in text
    assert "&lt;h1&gt;Welcome to the gateway" in text


def test_a_model_with_an_impossible_name_is_not_offered(admin: Client, row: ProviderRow) -> None:
    with serving() as server:
        ids = ["good", "bad\0", "worse\n"]
        listed = json.dumps({"data": [{"id": each} for each in ids]}).encode()
        server.pages["/v1/models"] = Answer(listed, headers={"Content-Type": "application/json"})
        ProviderRow.objects.filter(pk=row.pk).update(base_url=f"{server.url}/v1")
        text = page(admin, fetch_url(row))
        assert 'value="good"' in text
        assert 'value="bad' not in text
        assert 'value="worse' not in text


# --- Health and forms ----------------------------------------------------------------------------
def test_the_list_says_how_providers_fare(
    admin: Client, row: ProviderRow, settings: Settings
) -> None:
    listed = "/admin/llm/provider/?q=Ours"
    assert "failing since" not in page(admin, listed)
    health.failed(row.pk, row.name, ProviderError("provider_error", detail="Engine on fire"))
    assert "failing since" in page(admin, listed)
    for _ in range(settings.LLM_BREAKER_FAILURES):
        health.failed(row.pk, row.name, ProviderError("provider_error", detail="Engine on fire"))
    assert "out until" in page(admin, listed)
    own = page(admin, f"/admin/llm/provider/{row.pk}/change/")
    assert "Engine on fire" in own
    assert re.search(r">\s*out until \d", own)
    health.succeeded(row.pk, row.name)
    assert "out until" not in page(admin, listed)


def test_what_began_on_another_day_has_its_date() -> None:
    now = localtime()
    assert clock(now.timestamp()) == f"{now:%H:%M:%S}"
    assert re.fullmatch(r"\d+ \w+ \d\d:\d\d:\d\d", clock(now.timestamp() - 24 * 3600))


def form(model: ChatModel, **changes: Any) -> dict[str, Any]:
    values = {
        "label": model.label,
        "slug": model.slug,
        "provider": model.provider_id,
        "provider_model": model.provider_model,
        "enabled": "on",
        "position": "0",
        "queue": "generations",
        "parameters": "{}",
        "filters": "[]",
        "cache": "off",
    }
    return {**values, **changes}


def ticked(text: str, field: str) -> dict[str, bool]:
    """The tools that a page offers under this field."""
    boxes = re.findall(rf'<input type="checkbox" name="{field}" value="([^"]*)"([^>]*)>', text)
    # The theme has classes that are called so too.
    return {value: " checked" in re.sub(r'"[^"]*"', "", more) for value, more in boxes}


@pytest.mark.parametrize("field", ["tools", "tools_to_approve"])
def test_tools_are_ticked(field: str, admin: Client, model: ChatModel) -> None:
    server = ToolServer.objects.create(name="files", url="http://127.0.0.1:1/mcp")
    server.tools.create(name="read", description="Read a file.", permission="ask")
    server.tools.create(name="broken", problem="It has no schema.")
    url = f"/admin/llm/chatmodel/{model.pk}/change/"
    offered = ticked(page(admin, url), field)
    assert "files__broken" not in offered
    assert not any(offered.values())
    chosen = ["current_time", "files__read"]
    assert admin.post(url, form(model, **{field: chosen})).status_code == 302
    model.refresh_from_db()
    assert getattr(model, field) == chosen
    text = page(admin, url)
    assert "files__read: Read a file. (asks the user)" in text
    assert [name for name, is_on in ticked(text, field).items() if is_on] == chosen
    admin.post(url, form(model))
    model.refresh_from_db()
    assert getattr(model, field) == []


def test_a_tool_that_does_not_exist_is_refused(admin: Client, model: ChatModel) -> None:
    url = f"/admin/llm/chatmodel/{model.pk}/change/"
    answered = admin.post(url, form(model, tools=["telepathy"]))
    assert "telepathy is not one of the available choices" in answered.content.decode()


def test_a_tool_that_is_away_stays_until_its_tick_is_taken(admin: Client, model: ChatModel) -> None:
    ChatModel.objects.filter(pk=model.pk).update(tools=["telepathy"])
    url = f"/admin/llm/chatmodel/{model.pk}/change/"
    text = page(admin, url)
    assert ticked(text, "tools")["telepathy"]
    assert "telepathy: is not there" in text
    admin.post(url, form(model, label="Renamed", tools=["telepathy"]))
    model.refresh_from_db()
    assert (model.label, model.tools) == ("Renamed", ["telepathy"])


def test_an_emptied_field_is_nothing(admin: Client, model: ChatModel) -> None:
    ChatModel.objects.filter(pk=model.pk).update(
        parameters={"seed": 1}, filters=[{"name": "redact"}]
    )
    url = f"/admin/llm/chatmodel/{model.pk}/change/"
    assert admin.post(url, form(model, parameters="", filters="")).status_code == 302
    model.refresh_from_db()
    assert (model.parameters, model.filters) == ({}, [])


def test_a_number_that_no_database_takes_is_refused(admin: Client, model: ChatModel) -> None:
    url = f"/admin/llm/chatmodel/{model.pk}/change/"
    answered = admin.post(url, form(model, parameters='{"temperature": NaN}'))
    assert "got NaN or Infinity" in answered.content.decode()


def test_the_list_is_saved_beside_a_model_that_is_no_longer_valid(
    admin: Client, model: ChatModel
) -> None:
    """Its filter has gone from LLM_FILTERS, say: that is for its own page to tell."""
    ChatModel.objects.filter(pk=model.pk).update(filters=[{"name": "gone"}])
    url = "/admin/llm/chatmodel/?q=fake"
    rows = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": model.pk}
    saved = admin.post(url, {**rows, "form-0-position": "7", "_save": "Save"})
    assert saved.status_code == 302
    model.refresh_from_db()
    assert (model.position, model.enabled) == (7, False)
    own = f"/admin/llm/chatmodel/{model.pk}/change/"
    kept = admin.post(own, form(model, filters='[{"name": "gone"}]')).content.decode()
    assert "Expected one of" in kept


def test_a_fallback_is_chosen_in_the_admin_and_a_circle_refused(
    admin: Client, model: ChatModel, row: ProviderRow
) -> None:
    other = ChatModel.objects.create(slug="o", label="O", provider=row, provider_model="o")
    url = f"/admin/llm/chatmodel/{model.pk}/change/"
    assert admin.post(url, form(model, fallback=other.pk)).status_code == 302
    model.refresh_from_db()
    assert model.fallback == other
    back = admin.post(f"/admin/llm/chatmodel/{other.pk}/change/", form(other, fallback=model.pk))
    assert "lead back" in back.content.decode()


def test_a_queue_that_no_worker_takes_from_is_said(
    admin: Client, model: ChatModel, worker: Process
) -> None:
    url = f"/admin/llm/chatmodel/{model.pk}/change/"
    for queue, is_said in (("generaitons", True), ("generations", False)):
        saved = admin.post(url, form(model, queue=queue), follow=True).content.decode()
        assert ("No worker takes from the queue" in saved) is is_said
        model.refresh_from_db()
        assert model.queue == queue


def test_who_may_not_change_models_cannot_spend_money(
    client: Client, admin: Client, model: ChatModel, row: ProviderRow, provider: Provider
) -> None:
    staff = Client()
    staff.force_login(User.objects.create_user("staff", is_staff=True))
    assert staff.post(try_url(model)).status_code == 403
    assert staff.get(fetch_url(row)).status_code == 403
    assert not provider.requests


def test_the_whole_answer_of_a_thinking_model_is_shown(
    admin: Client, model: ChatModel, provider: Provider
) -> None:
    provider.script({"tokens": 3, "reasoning": 2})
    text = admin.post(try_url(model)).content.decode()
    assert "r0 r1" in text
    assert expected_text({"tokens": 3}).split()[0] in text
