from typing import Any, cast
from uuid import UUID

from conversations.attachments.reading import with_files
from conversations.models import Message
from llm.models import ChatModel
from llm.spec import Role, Turn


def turns_until(prompt: Message, model: ChatModel) -> list[Turn]:
    """The path from the root of the conversation to this message, oldest first; with what the model
    can take of its files."""
    return with_files(path_to(prompt), prompt.conversation_id, model)


def path_to(prompt: Message) -> list[Turn]:
    if prompt.parent_id is None:
        return [turn(prompt.role, prompt.content)] if prompt.content else []
    rows = Message.objects.filter(conversation=prompt.conversation_id).values_list(
        "pk", "parent_id", "role", "content"
    )
    by_id = {pk: (parent, role, content) for pk, parent, role, content in rows}
    turns: list[Turn] = []
    at: UUID | None = prompt.pk
    while at is not None:
        at, role, content = by_id[at]
        if content:
            turns.append(turn(role, content))
    return turns[::-1]


def turn(role: str, content: list[dict[str, Any]]) -> Turn:
    return Turn(role=cast(Role, role), content=content)
