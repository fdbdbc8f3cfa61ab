"""Reading a file of conversations, in the background, with progress. May be started again at any
moment: what is there already is not made twice."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import IO, Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import User
from conversations.models import Conversation, Import
from conversations.submit import Refused
from conversations.transfer.reading import Source, opened
from conversations.transfer.shapes import Wrong
from conversations.transfer.storing import store

logger = structlog.get_logger(__name__)
SILENT_SECONDS = 60
TOUCH_SECONDS = 0.5
PROBLEMS_KEPT = 20
COUNTED = ("total", "done", "created", "extended", "refused", "problems")
Tell = Callable[[Conversation], None]


def accept(user: User, upload: "UploadedFile[Any]") -> Import:
    """Keep the file for the worker. Raises Refused (too_large, busy)."""
    if (upload.size or 0) > settings.IMPORT_MB * 1_000_000:
        text = _("The file has more than %(most)s MB.") % {"most": settings.IMPORT_MB}
        raise Refused("too_large", text)
    made = Import(owner=user, name=(upload.name or "")[-255:])
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError:
        raise Refused("busy", _("Another import is still running. Wait for it.")) from None
    made.file.save("file", upload)
    return made


def waiting() -> list[UUID]:
    """Imports that nobody works at: their message was lost, or their worker."""
    found = Import.objects.filter(abandoned()).values_list("pk", flat=True)
    return list(found)


def abandoned() -> Q:
    before = timezone.now() - timedelta(seconds=SILENT_SECONDS)
    return Q(status__in=Import.ACTIVE, touched_at__lt=before)


def run(import_id: UUID, tell: Tell) -> None:
    """`tell` hears of every conversation that is new or has grown."""
    free = Q(status=Import.Status.QUEUED) | abandoned()
    taken = Import.objects.filter(free, pk=import_id).update(
        status=Import.Status.RUNNING, touched_at=timezone.now(), done=0, refused=0, problems=[]
    )
    if not taken:
        return
    one = Import.objects.select_related("owner").get(pk=import_id)
    language = getattr(one.owner, "language", "") or settings.LANGUAGE_CODE
    with translation.override(language):
        try:
            with one.file.open("rb") as file:
                read(one, file, tell)
        except Wrong as error:
            one.error = str(error)
        except (FileNotFoundError, ValueError):
            one.error = _("The file is gone.")
        except (OperationalError, InterfaceError):
            # It is taken up again when the database is back.
            raise
        except Exception:
            # Whatever a file makes a library raise: left as it is, it would be taken up again for
            # ever, and its owner could bring no other.
            logger.exception("import_broke", imported=str(one.pk))
            one.error = _("The file cannot be read.")
    end(one)


def read(one: Import, file: IO[bytes], tell: Tell) -> None:
    with opened(file) as sources:
        one.total = sum(len(source.items) for source in sources)
        touch(one)
        touched = monotonic()
        for source in sources:
            for number in range(len(source.items)):
                read_one(one, source, number, tell)
                if monotonic() - touched > TOUCH_SECONDS:
                    touch(one)
                    touched = monotonic()


def read_one(one: Import, source: Source, number: int, tell: Tell) -> None:
    try:
        with transaction.atomic():
            how, conversation = store(one.owner, source.read(number), source.name)
            if how != "unchanged":
                tell(conversation)
                setattr(one, how, getattr(one, how) + 1)
    except Wrong as error:
        refuse(one, str(error))
    except (DataError, IntegrityError, ValueError, OverflowError, RecursionError) as error:
        # Such as a number that no column holds, or lists in lists in lists. The others must not
        # suffer from it.
        logger.warning("import_refused", imported=str(one.pk), number=number, error=str(error))
        refuse(one, _("Conversation %(number)s could not be stored.") % {"number": number + 1})
    one.done += 1


def refuse(one: Import, sentence: str) -> None:
    one.refused += 1
    if len(one.problems) < PROBLEMS_KEPT:
        one.problems.append(sentence)


def touch(one: Import) -> None:
    keep(one, touched_at=timezone.now())


def end(one: Import) -> None:
    if one.file:
        one.file.delete(save=False)
    how = Import.Status.FAILED if one.error else Import.Status.COMPLETED
    keep(one, status=how, error=one.error, file="", finished_at=timezone.now())


def keep(one: Import, **changes: Any) -> None:
    """An update, because a save would make the row again whose owner has just deleted it."""
    counted = {name: getattr(one, name) for name in COUNTED}
    Import.objects.filter(pk=one.pk).update(**counted, **changes)
