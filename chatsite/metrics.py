"""`/metrics` for Prometheus: what this node counts, and what is read as it is asked for."""

import asyncio
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from chatsite import probes
from conversations.models import Generation
from streaming.exporter import registry
from streaming.log import queue_key

FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")


@dataclass(frozen=True, slots=True)
class Active:
    """The generations that have not ended: how many by status, and how long one has waited."""

    counts: dict[str, int]
    oldest_queued_seconds: float


@dataclass(frozen=True, slots=True)
class Broker:
    queued: int
    workers: int


@require_safe
@never_cache
async def metrics(request: HttpRequest) -> HttpResponse:
    if not may_read(request):
        return HttpResponse(
            "Metrics are for this machine, or with METRICS_TOKEN as the bearer token.\n",
            status=403,
            content_type="text/plain",
        )
    active, broker = await asyncio.gather(
        probes.answer("database", probes.in_database(read_active)),
        probes.answer("redis", read_broker()),
    )
    text = await sync_to_async(render, thread_sensitive=False)(active, broker)
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def may_read(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    if token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    return is_local(request)


def is_local(request: HttpRequest) -> bool:
    """Behind a proxy on the same machine everybody seems to come from here, and the address that
    the proxy tells is partly the client's own word. So whatever was forwarded is not local."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR") or "")
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def read_active() -> Active:
    rows = (
        Generation.objects.filter(status__in=Generation.ACTIVE)
        .order_by()
        .values_list("status")
        .annotate(Count("pk"), Min("queued_at"))
    )
    found = {status: (count, oldest) for status, count, oldest in rows}
    counts = {status.value: found.get(status, (0, None))[0] for status in Generation.ACTIVE}
    return Active(counts, age(found.get(Generation.Status.QUEUED, (0, None))[1]))


def age(since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (timezone.now() - since).total_seconds())


async def read_broker() -> Broker:
    async with probes.redis() as client:
        return Broker(int(await client.llen(queue_key())), await probes.live_workers(client))


def render(active: Active | None, broker: Broker | None) -> bytes:
    now = CollectorRegistry()
    now.register(Readings(active, broker))
    return generate_latest(registry()) + generate_latest(now)


class Readings(Collector):
    """The same on every node: take the maximum over them, not the sum.

    Made for one scrape and not kept in Gauge objects, which in multi-process mode would add each
    process's own file to a number that belongs to none of them.
    """

    def __init__(self, active: Active | None, broker: Broker | None) -> None:
        self._active = active
        self._broker = broker

    def collect(self) -> Iterable[Metric]:
        reachable = GaugeMetricFamily(
            "chatsite_reachable", "1 where this node reaches the part", labels=["part"]
        )
        reachable.add_metric(["database"], float(self._active is not None))
        reachable.add_metric(["redis"], float(self._broker is not None))
        yield reachable
        if self._active is not None:
            yield from active_families(self._active)
        if self._broker is not None:
            yield GaugeMetricFamily(
                "chatsite_queue_length", "Messages in the broker's queue", self._broker.queued
            )
            yield GaugeMetricFamily(
                "chatsite_live_workers", "Workers that say they live", self._broker.workers
            )


def active_families(active: Active) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "chatsite_stored_generations", "Active generations in the database", labels=["status"]
    )
    for status, count in active.counts.items():
        family.add_metric([status], count)
    yield family
    yield GaugeMetricFamily(
        "chatsite_oldest_queued_seconds",
        "How long the oldest queued generation has waited since it was submitted",
        active.oldest_queued_seconds,
    )
