from typing import Any, cast

from conversations.attachments.reading import with_files
from conversations.by_id import by_id
from conversations.models import Message
from conversations.tree import tree_of
from llm.models import ChatModel
from llm.spec import Role, Turn


def turns_until(prompt: Message, model: ChatModel) -> list[Turn]:
    """The path from the root of the conversation to this message, oldest first; with what the model
    can take of its files."""
    return with_files(path_to(prompt), prompt.conversation_id, model)


def path_to(prompt: Message) -> list[Turn]:
    if prompt.parent_id is None:
        return [turn(prompt.role, prompt.content)] if prompt.content else []
    # Other versions can weigh more than the path does, so only its texts are read.
    path = tree_of(prompt.conversation_id).path_to(prompt.pk)
    rows = by_id(Message.objects.only("role", "content"), path)
    return [turn(rows[pk].role, rows[pk].content) for pk in path if rows[pk].content]


def path_messages(prompt: Message) -> list[Message]:
    """The same path as rows, with all that they hold."""
    path = tree_of(prompt.conversation_id).path_to(prompt.pk)
    rows = by_id(Message.objects.all(), path)
    return [rows[pk] for pk in path]


def turn(role: str, content: list[dict[str, Any]]) -> Turn:
    return Turn(role=cast(Role, role), content=content)
