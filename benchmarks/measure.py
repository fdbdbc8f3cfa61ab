"""One run: a number of streams against one server, and what it cost that server."""

import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from benchmarks.load import LONGEST_WAIT_SECONDS, Job, Seen
from benchmarks.processes import ROOT, CpuMeter, memory
from benchmarks.servers import Server


@dataclass(frozen=True)
class Shape:
    streams: int
    tokens: int
    rate: float
    ramp: float


class Result(msgspec.Struct):
    """CPU in ms for 1,000 tokens, over all processes and by process; delays in ms; memory in MB."""

    server: str
    streams: int
    cpu: float
    cpu_by_process: dict[str, float]
    submit_p50: float
    submit_p99: float
    first_p50: float
    first_p99: float
    every_p50: float
    every_p99: float
    lost: int
    doubled: int
    gaps: int
    failed: list[str]
    memory: float
    memory_by_process: dict[str, float]


class Load:
    """The load client's process, from its connections to its last token."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __enter__(self) -> "Load":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._send(msgspec.json.encode(self._job))
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line != b"ready\n":
            self.__exit__()
            raise RuntimeError(f"the load client did not connect to {self._job.url}")
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()

    def go(self) -> Seen:
        limit = self._job.ramp + self._job.tokens / self._job.rate + LONGEST_WAIT_SECONDS + 10
        out, _ = self._process.communicate(b"go\n", timeout=limit)
        return msgspec.json.decode(out, type=Seen)

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()


def measure(server: Server, shape: Shape) -> Result:
    job = Job(
        url=server.url,
        dialect=server.dialect,
        streams=shape.streams,
        tokens=shape.tokens,
        rate=shape.rate,
        ramp=shape.ramp,
        cookies=server.cookies[: shape.streams],
    )
    with Load(job) as load:
        cpu = CpuMeter(server.processes)
        seen = load.go()
        spent = cpu.read()
        held = memory(server.processes)
    return result(server, shape, seen, spent, held)


def result(
    server: Server, shape: Shape, seen: Seen, spent: dict[str, float], held: dict[str, int]
) -> Result:
    thousands = shape.streams * shape.tokens / 1000
    cpu = {name: seconds * 1000 / thousands for name, seconds in spent.items()}
    megabytes = {name: size / 1e6 for name, size in held.items()}
    return Result(
        server=server.name,
        streams=shape.streams,
        cpu=sum(cpu.values()),
        cpu_by_process=cpu,
        submit_p50=percentile(seen.submit, 50),
        submit_p99=percentile(seen.submit, 99),
        first_p50=percentile(seen.first, 50),
        first_p99=percentile(seen.first, 99),
        every_p50=percentile(seen.every, 50),
        every_p99=percentile(seen.every, 99),
        lost=seen.lost,
        doubled=seen.doubled,
        gaps=seen.gaps,
        failed=seen.failed,
        memory=sum(megabytes.values()),
        memory_by_process=megabytes,
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed (nearest rank); NaN of nothing."""
    if not values:
        return float("nan")
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(rank, 1) - 1]


def median(results: Sequence[Result]) -> Result:
    """Medians of the numbers; what went wrong is added up, so that no round can hide it."""
    numbers = [name for name, kind in Result.__annotations__.items() if kind is float]
    middle = {name: statistics.median(getattr(each, name) for each in results) for name in numbers}
    return msgspec.structs.replace(
        results[0],
        **middle,
        cpu_by_process=median_by_name([each.cpu_by_process for each in results]),
        memory_by_process=median_by_name([each.memory_by_process for each in results]),
        lost=sum(each.lost for each in results),
        doubled=sum(each.doubled for each in results),
        gaps=sum(each.gaps for each in results),
        failed=[failure for each in results for failure in each.failed],
    )


def median_by_name(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
