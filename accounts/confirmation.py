"""Before something that cannot be taken back: is it the user, or somebody at their desk?"""

from enum import Enum

from allauth.core import ratelimit
from django.http import HttpRequest

from accounts.models import User


class Confirmation(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    TOO_OFTEN = "too often"


def confirm(request: HttpRequest, user: User, proof: str) -> Confirmation:
    """By the password, guessed no more often than when signing in again; by the username where
    there is no password, because somebody else's server signs this user in."""
    if not ratelimit.consume(request, action="reauthenticate", user=user):
        return Confirmation.TOO_OFTEN
    if user.has_usable_password():
        right = user.check_password(proof)
    else:
        right = proof.strip() == user.get_username()
    return Confirmation.RIGHT if right else Confirmation.WRONG
