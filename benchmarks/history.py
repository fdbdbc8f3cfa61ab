"""Makes a conversation of many messages, and prints its path as JSON.

python -m benchmarks.history <session key> 5000
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
django.setup()

from django.contrib.auth import SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402

from accounts.models import User  # noqa: E402
from tests.long import long_conversation  # noqa: E402


def make(session_key: str, messages: int) -> str:
    owner = User.objects.get(pk=SessionStore(session_key)[SESSION_KEY])
    return long_conversation(owner, messages).get_absolute_url()


if __name__ == "__main__":
    print(json.dumps(make(sys.argv[1], int(sys.argv[2]))))
