"""Makes users who are logged in, and prints their session keys as JSON.

python -m benchmarks.people 100
"""

import json
import os
import string
import sys
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.utils import timezone  # noqa: E402
from django.utils.crypto import get_random_string  # noqa: E402

from accounts.models import User  # noqa: E402


def make(count: int) -> list[str]:
    """Straight into the tables: hashing five thousand passwords would take minutes."""
    people = [User(username=f"bench{number}") for number in range(count)]
    for user in people:
        user.set_unusable_password()
    User.objects.bulk_create(people)
    sessions = [session(user) for user in people]
    Session.objects.bulk_create(sessions)
    return [each.session_key for each in sessions]


def session(user: User) -> Session:
    store = SessionStore()
    data = {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    return Session(
        session_key=get_random_string(32, string.ascii_lowercase + string.digits),
        session_data=store.encode(data),
        expire_date=timezone.now() + timedelta(days=1),
    )


if __name__ == "__main__":
    print(json.dumps(make(int(sys.argv[1]))))
