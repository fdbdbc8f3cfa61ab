"""Who may write: every step is one guarded update, and zero rows is a normal answer."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from conversations.models import Conversation, Generation, Message
from conversations.submit import Submitted
from llm.catalogue import default_model
from streaming import lease
from streaming.lease import Outcome
from tests.rows import asked, completed
from tests.stack import ROOT

pytestmark = pytest.mark.database
ROWS = 300
THREADS = 4
PROCESSES = 3
# No worker takes from it, not even one that sweeps.
QUEUE = "of-these-tests"
CANCELLED = Outcome("cancelled", 2, [{"type": "text", "text": "so far"}], {}, {})


@pytest.fixture(autouse=True)
def _long_leases(settings: Settings) -> None:
    """On a busy machine a race may last longer than the short lease of the tests."""
    settings.LEASE_SECONDS = 60


@pytest.fixture
def queued(owner: User) -> Submitted:
    return put(owner)


def put(owner: User) -> Submitted:
    """A generation that waits."""
    made = asked(owner)
    Generation.objects.filter(pk=made.generation.pk).update(queue=QUEUE)
    return made


def row(made: Submitted) -> Generation:
    return Generation.objects.select_related("message").get(pk=made.generation.pk)


def values(made: Submitted) -> tuple[Any, ...]:
    """Everything that is kept of a generation and of its message."""
    generations = Generation.objects.filter(pk=made.generation.pk)
    messages = Message.objects.filter(pk=made.reply.pk)
    return (*generations.values_list(), *messages.values_list())


def claim(made: Submitted, worker: str = "first") -> Generation:
    claimed = lease.claim(made.generation.pk, worker)
    assert claimed is not None
    return claimed


def expire(made: Submitted) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Generation.objects.filter(pk=made.generation.pk).update(lease_expires_at=past)


# --- Claiming ------------------------------------------------------------------------------------
def test_a_claim_takes_a_queued_generation_as_its_first_attempt(queued: Submitted) -> None:
    before = timezone.now()
    claimed = claim(queued)
    assert (claimed.status, claimed.attempt, claimed.losses) == ("in_progress", 1, 0)
    assert claimed.worker == "first"
    assert claimed.lease_expires_at is not None
    assert claimed.lease_expires_at >= before + timedelta(seconds=settings.LEASE_SECONDS)


def test_what_is_claimed_cannot_be_claimed_again(queued: Submitted) -> None:
    claim(queued)
    before = values(queued)
    assert lease.claim(queued.generation.pk, "second") is None
    assert lease.claim(queued.generation.pk, "first") is None
    assert values(queued) == before


def test_a_lease_that_ran_out_can_be_claimed_as_the_next_attempt(queued: Submitted) -> None:
    claim(queued)
    expire(queued)
    claimed = claim(queued, "second")
    assert (claimed.attempt, claimed.losses, claimed.worker) == (2, 1, "second")
    assert lease.claim(queued.generation.pk, "third") is None


def test_what_has_ended_or_is_gone_cannot_be_claimed(queued: Submitted) -> None:
    claimed = claim(queued)
    assert lease.finish(claimed.pk, 1, completed())
    assert lease.claim(claimed.pk, "second") is None
    queued.conversation.delete()
    assert lease.claim(claimed.pk, "second") is None


def make_rows(owner: User) -> list[str]:
    """Many generations that wait, each in a branch of its own."""
    conversation = Conversation.objects.create(owner=owner)
    prompts = [Message(conversation=conversation, role="user") for _ in range(ROWS)]
    replies = [Message(conversation=conversation, role="assistant") for _ in range(ROWS)]
    Message.objects.bulk_create([*prompts, *replies])
    shared = {"conversation": conversation, "model": default_model(owner), "queue": QUEUE}
    made = [
        Generation(prompt=prompt, message=reply, **shared)
        for prompt, reply in zip(prompts, replies, strict=True)
    ]
    return [str(one.pk) for one in Generation.objects.bulk_create(made)]


def in_threads(work: Callable[[int], Any]) -> list[Any]:
    """The same work in many threads that begin at the same moment."""
    together = threading.Barrier(THREADS)

    def run(number: int) -> Any:
        try:
            together.wait(10)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def claim_all(generations: list[str], worker: str) -> list[str]:
    return [pk for pk in generations if lease.claim(pk, worker) is not None]


def test_of_many_threads_that_claim_at_once_exactly_one_gets_each(owner: User) -> None:
    generations = make_rows(owner)

    def claim_from(number: int) -> list[str]:
        """Each begins elsewhere, so that all of them win something however they are scheduled."""
        start = number * len(generations) // THREADS
        return claim_all(generations[start:] + generations[:start], f"thread {number}")

    won = in_threads(claim_from)

    winners = Counter(pk for each in won for pk in each)
    assert winners == Counter(generations)
    for number, each in enumerate(won):
        kept = Generation.objects.filter(worker=f"thread {number}").values_list("pk", flat=True)
        assert {str(pk) for pk in kept} == set(each)
    assert set(Generation.objects.values_list("attempt", "losses")) == {(1, 0)}
    # On SQLite whoever has had the lock takes it again, before those who wait look for it.
    if connection.vendor != "sqlite":
        assert sum(1 for each in won if each) > 1, "one thread alone claimed: there was no race"


def test_of_many_threads_that_claim_an_expired_lease_exactly_one_gets_each(owner: User) -> None:
    generations = make_rows(owner)
    claim_all(generations, "dead")
    Generation.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    won = in_threads(lambda number: claim_all(generations, f"thread {number}"))

    assert Counter(pk for each in won for pk in each) == Counter(generations)
    assert set(Generation.objects.values_list("attempt", "losses")) == {(2, 1)}


CLAIM_ALL = """
import sys, django
django.setup()
from django.db import connection
from streaming.lease import claim
connection.ensure_connection()
print("ready", flush=True)
generations, worker = sys.stdin.readline().split(), sys.argv[1]
print(*[pk for pk in generations if claim(pk, worker) is not None])
"""


def test_of_many_processes_that_claim_at_once_exactly_one_gets_each(
    owner: User, process_env: dict[str, str]
) -> None:
    generations = make_rows(owner)
    env = {**os.environ, **process_env, "LEASE_SECONDS": "60"}
    env["DJANGO_SETTINGS_MODULE"] = "chatsite.settings"
    with ExitStack() as running:
        workers = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", CLAIM_ALL, f"process {number}"],
                    cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                )
            )
            for number in range(PROCESSES)
        ]  # fmt: skip
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(" ".join(generations) + "\n")
            worker.stdin.flush()
        won = [worker.communicate(timeout=60)[0].split() for worker in workers]
    assert Counter(pk for each in won for pk in each) == Counter(generations)
    assert set(Generation.objects.values_list("attempt", "losses")) == {(1, 0)}


# --- Renewing ------------------------------------------------------------------------------------
def lease_of(made: Submitted) -> datetime:
    expires = row(made).lease_expires_at
    assert expires is not None
    return expires


def test_a_worker_renews_what_it_runs_and_learns_how_it_stands(owner: User) -> None:
    one, other = put(owner), put(owner)
    for made in (one, other):
        claim(made)
        expire(made)
    lease.request_cancel(other.generation.pk)

    held = lease.renew("first", [str(one.generation.pk), str(other.generation.pk)])

    assert held == {str(one.generation.pk): (1, False), str(other.generation.pk): (1, True)}
    assert lease_of(one) > timezone.now()
    assert lease.claim(one.generation.pk, "second") is None


def test_a_worker_renews_nothing_that_is_not_its_own(owner: User) -> None:
    taken, foreign, waiting, ended, unasked = (put(owner) for _ in range(5))
    claim(taken)
    expire(taken)
    claim(taken, "second")
    claim(foreign, "second")
    claim(ended)
    lease.finish(ended.generation.pk, 1, completed())
    claim(unasked)
    everything = (taken, foreign, waiting, ended, unasked)
    before = [values(made) for made in everything]

    asked_for = [str(made.generation.pk) for made in everything if made is not unasked]
    assert lease.renew("first", asked_for) == {}
    assert [values(made) for made in everything] == before


def test_a_worker_that_took_over_from_itself_sees_the_newer_attempt(queued: Submitted) -> None:
    claim(queued)
    expire(queued)
    claim(queued)
    pk = str(queued.generation.pk)
    assert lease.renew("first", [pk]) == {pk: (2, False)}


# --- Finishing -----------------------------------------------------------------------------------
def test_the_end_is_stored_with_its_content(queued: Submitted) -> None:
    claim(queued)
    outcome = Outcome(
        "failed", 7, [{"type": "text", "text": "a part"}], {"output_tokens": 2}, {"total_ms": 9},
        "internal", "Something went wrong.", True,
    )  # fmt: skip
    assert lease.finish(queued.generation.pk, 1, outcome)
    stored = row(queued)
    assert (stored.status, stored.attempt, stored.seq) == ("failed", 1, 7)
    assert (stored.usage, stored.timings) == ({"output_tokens": 2}, {"total_ms": 9})
    assert stored.error_code == "internal"
    assert (stored.error_message, stored.retryable) == ("Something went wrong.", True)
    assert stored.lease_expires_at is None
    assert stored.finished_at is not None
    assert stored.message.text == "a part"


def test_an_older_attempt_changes_neither_generation_nor_message(queued: Submitted) -> None:
    claim(queued)
    expire(queued)
    claim(queued, "second")
    before = values(queued)
    assert not lease.finish(queued.generation.pk, 1, completed("a zombie's"))
    assert values(queued) == before
    assert lease.finish(queued.generation.pk, 2, completed("the second's"))
    assert row(queued).message.text == "the second's"


def test_an_end_is_stored_once(queued: Submitted) -> None:
    claim(queued)
    assert lease.finish(queued.generation.pk, 1, completed("the first"))
    before = values(queued)
    assert not lease.finish(queued.generation.pk, 1, completed("again"))
    assert not lease.finish(queued.generation.pk, 1, CANCELLED)
    assert values(queued) == before


def test_what_waits_or_is_gone_cannot_be_finished(queued: Submitted) -> None:
    before = values(queued)
    for attempt in (0, 1):
        assert not lease.finish(queued.generation.pk, attempt, completed())
    assert values(queued) == before
    queued.conversation.delete()
    assert not lease.finish(queued.generation.pk, 1, completed())


def test_an_owner_late_by_a_moment_may_still_finish_what_nobody_took(queued: Submitted) -> None:
    claim(queued)
    expire(queued)
    assert lease.finish(queued.generation.pk, 1, completed("late"))
    assert row(queued).message.text == "late"


def test_of_finishing_and_taking_over_exactly_one_wins(owner: User) -> None:
    generations = make_rows(owner)[:80]
    claim_all(generations, "first")
    Generation.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    def work(number: int) -> list[str]:
        if number % 2:
            return [pk for pk in generations if lease.finish(pk, 1, completed())]
        return claim_all(generations[::-1], f"thread {number}")

    won = in_threads(work)
    assert Counter(pk for each in won for pk in each) == Counter(generations)
    for number, each in enumerate(won):
        rows = Generation.objects.filter(pk__in=each).values_list("status", "attempt", "seq")
        assert set(rows) <= ({("completed", 1, 3)} if number % 2 else {("in_progress", 2, 0)})


# --- Handing over --------------------------------------------------------------------------------
def test_a_running_generation_is_handed_over(queued: Submitted) -> None:
    claim(queued)
    assert lease.hand_over(queued.generation.pk, 1)
    waiting = row(queued)
    assert (waiting.status, waiting.worker, waiting.lease_expires_at) == ("queued", "", None)
    again = claim(queued, "second")
    # It was given away, not lost: that counts against nobody.
    assert (again.attempt, again.losses) == (2, 0)


def test_only_its_own_attempt_hands_over(queued: Submitted) -> None:
    assert not lease.hand_over(queued.generation.pk, 0)
    claim(queued)
    assert lease.hand_over(queued.generation.pk, 1)
    claim(queued, "second")
    before = values(queued)
    assert not lease.hand_over(queued.generation.pk, 1)
    assert values(queued) == before
    assert lease.finish(queued.generation.pk, 2, completed())
    assert not lease.hand_over(queued.generation.pk, 2)
    assert row(queued).status == "completed"


def test_only_its_own_attempt_marks_side_effects(queued: Submitted) -> None:
    claim(queued)
    expire(queued)
    claim(queued, "second")
    assert not lease.mark_side_effects(queued.generation.pk, 1)
    assert not row(queued).side_effects
    assert lease.mark_side_effects(queued.generation.pk, 2)
    assert row(queued).side_effects


# --- Cancelling ----------------------------------------------------------------------------------
def test_a_stop_can_be_asked_for_until_the_end(queued: Submitted) -> None:
    assert lease.request_cancel(queued.generation.pk)
    claim(queued)
    assert lease.request_cancel(queued.generation.pk)
    lease.finish(queued.generation.pk, 1, completed())
    before = values(queued)
    assert not lease.request_cancel(queued.generation.pk)
    assert values(queued) == before


def test_what_waits_is_stopped_as_an_attempt_of_its_own(queued: Submitted) -> None:
    assert lease.cancel_queued(queued.generation.pk, CANCELLED) == 1
    stopped = row(queued)
    assert (stopped.status, stopped.attempt, stopped.seq) == ("cancelled", 1, 2)
    assert stopped.message.text == "so far"
    assert lease.claim(stopped.pk, "first") is None


def test_what_was_handed_over_is_stopped_after_its_last_attempt(queued: Submitted) -> None:
    claim(queued)
    lease.hand_over(queued.generation.pk, 1)
    assert lease.cancel_queued(queued.generation.pk, CANCELLED) == 2


def test_what_a_worker_has_begun_is_not_stopped_in_the_queue(queued: Submitted) -> None:
    claim(queued)
    before = values(queued)
    assert lease.cancel_queued(queued.generation.pk, CANCELLED) == 0
    assert values(queued) == before
    lease.finish(queued.generation.pk, 1, completed())
    assert lease.cancel_queued(queued.generation.pk, CANCELLED) == 0
    assert row(queued).message.text == "Good day"


def test_of_claiming_and_stopping_exactly_one_wins(owner: User) -> None:
    generations = make_rows(owner)

    def work(number: int) -> list[str]:
        if number % 2:
            return [pk for pk in generations if lease.cancel_queued(UUID(pk), CANCELLED)]
        return claim_all(generations[::-1], f"thread {number}")

    won = in_threads(work)
    assert Counter(pk for each in won for pk in each) == Counter(generations)
    for number, each in enumerate(won):
        rows = Generation.objects.filter(pk__in=each).values_list("status", "attempt", "seq")
        assert set(rows) <= ({("cancelled", 1, 2)} if number % 2 else {("in_progress", 1, 0)})
    stopped = Message.objects.filter(generation__status="cancelled")
    assert all(message.text == "so far" for message in stopped)
    begun = Message.objects.filter(generation__status="in_progress")
    assert all(message.content == [] for message in begun)
    assert stopped.count() + begun.count() == ROWS


# --- What the sweeper finds ----------------------------------------------------------------------
def long_ago(made: Submitted, seconds: float) -> None:
    at = timezone.now() - timedelta(seconds=seconds)
    Generation.objects.filter(pk=made.generation.pk).update(enqueued_at=at)


def test_what_waits_too_long_is_found_the_oldest_first(owner: User) -> None:
    late, later, fresh, running = (put(owner) for _ in range(4))
    long_ago(late, settings.QUEUED_TOO_LONG_SECONDS + 1)
    long_ago(later, settings.QUEUED_TOO_LONG_SECONDS + 9)
    long_ago(running, settings.QUEUED_TOO_LONG_SECONDS + 9)
    claim(running)
    found = [one.pk for one in lease.queued_too_long([QUEUE], 10)]
    assert found == [later.generation.pk, late.generation.pk]
    assert fresh.generation.pk not in found
    assert [one.pk for one in lease.queued_too_long([QUEUE], 1)] == [later.generation.pk]
    assert lease.queued_too_long(["generations"], 10) == []


def test_a_lease_that_ran_out_is_found_the_oldest_first(owner: User) -> None:
    older, newer, healthy, waiting, ended = (put(owner) for _ in range(5))
    for made in (older, newer, healthy, ended):
        claim(made)
    lease.finish(ended.generation.pk, 1, completed())
    now = timezone.now()
    for made, seconds in ((older, 9), (newer, 1)):
        Generation.objects.filter(pk=made.generation.pk).update(
            lease_expires_at=now - timedelta(seconds=seconds)
        )
    found = [one.pk for one in lease.expired([QUEUE], 10)]
    assert found == [older.generation.pk, newer.generation.pk]
    assert not {healthy.generation.pk, waiting.generation.pk} & set(found)
    assert [one.pk for one in lease.expired([QUEUE], 1)] == [older.generation.pk]
    assert lease.expired(["generations"], 10) == []
