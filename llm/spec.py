"""A model and a conversation as plain data: all that a stream needs, without the database."""

from typing import Any, Literal

import msgspec
from django.conf import settings

from llm.mcp.spec import ServerToolSpec, is_of_a_server, server_tools
from llm.models import ChatModel, Provider

Block = dict[str, Any]


class TimeLimits(msgspec.Struct, frozen=True):
    """In seconds."""

    connect: float
    first_token: float
    token: float


class ModelSpec(msgspec.Struct, frozen=True):
    """Holds the name of the key's environment variable, and secrets as they are stored: encrypted.
    Without limits, those of the settings hold."""

    slug: str
    kind: str
    base_url: str
    key_variable: str
    provider_model: str
    max_output_tokens: int | None = None
    parameters: dict[str, Any] = {}
    system_prompt: str = ""
    tools: tuple[str, ...] = ()
    # Those of its tools that run only if the user approves; an MCP server's may say so as well.
    tools_to_approve: tuple[str, ...] = ()
    # Of MCP servers, which only the database knows.
    server_tools: tuple[ServerToolSpec, ...] = ()
    encrypted_key: str = ""
    encrypted_headers: str = ""
    limits: TimeLimits | None = None
    reasons: bool = False
    context_window: int | None = None
    trims_history: bool = True
    # What does not fit is told in short.
    summarises: bool = False
    # Whether what goes into its steps, and comes out of them, is kept for admins.
    debug: bool = False
    label: str = ""
    # The provider's row, by which its health is known.
    provider: int | None = None
    provider_name: str = ""
    # Requests at once at the provider, over all workers; None: no limit.
    max_concurrency: int | None = None
    streams: bool = True
    # How it is given the beginning of an answer; empty: in words (llm/going_on.py).
    prefill: str = ""
    # Whose answers to the same question may be given again; empty: nobody's. Someone who asks once
    # more wants another answer, which then takes the place of the old one.
    cache_scope: str = ""
    cache_reads: bool = True
    # Who answers where this one cannot, in this order.
    fallbacks: tuple["ModelSpec", ...] = ()
    filters: tuple[dict[str, Any], ...] = ()
    # Of a program that asks through the API: functions that it runs itself.
    client_tools: tuple[dict[str, Any], ...] = ()
    tool_options: dict[str, Any] = {}


class Wishes(msgspec.Struct, frozen=True):
    """What a user wants of a model in one conversation; None: what it comes with."""

    system_prompt: str = ""
    temperature: float | None = None
    tools: tuple[str, ...] | None = None


NO_WISHES = Wishes()

Role = Literal["user", "assistant", "system"]


class Turn(msgspec.Struct, frozen=True):
    """`content`: LangChain's standard content blocks."""

    role: Role
    content: list[Block]


def spec(chat_model: ChatModel, wishes: Wishes = NO_WISHES) -> ModelSpec:
    """Reads the model's provider: one query, unless it was selected with the model. One more
    where it has tools of MCP servers."""
    provider, names = chat_model.provider, tools(chat_model, wishes)
    return ModelSpec(
        slug=chat_model.slug,
        kind=provider.kind,
        base_url=provider.base_url,
        key_variable=provider.key_variable,
        provider_model=chat_model.provider_model,
        max_output_tokens=chat_model.max_output_tokens,
        parameters=parameters(chat_model, wishes),
        # The admin's words come first, and stay.
        system_prompt="\n\n".join(filter(None, (chat_model.system_prompt, wishes.system_prompt))),
        tools=tuple(name for name in names if not is_of_a_server(name)),
        tools_to_approve=tuple(chat_model.tools_to_approve),
        server_tools=server_tools(names),
        encrypted_key=provider.encrypted_key,
        encrypted_headers=provider.encrypted_headers,
        limits=limits_of(provider),
        reasons=chat_model.reasons,
        context_window=chat_model.context_window,
        summarises=chat_model.summarises,
        debug=chat_model.debug,
        prefill=chat_model.prefill,
        label=chat_model.label,
        provider=provider.pk,
        provider_name=provider.name,
        max_concurrency=provider.max_concurrency,
        streams=provider.streams,
        filters=tuple(chat_model.filters),
    )


def parameters(chat_model: ChatModel, wishes: Wishes) -> dict[str, Any]:
    wished = {} if wishes.temperature is None else {"temperature": wishes.temperature}
    return {**chat_model.parameters, **wished}


def tools(chat_model: ChatModel, wishes: Wishes) -> tuple[str, ...]:
    """A wish can only take tools away: which there are is the admin's to say."""
    if not chat_model.uses_tools:
        return ()
    return tuple(name for name in chat_model.tools if wishes.tools is None or name in wishes.tools)


def limits_of(provider: Provider) -> TimeLimits:
    return TimeLimits(
        provider.connect_timeout or settings.LLM_CONNECT_TIMEOUT,
        provider.first_token_timeout or settings.LLM_FIRST_TOKEN_TIMEOUT,
        provider.token_timeout or settings.LLM_TOKEN_TIMEOUT,
    )


def default_limits() -> TimeLimits:
    return TimeLimits(
        settings.LLM_CONNECT_TIMEOUT, settings.LLM_FIRST_TOKEN_TIMEOUT, settings.LLM_TOKEN_TIMEOUT
    )
