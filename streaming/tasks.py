from functools import cache
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings

from streaming.generate import generate as run_generation
from streaming.queue import GENERATE, enqueue
from streaming.worker import Worker


@cache
def worker() -> Worker:
    """This process's worker; it starts with the first call, after any fork."""
    return Worker(enqueue)


@shared_task(name=GENERATE)
def generate(generation_id: str) -> None:
    """Safe to deliver twice, late or to several workers: the claim decides."""
    run_generation(generation_id, worker())


@worker_ready.connect
def begin(**_: Any) -> None:
    """Sweep and renew from the start, not only from the first task on."""
    worker()


@worker_shutting_down.connect
def drain(how: str = "", **_: Any) -> None:
    worker().drain(settings.DRAIN_SECONDS if how == "Warm" else 0)
