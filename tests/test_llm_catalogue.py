"""The environment brings models; what the admin chose stays chosen."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from llm.catalogue import default_model, find, offered, sync_environment
from llm.models import ChatModel, Provider, validate_base_url
from llm.spec import spec

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture(autouse=True)
def _no_environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ChatModel.objects.all().delete()
    Provider.objects.all().delete()
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    settings.OPENAI_BASE_URL = ""
    settings.OPENAI_MODEL = []


def slugs(owner: User) -> list[str]:
    return [model.slug for model in offered(owner)]


@pytest.fixture
def admins_model() -> ChatModel:
    provider = Provider.objects.create(name="Ours", base_url="http://vllm:8000/v1")
    return ChatModel.objects.create(
        slug="ours", label="Ours", provider=provider, provider_model="llama", default=True
    )


def test_the_demo_model_is_there_without_any_key(owner: User) -> None:
    sync_environment()
    assert slugs(owner) == ["demo"]
    model = default_model(owner)
    assert model is not None
    assert spec(model).kind == "demo"
    assert spec(model).tools == ("current_time",)


def test_the_models_of_the_environment_come_first_and_in_order(
    owner: User, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = "http://localhost:11434/v1"
    settings.OPENAI_MODEL = ["qwen3:8b", "meta-llama/Llama-3.1", "qwen3:8b"]
    sync_environment()
    assert slugs(owner) == ["qwen3:8b", "meta-llama/Llama-3.1", "demo"]
    model = default_model(owner)
    assert model is not None
    made = spec(model)
    assert (made.slug, made.provider_model) == ("qwen3:8b", "qwen3:8b")
    assert (made.base_url, made.key_variable) == ("http://localhost:11434/v1", "OPENAI_API_KEY")


def test_a_key_alone_is_enough(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    sync_environment()
    assert slugs(owner) == ["gpt-4o-mini", "demo"]


def test_anthropics_key_alone_is_enough(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-1")
    sync_environment()
    model = default_model(owner)
    assert model is not None
    assert (model.slug, spec(model).kind) == ("claude-sonnet-4-5", "anthropic")
    assert spec(model).key_variable == "ANTHROPIC_API_KEY"


def test_both_providers_of_the_environment_stand_side_by_side(
    owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-1")
    settings.OPENAI_MODEL, settings.ANTHROPIC_MODEL = ["a", "b"], ["c", "a"]
    sync_environment()
    assert slugs(owner) == ["a", "b", "c", "demo"]
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    sync_environment()
    assert slugs(owner) == ["a", "b", "demo"]


def test_the_key_is_in_no_row_and_no_spec(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    sync_environment()
    assert "sk-very-secret" not in str(list(Provider.objects.values()))
    assert "sk-very-secret" not in repr([spec(model) for model in offered(owner)])


def test_a_model_that_is_not_named_any_more_is_disabled_and_comes_back(
    owner: User,
    settings: Settings,
) -> None:
    settings.OPENAI_BASE_URL = "http://localhost/v1"
    settings.OPENAI_MODEL = ["a", "b"]
    sync_environment()
    settings.OPENAI_MODEL = ["b"]
    sync_environment()
    assert slugs(owner) == ["b", "demo"]
    assert ChatModel.objects.filter(slug="a", enabled=False).exists()
    settings.OPENAI_MODEL = ["a", "b"]
    sync_environment()
    assert slugs(owner) == ["a", "b", "demo"]


def test_without_its_variables_the_environment_offers_nothing(
    owner: User, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = "http://localhost/v1"
    sync_environment()
    settings.OPENAI_BASE_URL = ""
    sync_environment()
    assert slugs(owner) == ["demo"]


def test_the_admins_default_wins(owner: User, settings: Settings, admins_model: ChatModel) -> None:
    settings.OPENAI_BASE_URL = "http://localhost/v1"
    settings.OPENAI_MODEL = ["a"]
    sync_environment()
    assert default_model(owner) == admins_model


def test_a_row_of_the_admins_is_never_touched(settings: Settings, admins_model: ChatModel) -> None:
    before = ChatModel.objects.filter(pk=admins_model.pk).values().get()
    settings.OPENAI_BASE_URL = "http://localhost/v1"
    settings.OPENAI_MODEL = ["ours", "a"]
    sync_environment()
    assert ChatModel.objects.filter(pk=admins_model.pk).values().get() == before


def test_a_demo_model_that_was_disabled_stays_disabled(owner: User) -> None:
    sync_environment()
    ChatModel.objects.update(enabled=False)
    sync_environment()
    assert slugs(owner) == []
    assert default_model(owner) is None


def test_models_of_a_disabled_provider_are_not_offered(
    owner: User, admins_model: ChatModel
) -> None:
    assert find("ours", owner) == admins_model
    Provider.objects.update(enabled=False)
    assert find("ours", owner) is None


def test_two_defaults_are_refused_by_the_database(admins_model: ChatModel) -> None:
    with pytest.raises(IntegrityError):
        ChatModel.objects.create(
            slug="b", label="b", provider=admins_model.provider, provider_model="b", default=True
        )


@pytest.mark.parametrize(
    "address",
    [
        "http://ollama:11434/v1",
        "https://api.example.com/v1",
        "http://[::1]:8000/v1",
        "http://gpu_1:8000/v1",
        "https://bücher.example/v1",
    ],
)
def test_an_address_is_accepted(address: str) -> None:
    validate_base_url(address)


@pytest.mark.parametrize(
    "address",
    [
        "ollama:11434",
        "ftp://host/v1",
        "http://",
        "http://h:99999",
        "http://u:p@h/v1",
        "http://api..example.com/v1",
        f"http://{'a' * 64}.example/v1",
        "http://api example.com/v1",
        "http://api.example.com/v1\n",
        "http://api.ex\nample.com/v1",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="Expected an address"):
        validate_base_url(address)


@pytest.mark.parametrize(
    "values",
    [
        {"parameters": []},
        {"tools": "current_time"},
        {"tools": [1]},
        {"context_window": 0},
        {"context_window": 128},
        {"max_output_tokens": 0},
    ],
)
def test_what_makes_no_sense_for_a_model_is_refused(
    values: dict[str, object], admins_model: ChatModel
) -> None:
    for name, value in values.items():
        setattr(admins_model, name, value)
    with pytest.raises(ValidationError, match="Expected"):
        admins_model.full_clean()


def test_more_places_than_can_be_counted_are_refused(admins_model: ChatModel) -> None:
    admins_model.provider.max_concurrency = 2_000_000_000
    with pytest.raises(ValidationError, match="at most 10000"):
        admins_model.provider.full_clean()


@pytest.fixture
def admin(client: Client, settings: Settings) -> Client:
    # The manifest is made by collectstatic, which tests do not need.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    client.force_login(User.objects.create_superuser("root", "root@example.com"))
    return client


@pytest.mark.parametrize("page", ["chatmodel/", "chatmodel/add/", "provider/", "provider/add/"])
def test_the_admin_shows_its_pages(page: str, admin: Client, admins_model: ChatModel) -> None:
    assert admin.get(f"/admin/llm/{page}?q=ours").status_code == 200


def test_a_new_default_in_the_admin_takes_the_old_ones_place(
    owner: User, admin: Client, admins_model: ChatModel
) -> None:
    form = {
        "label": "New",
        "slug": "new",
        "provider": admins_model.provider_id,
        "provider_model": "new",
        "enabled": "on",
        "default": "on",
        "position": "0",
        "queue": "generations",
        "parameters": "{}",
        "filters": "[]",
        "cache": "off",
    }
    answer = admin.post("/admin/llm/chatmodel/add/", form)
    assert answer.status_code == 302, answer.content.decode()
    chosen = default_model(owner)
    assert chosen is not None
    assert chosen.slug == "new"
    assert ChatModel.objects.filter(default=True).count() == 1


def test_a_model_for_groups_is_offered_to_their_members_alone(
    owner: User, stranger: User, admins_model: ChatModel
) -> None:
    team = Group.objects.create(name="Team")
    admins_model.groups.add(team, Group.objects.create(name="Another"))
    owner.groups.add(team)
    assert slugs(owner) == ["ours"]
    assert slugs(stranger) == []
    assert find("ours", stranger) is None


def test_fallbacks_that_lead_back_are_refused(admins_model: ChatModel) -> None:
    other = ChatModel(
        slug="other", label="Other", provider=admins_model.provider, fallback=admins_model
    )
    other.save()
    admins_model.fallback = other
    with pytest.raises(ValidationError, match="lead back"):
        admins_model.clean_fields()
