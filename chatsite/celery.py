import logging
import os
from typing import Any

from celery import Celery
from kombu.transport.redis import QoS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
logger = logging.getLogger(__name__)

app = Celery("chatsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

_restore_unacked_once = QoS.restore_unacked_once


def restore_unacked_once(self: QoS, stderr: Any = None) -> None:
    """Kombu 5.7.0 gives unacknowledged messages back when its connection closes, over that same
    connection. Where Redis has died, that is an AttributeError (`'NoneType' object has no attribute
    'hostname'`) which ends the whole worker and every answer in it. The messages are only hints;
    the sweeper finds what they were about."""
    try:
        _restore_unacked_once(self, stderr)
    except AttributeError as error:
        logger.warning("messages not given back: %s", error)


QoS.restore_unacked_once = restore_unacked_once
