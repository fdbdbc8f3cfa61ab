"""Which models there are to pick, and those that the environment brings."""

import os
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import connections, transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from llm import health
from llm.kept import Kept
from llm.models import ChatModel, Provider

logger = structlog.get_logger(__name__)

DEMO = "Demo"
ENVIRONMENT = "Environment"
ANTHROPIC = "Environment (Anthropic)"
MAX_FALLBACKS = 3
RUNNABLES = "Runnables"
OURS = (DEMO, ENVIRONMENT, ANTHROPIC, RUNNABLES)


class Source(NamedTuple):
    """A provider that the environment names. `model`: what a key alone offers."""

    name: str
    kind: str
    base_url: str
    key_variable: str
    models: list[str]
    model: str

    @property
    def model_names(self) -> list[str]:
        """As given, but each once; none without a key or an address."""
        if not self.base_url and not os.environ.get(self.key_variable):
            return []
        return list(dict.fromkeys(self.models)) or [self.model]


def sources() -> list[Source]:
    openai, anthropic = Provider.Kind.OPENAI, Provider.Kind.ANTHROPIC
    return [
        Source(
            ENVIRONMENT,
            openai,
            settings.OPENAI_BASE_URL,
            "OPENAI_API_KEY",
            settings.OPENAI_MODEL,
            "gpt-4o-mini",
        ),
        Source(
            ANTHROPIC,
            anthropic,
            settings.ANTHROPIC_BASE_URL,
            "ANTHROPIC_API_KEY",
            settings.ANTHROPIC_MODEL,
            "claude-sonnet-4-5",
        ),
    ]


def enabled() -> QuerySet[ChatModel]:
    """Of enabled providers, whoever may use them."""
    return ChatModel.objects.select_related("provider").filter(enabled=True, provider__enabled=True)


def offered(user: User) -> QuerySet[ChatModel]:
    """Enabled models of enabled providers that this user may use, the default first."""
    closed = ChatModel.groups.through.objects.filter(chatmodel=OuterRef("pk"))
    return (
        enabled()
        .filter(~Exists(closed) | Exists(closed.filter(group__user=user)))
        .order_by("-default", "position", "label", "pk")
    )


def default_model(user: User) -> ChatModel | None:
    """The first that is offered where the chosen default is not; None where nothing is. Models of
    a provider that is out are passed over while there are others; the demo is no other."""
    # An open default is the first that is offered to anybody, and found more cheaply.
    first = open_default("") or offered(user).first()
    if first is None or not is_out(first):
        return first
    others = offered(user).exclude(provider__kind=Provider.Kind.DEMO)
    return next((model for model in others if not is_out(model)), first)


def _open_default(_: str) -> ChatModel | None:
    return enabled().filter(default=True, groups=None).first()


def _known(pk: int) -> ChatModel | None:
    return ChatModel.objects.select_related("provider").filter(pk=pk).first()


open_default = Kept(_open_default)
# By its key, whether or not it is enabled; with its provider.
known = Kept(_known)


def is_out(model: ChatModel) -> bool:
    known = health.trouble(model.provider_id)
    return known is not None and known.is_out


def find(slug: str, user: User) -> ChatModel | None:
    return offered(user).filter(slug=slug).first()


def stand_ins(model: ChatModel, user: User) -> list[ChatModel]:
    """Who answers where `model` cannot, in order: of its fallbacks those that the user may use."""
    found: list[ChatModel] = []
    seen, following = {model.pk}, model.fallback_id
    while following and following not in seen and len(seen) <= MAX_FALLBACKS:
        seen.add(following)
        stand_in = offered(user).filter(pk=following).first()
        if stand_in is not None:
            found.append(stand_in)
            following = stand_in.fallback_id
        else:
            ids = ChatModel.objects.filter(pk=following).values_list("fallback_id", flat=True)
            following = ids.first()
    return found


def sync_after_migrate(using: str = "default", **kwargs: Any) -> None:
    """The tables are gone after `migrate llm zero`, which sends the same signal."""
    if ChatModel._meta.db_table in connections[using].introspection.table_names():
        sync_environment()


@transaction.atomic
def sync_environment() -> None:
    """Bring the demo and the providers of the environment up to date; touch no other row.

    The latter follow their variables alone: a model that is not named any more is disabled, never
    deleted, because messages still refer to it. To switch it off in the admin, disable the
    provider: that, and a demo model that was disabled, stay as they are.
    """
    demo = _sync_demo()
    named: list[ChatModel] = []
    for source in sources():
        named += _sync_models(source, first=len(named))
    _sync_runnables(first=len(named))
    _make_default(named[0] if named else demo)


def _sync_demo() -> ChatModel | None:
    provider, _ = Provider.objects.get_or_create(name=DEMO, defaults={"kind": Provider.Kind.DEMO})
    model, _ = ChatModel.objects.get_or_create(
        slug="demo",
        defaults={
            "provider": provider,
            "label": "Demo",
            "provider_model": "demo",
            "tools": ["current_time"],
            "position": 1000,
        },
    )
    return model if model.provider_id == provider.pk else None


def _sync_runnables(first: int) -> None:
    """Offered beside the models, and never chosen for anybody: each is for a purpose of its own."""
    named = settings.LLM_RUNNABLES
    rows = ChatModel.objects.filter(provider__name=RUNNABLES)
    rows.exclude(slug__in=named).update(enabled=False)
    if not named:
        return
    provider, _ = Provider.objects.update_or_create(
        name=RUNNABLES, defaults={"kind": Provider.Kind.RUNNABLE}
    )
    for position, slug in enumerate(named, first):
        _sync_model(provider, slug, position)


def _sync_models(source: Source, first: int) -> list[ChatModel]:
    """The source's models, in its order and after those that came `first`."""
    names = source.model_names
    ChatModel.objects.filter(provider__name=source.name).exclude(slug__in=names).update(
        enabled=False
    )
    if not names:
        return []
    provider, _ = Provider.objects.update_or_create(
        name=source.name,
        defaults={
            "kind": source.kind,
            "base_url": source.base_url,
            "key_variable": source.key_variable,
        },
    )
    synced = (_sync_model(provider, name, position) for position, name in enumerate(names, first))
    return [model for model in synced if model is not None]


def _sync_model(provider: Provider, name: str, position: int) -> ChatModel | None:
    model, _ = ChatModel.objects.get_or_create(
        slug=name, defaults={"provider": provider, "label": name, "provider_model": name}
    )
    if model.provider_id != provider.pk:
        logger.warning("environment_model_skipped", slug=name, reason="slug is taken")
        return None
    model.enabled, model.position, model.provider_model = True, position, name
    model.save(update_fields=["enabled", "position", "provider_model"])
    return model


def _make_default(model: ChatModel | None) -> None:
    """An admin's default, which is one of another provider, wins."""
    if model is None:
        return
    if ChatModel.objects.filter(default=True).exclude(provider__name__in=OURS).exists():
        return
    ChatModel.objects.filter(default=True).exclude(pk=model.pk).update(default=False)
    ChatModel.objects.filter(pk=model.pk).update(default=True)
