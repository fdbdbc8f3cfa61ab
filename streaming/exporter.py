"""The numbers of streaming/metrics.py for Prometheus: of this process, or, with
PROMETHEUS_MULTIPROC_DIR set, of every process of this host that shares the folder.

A worker has no web server, so it starts a small one of its own where WORKER_METRICS_PORT is set.
"""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from celery.signals import worker_ready
from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

logger = structlog.get_logger(__name__)
LIVE_GAUGES = re.compile(r"gauge_live[a-z]*_(\d+)\.db")


class HostCollector(Collector):
    """The sum over the processes of this host. Gauges count the living alone, counters the dead
    too, because a counter must never fall."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        forget_the_dead(Path(self._folder))
        summed = MultiProcessCollector(None, self._folder)  # type: ignore[no-untyped-call]
        collected: Iterable[Metric] = summed.collect()  # type: ignore[no-untyped-call]
        return collected


def registry() -> CollectorRegistry:
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return REGISTRY
    host = CollectorRegistry()
    host.register(HostCollector(folder))
    return host


def forget_the_dead(folder: Path) -> None:
    """A process that was killed leaves its gauges behind, as if its sockets were still open."""
    found = (LIVE_GAUGES.fullmatch(path.name) for path in folder.glob("gauge_live*.db"))
    for pid in {int(match[1]) for match in found if match}:
        if not is_alive(pid):
            # Another scrape may be at it at the same moment.
            with suppress(FileNotFoundError):
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@worker_ready.connect
def serve(**_: Any) -> None:
    """A port that is taken must not keep a worker from its work. On a host with several workers
    and a shared folder the first one speaks for all."""
    port, bind = settings.WORKER_METRICS_PORT, settings.WORKER_METRICS_BIND
    if not port:
        return
    try:
        start_http_server(port, bind, registry())
    except OSError as error:
        logger.warning("metrics_not_served", port=port, bind=bind, error=str(error))
        return
    logger.info("metrics_served", port=port, bind=bind)
