"""Rows as the product itself makes them, for tests that need no worker."""

import time
import uuid
from typing import Any

from django.db.models import Model

from accounts.models import User
from conversations.models import Conversation, Generation, Message
from conversations.submit import Submitted, submit
from streaming import lease
from streaming.lease import Outcome

# An id that no row has. It is the same each time, since the names of tests are made of it.
NOBODYS = "00000000-0000-4000-8000-000000000000"
USAGE = {"input_tokens": 1, "output_tokens": 1, "estimated": True}


def asked(user: User, text: str = "Hello", **fields: Any) -> Submitted:
    """A message whose answer waits in the queue."""
    given = {"client_message_id": uuid.uuid4(), "conversation": None, "parent": None, "model": None}
    return submit(user, text=text, **{**given, **fields})


def answered(user: User, text: str = "Hello", answer: str = "Good day", **fields: Any) -> Submitted:
    """A message with its whole answer."""
    made = asked(user, text, **fields)
    claimed = lease.claim(made.generation.pk, "a test")
    assert claimed is not None
    assert lease.finish(made.generation.pk, claimed.attempt, completed(answer))
    return made


def completed(answer: str = "Good day", seq: int = 3) -> Outcome:
    return Outcome("completed", seq, [{"type": "text", "text": answer}], USAGE, {})


def kept() -> dict[str, list[Any]]:
    """What the database keeps of all conversations, to be compared before and after; without what a
    worker, which may be about, changes by itself."""
    fields: dict[type[Model], list[str]] = {
        Conversation: ["pk", "owner", "title", "pinned"],
        Message: ["pk", "conversation", "parent", "role", "client_message_id"],
        Generation: ["pk", "prompt", "message", "model_slug", "cancel_requested_at"],
    }
    return {
        kind.__name__: list(kind._default_manager.order_by("pk").values(*names))
        for kind, names in fields.items()
    }


def wait_until_all_have_ended(seconds: float = 60) -> None:
    """A test must leave no work behind: its rows go away under the worker's hands otherwise."""
    deadline = time.monotonic() + seconds
    while Generation.objects.filter(status__in=Generation.ACTIVE).exists():
        assert time.monotonic() < deadline, "generations are still active"
        time.sleep(0.02)
