"""A claim reads a generation and then takes it as it was read. What comes in between wins."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from conversations.models import Generation
from conversations.submit import Submitted
from streaming import lease
from tests.rows import asked, completed

pytestmark = pytest.mark.database
# No worker takes from it, not even one that sweeps.
QUEUE = "of-these-tests"
Change = Callable[[Submitted], Any]


def queued(made: Submitted) -> None:
    """As it was made."""


def left_by_a_zombie(made: Submitted) -> None:
    assert lease.claim(made.generation.pk, "zombie") is not None
    past = timezone.now() - timedelta(seconds=1)
    Generation.objects.filter(pk=made.generation.pk).update(lease_expires_at=past)


def claim_after(made: Submitted, change: Change) -> Generation | None:
    """Claim, and let the change happen when the row has been read and not yet been taken."""
    changes = [change]

    def before_the_update(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE") and changes:
            assert changes.pop()(made) is not False
        return execute(sql, *rest)

    with connection.execute_wrapper(before_the_update):
        claimed = lease.claim(made.generation.pk, "late")
    assert not changes, "nothing was updated"
    return claimed


def by_another(made: Submitted) -> bool:
    return lease.claim(made.generation.pk, "early") is not None


def by_another_who_gave_it_back(made: Submitted) -> bool:
    return by_another(made) and lease.hand_over(made.generation.pk, 1)


def a_cancel(made: Submitted) -> bool:
    return lease.request_cancel(made.generation.pk)


def a_tool_that_acts(made: Submitted) -> bool:
    return lease.mark_side_effects(made.generation.pk, 1)


def a_renewal(made: Submitted) -> bool:
    return bool(lease.renew("zombie", [str(made.generation.pk)]))


def a_hand_over(made: Submitted) -> bool:
    return lease.hand_over(made.generation.pk, 1)


def an_end(made: Submitted) -> bool:
    return lease.finish(made.generation.pk, 1, completed())


@pytest.mark.parametrize(
    ("start", "change"),
    [
        (queued, by_another),
        (queued, by_another_who_gave_it_back),
        (queued, a_cancel),
        (left_by_a_zombie, by_another),
        (left_by_a_zombie, a_cancel),
        (left_by_a_zombie, a_tool_that_acts),
        (left_by_a_zombie, a_renewal),
        (left_by_a_zombie, a_hand_over),
        (left_by_a_zombie, an_end),
    ],
)
def test_what_has_changed_since_it_was_read_is_not_taken(
    owner: User, start: Callable[[Submitted], None], change: Change
) -> None:
    made = asked(owner)
    row = Generation.objects.filter(pk=made.generation.pk)
    row.update(queue=QUEUE)
    start(made)

    assert claim_after(made, change) is None

    stored = row.get()
    assert stored.worker != "late"
    claims = (start is left_by_a_zombie) + (change in (by_another, by_another_who_gave_it_back))
    assert stored.attempt == claims


def test_the_next_claim_knows_of_the_tool_that_acted(owner: User) -> None:
    made = asked(owner)
    Generation.objects.filter(pk=made.generation.pk).update(queue=QUEUE)
    left_by_a_zombie(made)
    assert claim_after(made, a_tool_that_acts) is None

    claimed = lease.claim(made.generation.pk, "next")

    assert claimed is not None
    assert (claimed.attempt, claimed.losses, claimed.side_effects) == (2, 1, True)
