"""What a program asks of a model, beyond what a conversation holds: its own turns, parameters and
tools. Kept with the generation as plain data, because another worker may have to begin again."""

from typing import Any

import msgspec

from llm.spec import ModelSpec, Turn


class Request(msgspec.Struct, frozen=True):
    """`parameters`: keyword arguments of LangChain's ChatOpenAI. `tools`: functions as OpenAI's API
    describes them; their calls go back to the program and are never run here."""

    turns: list[Turn]
    parameters: dict[str, Any] = {}
    tools: list[dict[str, Any]] = []
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: int | None = None

    def to_data(self) -> dict[str, Any]:
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data


def read_request(data: dict[str, Any]) -> Request:
    return msgspec.convert(data, Request)


def asked_by(request: Request, model: ModelSpec) -> ModelSpec:
    """The model as the program wants it. With tools of its own, those of the server stay away: who
    would run which call could not be told apart."""
    limits = [each for each in (model.max_output_tokens, request.max_output_tokens) if each]
    return msgspec.structs.replace(
        model,
        parameters={**model.parameters, **request.parameters},
        # What it sends is its choice: it is told that this is too long, and can choose again.
        trims_history=False,
        max_output_tokens=min(limits, default=None),
        tools=() if request.tools else model.tools,
        server_tools=() if request.tools else model.server_tools,
        client_tools=tuple(request.tools),
        tool_options=tool_options(request),
        fallbacks=tuple(asked_by(request, each) for each in model.fallbacks),
    )


def tool_options(request: Request) -> dict[str, Any]:
    wanted = {
        "tool_choice": request.tool_choice,
        "parallel_tool_calls": request.parallel_tool_calls,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    return given if request.tools else {}
