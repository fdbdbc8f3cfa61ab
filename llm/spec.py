"""A model and a conversation as plain data: all that a stream needs, without the database."""

from typing import Any, Literal

import msgspec

from llm.models import ChatModel

Block = dict[str, Any]


class ModelSpec(msgspec.Struct, frozen=True):
    """Holds the name of the key's environment variable and never the key."""

    slug: str
    kind: str
    base_url: str
    key_variable: str
    provider_model: str
    max_output_tokens: int | None = None
    parameters: dict[str, Any] = {}
    system_prompt: str = ""
    tools: tuple[str, ...] = ()


Role = Literal["user", "assistant", "system"]


class Turn(msgspec.Struct, frozen=True):
    """`content`: LangChain's standard content blocks."""

    role: Role
    content: list[Block]


def spec(chat_model: ChatModel) -> ModelSpec:
    """Reads the model's provider: one query, unless it was selected with the model."""
    provider = chat_model.provider
    return ModelSpec(
        slug=chat_model.slug,
        kind=provider.kind,
        base_url=provider.base_url,
        key_variable=provider.key_variable,
        provider_model=chat_model.provider_model,
        max_output_tokens=chat_model.max_output_tokens,
        parameters=chat_model.parameters,
        system_prompt=chat_model.system_prompt,
        tools=tuple(chat_model.tools),
    )
