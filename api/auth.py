from typing import cast

from django.http import HttpRequest

from accounts.models import User


def user_of(request: HttpRequest) -> User:
    """Behind the API's authentication there is always one."""
    return cast(User, request.user)
