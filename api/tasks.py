"""What the API leaves to the workers. Each may come twice, late or never: the rows decide."""

from uuid import UUID

from celery import shared_task

from api import leaving
from api.background import send
from conversations import removal
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


@shared_task(name=leaving.PURGE)
def purge_conversations() -> None:
    """What nobody can bring back any more, without waiting for the next round of beat."""
    while removal.purge() == removal.PURGED_AT_ONCE:
        pass


@shared_task
def expire_conversations() -> None:
    if removal.expire():
        purge_conversations()


@shared_task(name=leaving.REMOVE_ACCOUNT)
def remove_account(user_id: str) -> None:
    leaving.remove(int(user_id))


@shared_task
def pick_up_removals() -> None:
    """Those of whom a worker that died has left something."""
    for pk in leaving.leaving().values_list("pk", flat=True):
        send(leaving.REMOVE_ACCOUNT, str(pk))
