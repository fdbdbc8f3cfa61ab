"""ChatGPT's `conversations.json`: a list of chats, each a tree of nodes of which many show nothing.

There is no description of it by its maker; what is read here is what the files of many people hold.
Fields that are missing or unknown do no harm.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from msgspec import Struct, field

from conversations.transfer.shapes import PortableConversation, PortableMessage, Wrong

NAME = "chatgpt"
Block = dict[str, Any]
# Marks of citations, between characters of a private use area.
MARKS = re.compile("\ue200.*?\ue201|[\ue200-\ue2ff]", re.DOTALL)
HIDDEN = "is_visually_hidden_from_conversation"
EPOCH = datetime.fromtimestamp(0, UTC)
LAST_SECOND = 253_402_300_799


class Author(Struct):
    role: str = ""
    name: str | None = None


class ChatMessage(Struct):
    author: Author
    content: dict[str, Any] = field(default_factory=dict)
    create_time: float | None = None
    metadata: dict[str, Any] | None = None
    recipient: str | None = None


class Node(Struct):
    parent: str | None = None
    children: list[str] = field(default_factory=list)
    message: ChatMessage | None = None


class Chat(Struct):
    mapping: dict[str, Node]
    title: str | None = None
    create_time: float | None = None
    update_time: float | None = None
    conversation_id: str | None = None
    id: str | None = None
    is_archived: bool | None = None
    is_starred: bool | None = None


def read(chat: Chat) -> PortableConversation:
    """Raises Wrong where it has no id."""
    key = chat.conversation_id or chat.id
    if not key:
        raise Wrong(_("it has no id"))
    created = time_of(chat.create_time) or EPOCH
    messages = list(Walk(chat.mapping, created).messages())
    return PortableConversation(
        id=key,
        title=chat.title or "",
        created_at=created,
        updated_at=time_of(chat.update_time) or created,
        messages=messages,
        pinned=bool(chat.is_starred),
        archived=bool(chat.is_archived),
    )


class Walk:
    """Down the tree. What shows nothing is passed over, and what an assistant and its tools do in
    one turn becomes one message, as it is here."""

    def __init__(self, mapping: dict[str, Node], created: datetime) -> None:
        self._mapping = mapping
        self._created = created
        self._made: dict[str, PortableMessage] = {}

    def messages(self) -> Iterator[PortableMessage]:
        roots = [key for key, node in self._mapping.items() if node.parent not in self._mapping]
        # Each with the message that it follows. A list, because chats are deeper than the stack.
        waiting: list[tuple[str, PortableMessage | None]] = [(key, None) for key in reversed(roots)]
        seen = set(roots)
        while waiting:
            key, above = waiting.pop()
            node = self._mapping[key]
            here = self._message(key, node, above)
            children = [one for one in node.children if one in self._mapping and one not in seen]
            seen.update(children)
            waiting.extend((child, here) for child in reversed(children))
        yield from self._made.values()

    def _message(
        self, key: str, node: Node, above: PortableMessage | None
    ) -> PortableMessage | None:
        """What the children of the node follow."""
        message = node.message
        blocks = blocks_of(message) if message else []
        if message is None or not blocks:
            return above
        if above is not None and self._goes_on(message, node, above):
            add(above, blocks)
            return above
        if all(block["type"] == "result" for block in blocks):
            return above
        made = PortableMessage(
            id=key,
            parent=above.id if above else None,
            role="user" if message.author.role == "user" else "assistant",
            content=[],
            created_at=time_of(message.create_time)
            or (above.created_at if above else self._created),
            model=model_of(message),
        )
        add(made, blocks)
        self._made[key] = made
        return made

    def _goes_on(self, message: ChatMessage, node: Node, above: PortableMessage) -> bool:
        """A version of an answer must stay a message of its own."""
        before = self._mapping.get(node.parent or "")
        alone = before is None or len(before.children) < 2
        return alone and message.author.role != "user" and above.role == "assistant"


def blocks_of(message: ChatMessage) -> list[Block]:
    """What a reader of the chat has seen of it; nothing for what was hidden."""
    metadata, role = message.metadata or {}, message.author.role
    if metadata.get(HIDDEN) or role not in ("user", "assistant", "tool"):
        return []
    if role == "tool":
        return result_blocks(message)
    if role == "assistant" and message.recipient not in (None, "", "all"):
        return [call_block(message)]
    return content_blocks(message.content)


def content_blocks(content: dict[str, Any]) -> list[Block]:
    match content.get("content_type"):
        case "thoughts":
            thoughts = content.get("thoughts")
            return reasoning(thoughts if isinstance(thoughts, list) else [])
        case "code" | "execution_output":
            return fenced(str(content.get("text") or ""), str(content.get("language") or ""))
        case "user_editable_context" | "model_editable_context" | "reasoning_recap":
            return []
        case "text" | "multimodal_text":
            return parts_blocks(content.get("parts"))
        case _:
            return text_blocks(str(content.get("text") or content.get("result") or ""))


def parts_blocks(parts: Any) -> list[Block]:
    found: list[Block] = []
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, str):
            found += text_blocks(part)
        elif isinstance(part, dict):
            found += part_blocks(part)
    return found


def part_blocks(part: dict[str, Any]) -> list[Block]:
    """Images and recordings are not in the file, so that only their place is kept."""
    kind = part.get("content_type")
    if kind == "audio_transcription":
        return text_blocks(str(part.get("text") or ""))
    if kind == "image_asset_pointer":
        return text_blocks(f"[{_('Image')}]")
    return []


def text_blocks(text: str) -> list[Block]:
    plain = MARKS.sub("", text)
    return [{"type": "text", "text": plain}] if plain.strip() else []


def fenced(text: str, language: str) -> list[Block]:
    if not text.strip():
        return []
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text) or [""]))
    name = language if re.fullmatch(r"[\w+#-]+", language) and language != "unknown" else ""
    return text_blocks(f"{fence}{name}\n{text}\n{fence}")


def reasoning(thoughts: list[Any]) -> list[Block]:
    texts = [
        "\n\n".join(str(one[name]) for name in ("summary", "content") if one.get(name))
        for one in thoughts
        if isinstance(one, dict)
    ]
    text = "\n\n".join(filter(None, texts))
    return [{"type": "reasoning", "reasoning": text}] if text else []


def call_block(message: ChatMessage) -> Block:
    """What the assistant sent to one of its tools."""
    content = message.content
    parts = content.get("parts") or []
    sent = content.get("text") or "\n".join(part for part in parts if isinstance(part, str))
    name = str(message.recipient)
    return {
        "type": "tool_call",
        "id": "",
        "name": re.sub(r"[^\w-]+", "_", name)[:64] or "tool",
        "args": {"input": str(sent)},
        "extras": {},
    }


def result_blocks(message: ChatMessage) -> list[Block]:
    """A result without a text, such as an image, still ends its call."""
    content = message.content
    shown = content_blocks({**content, "content_type": "text"} if "parts" in content else content)
    text = "\n".join(block["text"] for block in shown if block["type"] == "text")
    return [{"type": "result", "text": str(content.get("text") or text)}]


def add(message: PortableMessage, blocks: list[Block]) -> None:
    """A result belongs to the call before it; one without a call has nothing to show."""
    for block in blocks:
        last = message.content[-1] if message.content else None
        if block["type"] == "result":
            if last is not None and last["type"] == "tool_call":
                last["extras"].setdefault("result", block["text"])
        elif block["type"] == "tool_call":
            message.content.append({**block, "id": f"call_{len(message.content)}"})
        elif last is not None and block["type"] == last["type"] == "text":
            last["text"] += "\n\n" + block["text"]
        else:
            message.content.append(block)


def model_of(message: ChatMessage) -> str:
    slug = (message.metadata or {}).get("model_slug")
    return slug[:200] if isinstance(slug, str) else ""


def time_of(seconds: float | None) -> datetime | None:
    if seconds is None or not 0 < seconds < LAST_SECOND:
        return None
    return datetime.fromtimestamp(seconds, UTC)
