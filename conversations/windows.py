"""A part of the shown path. A conversation may hold thousands of messages and a reader sees a few,
so a page gets the newest ones, and asks for others as they come near."""

from typing import Any
from uuid import UUID

from conversations.access import NotFound
from conversations.models import Conversation
from conversations.shapes import message_shapes
from conversations.tree import Tree, tree_of

WINDOW = 50
ABOVE = 20


def newest(conversation: Conversation) -> dict[str, Any]:
    """The end of the path to what was written last."""
    tree = tree_of(conversation.pk)
    path = tree.path_through(None)
    return window(tree, path, len(path) - WINDOW, len(path))


def before(conversation: Conversation, message: UUID) -> dict[str, Any]:
    """What is above a message. Raises NotFound."""
    tree = tree_holding(conversation, message)
    path = tree.path_to(message)
    return window(tree, path, len(path) - 1 - WINDOW, len(path) - 1)


def starting(conversation: Conversation, message: UUID) -> dict[str, Any]:
    """A message, and what is below it down to its newest end. Raises NotFound."""
    tree = tree_holding(conversation, message)
    path = tree.path_through(message)
    at = path.index(message)
    return window(tree, path, at, at + WINDOW)


def around(conversation: Conversation, message: UUID) -> dict[str, Any]:
    """A message with what is above and below it. Raises NotFound."""
    tree = tree_holding(conversation, message)
    path = tree.path_through(message)
    at = path.index(message)
    return window(tree, path, at - ABOVE, at - ABOVE + WINDOW)


def tree_holding(conversation: Conversation, message: UUID) -> Tree:
    tree = tree_of(conversation.pk)
    if message not in tree.parents:
        raise NotFound(f"There is no message {message}.")
    return tree


def window(tree: Tree, path: list[UUID], start: int, stop: int) -> dict[str, Any]:
    """`siblings` are given where a message has any; `newer` are the children of the last message
    where the path goes on below it, and `latest` is where it ends."""
    shown = path[max(0, start) : stop]
    goes_on = bool(shown) and shown[-1] != path[-1]
    return {
        "messages": [with_siblings(tree, shape) for shape in message_shapes(shown)],
        "newer": [str(pk) for pk in tree.children[shown[-1]]] if goes_on else [],
        "latest": str(path[-1]) if path else None,
    }


def with_siblings(tree: Tree, shape: dict[str, Any]) -> dict[str, Any]:
    siblings = tree.siblings(UUID(shape["id"]))
    return shape if len(siblings) < 2 else {**shape, "siblings": [str(pk) for pk in siblings]}
