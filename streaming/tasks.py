"""Shells around the worker. Every task may come twice, late or never."""

import gc
import os
import signal
from functools import cache
from typing import TYPE_CHECKING, Any

from celery import current_app, shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings

from streaming.queue import ENTITLE, GENERATE, enqueue

if TYPE_CHECKING:
    from streaming.worker import Worker


@cache
def worker() -> "Worker":
    """This process's worker; it starts with the first call, after any fork. What it needs of the
    providers' libraries is imported here, because beat reads this module too and needs none."""
    from streaming.generate import generate as run_generation
    from streaming.places import Places
    from streaming.titles import entitle  # noqa: F401
    from streaming.worker import Worker

    # What has been imported lives as long as the process: no collection need look at it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    queues = list(current_app.amqp.queues.consume_from)
    places = Places(settings.CELERY_WORKER_CONCURRENCY, settings.WORKER_WAITING)
    return Worker(run_generation, queues, places)


# Hints that came to this process while it was ending, as (generation, queue).
given_back: list[tuple[str, str]] = []


@shared_task(name=GENERATE, bind=True)
def generate(self: Any, generation_id: str) -> None:
    here = worker()
    if here.stopping:
        given_back.append((generation_id, self.request.delivery_info["routing_key"]))
        return
    here.hold(generation_id)


@shared_task(name=ENTITLE)
def entitle(conversation_id: str) -> None:
    """Does not wait for the model: the thread is one that an answer could have."""
    here = worker()
    if not here.stopping:
        from streaming.titles import entitle as write_title

        here.aside(write_title(conversation_id, here))


@worker_ready.connect
def begin(**_: Any) -> None:
    """Sweep and renew from the start, not only from the first task on."""
    worker()
    # Celery's own answer to QUIT cancels the pool's jobs, which threads cannot do.
    signal.signal(signal.SIGQUIT, hand_over_and_stop)


def hand_over_and_stop(*_: Any) -> None:
    worker().drain(0)
    os.kill(os.getpid(), signal.SIGTERM)


@worker_shutting_down.connect
def drain(**_: Any) -> None:
    """Runs inside the signal's handler: as long as it does, the main thread takes nothing new."""
    worker().drain(settings.DRAIN_SECONDS)


@worker_shutdown.connect
def give_back(**_: Any) -> None:
    """The main thread's last question to the broker is open while it drains, and may be answered
    with the very generation that was handed over. Only now does nobody here ask any more."""
    for generation_id, queue in given_back:
        enqueue(generation_id, queue)
