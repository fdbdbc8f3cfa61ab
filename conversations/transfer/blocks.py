"""Content that came in a file, held to what the page and the models can read. Nothing that a file
says may break the page that shows it."""

import re
from collections.abc import Callable
from typing import Any

from conversations.transfer.shapes import Wrong

Block = dict[str, Any]
# PostgreSQL keeps neither of them.
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
OUTCOMES = ("result", "error")
REQUIRED: dict[str, dict[str, type]] = {
    "text": {"text": str},
    "reasoning": {"reasoning": str},
    "tool_call": {"id": str, "name": str, "args": dict},
    "tool_call_chunk": {"id": str, "name": str, "args": str},
    "image": {},
    "file": {},
}


def read_blocks(content: list[Block], place: str) -> list[Block]:
    """Raises Wrong. Kinds of blocks that nobody here would show are left out."""
    found = [
        read_block(block, f"{place}.content[{number}]") for number, block in enumerate(content)
    ]
    return [block for block in found if block]


def read_block(block: Block, place: str) -> Block | None:
    fields = REQUIRED.get(str(block.get("type")))
    if fields is None:
        return None
    if block["type"] in ("image", "file"):
        return named(block)
    for name, kind in fields.items():
        if not isinstance(block.get(name), kind):
            got = f"{block.get(name)!r}"[:60]
            wanted = "a text" if kind is str else "an object"
            raise Wrong(f"{place}.{name}: expected {wanted}, got {got}")
    extras = block.get("extras")
    if not isinstance(extras, dict | None):
        raise Wrong(f"{place}.extras: expected an object, got {f'{extras!r}'[:60]}")
    clean: Block = storable(without_surprises(block))
    return clean


def without_surprises(block: Block) -> Block:
    """Where the page looks into a block, it finds what it expects; and no block but a file's own
    names a file."""
    kept = {name: value for name, value in block.items() if name != "file_id"}
    if block["type"] == "tool_call":
        extras = block.get("extras") or {}
        outcome = {name: extras[name] for name in OUTCOMES if isinstance(extras.get(name), str)}
        others = {name: value for name, value in extras.items() if name not in OUTCOMES}
        kept["extras"] = others | outcome
    if "annotations" in block:
        notes = block["annotations"]
        notes = notes if isinstance(notes, list) else []
        kept["annotations"] = [note for note in notes if isinstance(note, dict)]
    return kept


def named(block: Block) -> Block:
    """The bytes are not in the file, so that only the name remains."""
    extras = block.get("extras")
    name = extras.get("name") if isinstance(extras, dict) else None
    return {"type": "text", "text": storable(f"[{name}]" if isinstance(name, str) else "[…]")}


def storable(value: Any) -> Any:
    """The same value without the characters that no database keeps."""
    clean = CLEANERS.get(type(value))
    return clean(value) if clean else value


def storable_text(text: str) -> str:
    return UNSTORABLE.sub("�", text)


CLEANERS: dict[type, Callable[[Any], Any]] = {
    str: storable_text,
    list: lambda value: [storable(one) for one in value],
    dict: lambda value: {storable_text(str(key)): storable(one) for key, one in value.items()},
}
