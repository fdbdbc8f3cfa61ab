"""What the API leaves to the workers. Each may come twice, late or never: the rows decide."""

from uuid import UUID

from celery import shared_task

from api.background import send
from conversations.transfer import importing
from streaming.news import announce_conversation

RUN_IMPORT = "api.tasks.run_import"


@shared_task(name=RUN_IMPORT)
def run_import(import_id: str) -> None:
    importing.run(UUID(import_id), announce_conversation)


@shared_task
def pick_up_imports() -> None:
    """Those whose message was lost, or whose worker has died."""
    for pk in importing.waiting():
        send(RUN_IMPORT, str(pk))
