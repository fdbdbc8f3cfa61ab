from typing import cast

from conversations.attachments.reading import with_files
from conversations.models import Message
from llm.models import ChatModel
from llm.spec import Role, Turn


def turns_before(message: Message, model: ChatModel) -> list[Turn]:
    """The path from the root of the conversation to the message before this one, oldest first; with
    what the model can take of its files."""
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
    return with_files(turns[::-1], message.conversation_id, model)
