"""The one place where text becomes findable: when a message is submitted, when its answer ends and
when a title changes; never for a token."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from conversations.models import Conversation, Message, SearchText
from conversations.models.message import text_of
from llm.spec import Block

# PostgreSQL refuses a text whose index entry is above 1 MiB: in the worst case, every character a
# word of its own, this is below. Nobody finds a text by what stands that far behind, either.
SEARCHED_CHARS = 100_000


def index_submitted(message: Message, *, with_title: bool) -> None:
    """A question, with the title of the conversation that it opens."""
    titles = [of_title(message.conversation)] if with_title else []
    keep([*titles, *of_messages([message])])


def index_title(conversation: Conversation) -> None:
    if not retitle(conversation.pk, conversation.title):
        keep([of_title(conversation)])


def retitle(conversation: UUID, title: str) -> bool:
    """False where it had none to be found by."""
    titles = SearchText.objects.filter(conversation=conversation, message=None)
    return bool(titles.update(text=title))


def store_answer(generation: UUID | str, content: list[Block]) -> None:
    """The final content of a generation's message, which is findable from then on."""
    written = Message.objects.filter(generation__pk=generation)
    known = written.values_list("pk", "conversation", "conversation__owner", "created_at").get()
    # By its own key, and not by the generation's again: that would be a query within the update.
    Message.objects.filter(pk=known[0]).update(content=content)
    if text := text_of(content):
        keep([row(*known, text)])


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
        row(each.pk, each.conversation_id, each.conversation.owner_id, each.created_at, text)
        for each in messages
        if (text := each.text)
    ]


def row(
    message: UUID, conversation: UUID, owner: int, created_at: datetime, text: str
) -> SearchText:
    return SearchText(
        owner_id=owner,
        conversation_id=conversation,
        message_id=message,
        text=text[:SEARCHED_CHARS],
        created_at=created_at,
    )


def keep(rows: list[SearchText]) -> None:
    """May come twice: the newest text of a message counts."""
    SearchText.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["message"],
        update_fields=["text"],
    )
