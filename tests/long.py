"""A conversation of many messages, as it is after years of use."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, Generation, Message

PARAGRAPH = (
    "A connection is **two promises**: what is sent arrives, and it arrives in order. "
    "What is lost on the way is sent again, and what comes twice is dropped; "
    "`ACK` tells how far it has come.\n\n"
)
CODE = (
    "```python\ndef resume(position):\n"
    "    return [event for event in log if event > position]\n```\n\n"
)
TABLE = "| part | cost |\n|---|---|\n| log | 1 |\n| bell | 2 |\n\n"


def long_conversation(owner: User, messages: int, title: str = "A long one") -> Conversation:
    """Questions and answers in turns; each begins with `Message <number>.`"""
    conversation = Conversation.objects.create(owner=owner, title=title)
    continue_conversation(conversation, 0, messages)
    return conversation


def continue_conversation(conversation: Conversation, first: int, end: int) -> None:
    """Nobody is told of them."""
    start = timezone.now() - timedelta(days=1)
    parent = conversation.messages.order_by("created_at").last()
    made: list[Message] = []
    for number in range(first, end):
        parent = made[-1] if made else parent
        made.append(
            Message(
                conversation=conversation,
                parent=parent,
                role=Message.Role.USER if number % 2 == 0 else Message.Role.ASSISTANT,
                content=[{"type": "text", "text": text_of(number)}],
                created_at=start + timedelta(milliseconds=number),
            )
        )
    Message.objects.bulk_create(made, batch_size=1000)
    Generation.objects.bulk_create(
        [
            Generation(
                conversation=conversation,
                prompt=prompt,
                message=answer,
                model_slug="fake",
                status=Generation.Status.COMPLETED,
                attempt=1,
                seq=3,
                usage={"input_tokens": 10, "output_tokens": 100},
                queued_at=answer.created_at,
                finished_at=answer.created_at,
            )
            for prompt, answer in zip(made[::2], made[1::2], strict=False)
        ],
        batch_size=500,
    )


def text_of(number: int) -> str:
    head = f"Message {number}. "
    if number % 2 == 0:
        return head + "Why is that?"
    extras = CODE * (number % 6 == 1) + TABLE * (number % 10 == 3)
    return head + PARAGRAPH * (1 + number % 4) + extras
