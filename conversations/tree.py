"""The tree of a conversation's messages, by their ids alone: cheap where the texts are not."""

from dataclasses import dataclass
from uuid import UUID

from conversations.models import Message


@dataclass(frozen=True, slots=True)
class Tree:
    """`parents` is in order of creation, and so are the children of each message."""

    parents: dict[UUID, UUID | None]
    children: dict[UUID | None, list[UUID]]

    def siblings(self, message: UUID) -> list[UUID]:
        """The versions of a message, itself among them."""
        return self.children[self.parents[message]]

    def path_to(self, message: UUID | None) -> list[UUID]:
        """From the root, oldest first."""
        path: list[UUID] = []
        while message is not None:
            path.append(message)
            message = self.parents[message]
        return path[::-1]

    def path_through(self, message: UUID | None) -> list[UUID]:
        """The path to the newest message at or below this one; None is the whole conversation.

        Newest is what was written last, not the last version at each fork: who goes on from an
        older version finds it again when the page is loaded.
        """
        below = self._below(message)
        if not below:
            return []
        order = {pk: place for place, pk in enumerate(self.parents)}
        leaf = max(below, key=order.__getitem__)
        # What was imported may bear times that do not tell a message from its answer.
        while answers := self.children.get(leaf):
            leaf = answers[-1]
        return self.path_to(leaf)

    def _below(self, message: UUID | None) -> list[UUID]:
        if message is None:
            return list(self.parents)
        found = [message]
        for pk in found:
            found.extend(self.children.get(pk, ()))
        return found


def tree_of(conversation_id: UUID) -> Tree:
    rows = (
        Message.objects.filter(conversation=conversation_id)
        .order_by("created_at", "-role")
        .values_list("pk", "parent_id")
    )
    parents: dict[UUID, UUID | None] = dict(rows)
    children: dict[UUID | None, list[UUID]] = {}
    for pk, parent in parents.items():
        children.setdefault(parent, []).append(pk)
    return Tree(parents, children)
