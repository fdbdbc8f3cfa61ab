from typing import cast

from conversations.models import Message
from llm.spec import Role, Turn


def turns_before(message: Message) -> list[Turn]:
    """The path from the root of the conversation to the message before this one, oldest first."""
    rows = Message.objects.filter(conversation=message.conversation_id).values_list(
        "pk", "parent_id", "role", "content"
    )
    by_id = {pk: (parent, role, content) for pk, parent, role, content in rows}
    turns: list[Turn] = []
    at = message.parent_id
    while at is not None:
        at, role, content = by_id[at]
        if content:
            turns.append(Turn(role=cast(Role, role), content=content))
    return turns[::-1]
