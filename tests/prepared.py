"""What a conversation, and what is around it, is made into before a page shows it."""

from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from conversations.attachments.claim import blocks_of, claim
from conversations.attachments.keep import keep
from conversations.models import Conversation, Folder, Generation, Import, Message
from tests import files


def nothing(conversation: Conversation) -> None:
    """As it was made."""


def change(conversation: Conversation, **fields: object) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(**fields)


def beside_a_folder(conversation: Conversation) -> None:
    Folder.objects.create(owner=conversation.owner, name="Travels and other things")


def in_a_folder(conversation: Conversation) -> None:
    folder = Folder.objects.create(owner=conversation.owner, name="Travels and other things")
    change(conversation, folder=folder)


def archived(conversation: Conversation) -> None:
    change(conversation, archived=True)


def temporary(conversation: Conversation) -> None:
    change(conversation, expires_at=timezone.now() + timedelta(days=1))


def with_files(conversation: Conversation) -> None:
    owner = conversation.owner
    uploads = [
        SimpleUploadedFile("a red picture.png", files.image(size=(300, 200))),
        SimpleUploadedFile("a report of what it has cost.pdf", files.pdf("Total 42")),
    ]
    kept = claim(owner, conversation, [keep(owner, upload).pk for upload in uploads])
    question = conversation.messages.get(role="user")
    content = [*blocks_of(kept), *question.content]
    Message.objects.filter(pk=question.pk).update(content=content)


def end(conversation: Conversation, status: str, **fields: object) -> None:
    Generation.objects.filter(conversation=conversation).update(status=status, **fields)


def failed(conversation: Conversation) -> None:
    sentence = "The model did not answer in time. Try again."
    end(conversation, "failed", error_code="timeout", error_message=sentence, retryable=True)


def asking(conversation: Conversation) -> None:
    """A tool waits for its user, in the care of a worker that lives."""
    lives = timezone.now() + timedelta(days=1)
    end(conversation, "in_progress", lease_expires_at=lives, worker="a test")
    call = {
        "type": "tool_call_chunk",
        "id": "call-2",
        "name": "send_mail",
        "args": '{"to": "ada@example.org", "text": "The machine weaves algebraic patterns."}',
        "extras": {"approval": "asked", "question": "1-4"},
    }
    conversation.messages.filter(role="assistant").update(content=[call])


def stopped(conversation: Conversation) -> None:
    end(conversation, "cancelled")


def cut(conversation: Conversation) -> None:
    end(conversation, "completed", finish_reason="length")


def importing(conversation: Conversation) -> None:
    """Touched by its worker a moment ago, so that no other takes it up."""
    Import.objects.create(
        owner=conversation.owner,
        name="conversations.json",
        status=Import.Status.RUNNING,
        total=240,
        done=75,
    )


def imported(conversation: Conversation) -> None:
    Import.objects.create(
        owner=conversation.owner,
        name="conversations.json",
        status=Import.Status.COMPLETED,
        total=12,
        done=12,
        created=9,
        extended=1,
        refused=1,
        problems=["Conversation 7 could not be read: it holds no messages."],
        finished_at=timezone.now(),
    )
