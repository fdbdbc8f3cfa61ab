"""What the user takes away for good."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status

from accounts.confirmation import Confirmation, confirm
from api.auth import SESSION, user_of
from api.leaving import delete_all, leave
from conversations.refused import Refused

# Not for programs: no key takes an account away.
router = Router(tags=["account"], auth=SESSION)


class Proof(Schema):
    """The password; for somebody who signs in by other means, the username."""

    proof: str


class Deleted(Schema):
    conversations: int


@router.delete("/conversations", response=Deleted)
def delete_conversations(request: HttpRequest) -> dict[str, int]:
    return {"conversations": delete_all(user_of(request))}


@router.post("/delete", response={204: None})
def delete_account(request: HttpRequest, proof: Proof) -> Status[None]:
    user = user_of(request)
    match confirm(request, user, proof.proof):
        case Confirmation.TOO_OFTEN:
            raise Refused("limit_reached", _("Too many tries. Wait a minute and try again."))
        case Confirmation.WRONG:
            raise Refused("wrong_proof", wrong(has_password=user.has_usable_password()))
    leave(user)
    logout(request)
    messages.success(request, _("Your account has been deleted."))
    return Status(204, None)


def wrong(*, has_password: bool) -> str:
    return _("This is not your password.") if has_password else _("This is not your username.")
