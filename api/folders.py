from typing import Annotated
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status
from pydantic import StringConstraints

from api.auth import user_of
from conversations.access import folder_of
from conversations.models import Folder
from conversations.submit import Refused
from streaming.news import announce_folders

MOST_FOLDERS = 200
router = Router(tags=["folders"])


class FolderIn(Schema):
    name: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00]*$"
        ),
    ]


class FolderOut(Schema):
    id: UUID
    name: str


@router.get("", response=list[FolderOut])
def folders(request: HttpRequest) -> list[Folder]:
    return list(Folder.objects.filter(owner=user_of(request)))


@router.post("", response={201: FolderOut})
def create(request: HttpRequest, wanted: FolderIn) -> Status[Folder]:
    user = user_of(request)
    if Folder.objects.filter(owner=user).count() >= MOST_FOLDERS:
        raise Refused("conflict", _("There are too many folders already."))
    return Status(201, kept(Folder(owner=user), wanted.name))


@router.patch("/{uuid:folder_id}", response=FolderOut)
def rename(request: HttpRequest, folder_id: UUID, wanted: FolderIn) -> Folder:
    return kept(folder_of(user_of(request), folder_id), wanted.name)


@router.delete("/{uuid:folder_id}", response={204: None})
def delete(request: HttpRequest, folder_id: UUID) -> Status[None]:
    """Its conversations stay, in no folder."""
    user = user_of(request)
    found = folder_of(user, folder_id)
    with transaction.atomic():
        found.delete()
        announce_folders(user)
    return Status(204, None)


def kept(folder: Folder, name: str) -> Folder:
    folder.name = name
    try:
        with transaction.atomic():
            folder.save()
            announce_folders(folder.owner)
    except IntegrityError:
        raise Refused("conflict", _("There is a folder of this name already.")) from None
    return folder
