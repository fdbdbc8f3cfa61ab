"""The one place where text becomes findable: when a message is submitted, when its answer ends and
when a title changes; never for a token."""

from collections.abc import Iterable
from uuid import UUID

from conversations.models import Conversation, Message, SearchText

# PostgreSQL refuses a text whose index entry is above 1 MiB: in the worst case, every character a
# word of its own, this is below. Nobody finds a text by what stands that far behind, either.
SEARCHED_CHARS = 100_000


def index_submitted(message: Message, *, with_title: bool) -> None:
    """A question, with the title of the conversation that it opens."""
    titles = [of_title(message.conversation)] if with_title else []
    keep([*titles, *of_messages([message])])


def index_title(conversation: Conversation) -> None:
    titles = SearchText.objects.filter(conversation=conversation, message=None)
    if not titles.update(text=conversation.title):
        keep([of_title(conversation)])


def index_answer(generation: UUID | str) -> None:
    """Of a generation whose content has just been stored."""
    written = Message.objects.filter(generation__pk=generation)
    keep(of_messages(written.select_related("conversation")))


def index_conversation(conversation: Conversation) -> None:
    """All of it, such as one that was imported."""
    index_title(conversation)
    keep(of_messages(conversation.messages.select_related("conversation")))


def of_title(conversation: Conversation) -> SearchText:
    return SearchText(
        owner_id=conversation.owner_id,
        conversation=conversation,
        text=conversation.title,
        created_at=conversation.created_at,
    )


def of_messages(messages: Iterable[Message]) -> list[SearchText]:
    """`message.conversation` should be loaded already."""
    return [
        SearchText(
            owner_id=message.conversation.owner_id,
            conversation_id=message.conversation_id,
            message=message,
            text=text,
            created_at=message.created_at,
        )
        for message in messages
        if (text := message.text[:SEARCHED_CHARS])
    ]


def keep(rows: list[SearchText]) -> None:
    """May come twice: the newest text of a message counts."""
    SearchText.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["message"],
        update_fields=["text"],
    )
