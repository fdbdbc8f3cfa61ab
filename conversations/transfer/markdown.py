"""One path of a conversation as a person reads it."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from conversations.transfer.shapes import PortableConversation, PortableMessage


def as_markdown(conversation: PortableConversation, leaf: str | None = None) -> str:
    """`leaf` is the last message of the path; None means the newest version at every fork."""
    path = path_of(conversation.messages, leaf)
    parts = [part for message in path for part in sections(message)]
    title = " ".join(conversation.title.split()) or _("Conversation")
    return "\n\n".join([f"# {title}", *parts]) + "\n"


def path_of(messages: Sequence[PortableMessage], leaf: str | None) -> list[PortableMessage]:
    by_id = {message.id: message for message in messages}
    at = by_id.get(leaf) if leaf else newest_leaf(messages)
    path: list[PortableMessage] = []
    while at is not None:
        path.append(at)
        at = by_id.pop(at.parent, None) if at.parent else None
    return path[::-1]


def newest_leaf(messages: Sequence[PortableMessage]) -> PortableMessage | None:
    """Down from the root, by the newest child at every fork: what the page shows at first."""
    newest_child = {message.parent: message for message in messages}
    at = newest_child.pop(None, None)
    while at is not None and at.id in newest_child:
        at = newest_child.pop(at.id)
    return at


def sections(message: PortableMessage) -> list[str]:
    texts = [text for block in message.content if (text := block_text(block))]
    return [f"## {speaker(message)}", *texts] if texts else []


def speaker(message: PortableMessage) -> str:
    if message.role == "user":
        return _("You")
    return f"{_('Answer')} ({message.model})" if message.model else _("Answer")


def block_text(block: dict[str, Any]) -> str:
    """Reasoning is left out: it is not what was answered."""
    match block.get("type"):
        case "text":
            return str(block.get("text", "")).strip()
        case "tool_call":
            return f"*{_('Used a tool')}: `{block.get('name', '')}`*"
        case "image" | "file":
            name = (block.get("extras") or {}).get("name") or _("a file")
            return f"*{_('Attachment')}: {name}*"
        case _:
            return ""
