"""Speed, side by side with other servers on the same machine and in the same minutes.

    python -m benchmarks                      # three rounds, 1, 20 and 100 streams
    python -m benchmarks --quick              # one small round
    python -m benchmarks --database postgres
    python -m benchmarks idle                 # 5,000 idle sockets
    python -m benchmarks page                 # a long answer in a browser
    python -m benchmarks filters              # what each filter costs a token
    python -m benchmarks --servers chatsite filtered   # the product without and with filters
    python -m benchmarks long                 # a conversation of 5,000 messages in a browser

Writes benchmarks/results.json. docs/performance.md says how to read it.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import msgspec

from benchmarks import idle, long, page, report, servers
from benchmarks.measure import Result, Shape, measure, median
from benchmarks.processes import Stage
from benchmarks.servers import Server

RESULTS = Path(__file__).with_name("results.json")
PAGE_TOKENS = 20_000
PAGE_RATE = 200.0
NAMES = ("floor", "tutorial", "chatsite")
FILTERED = "filtered"
WARM_UP = Shape(streams=5, tokens=20, rate=50, ramp=0)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=["streams", "idle", "long", "page", "filters"],
        default="streams",
    )
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 20, 100])
    parser.add_argument("--tokens", type=int, default=200, help="of each answer")
    parser.add_argument("--rate", type=float, default=50, help="the provider's tokens per second")
    parser.add_argument(
        "--ramp", type=float, default=1, help="seconds within which the streams begin; 0: at once"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--servers", nargs="+", choices=[*NAMES, FILTERED], default=list(NAMES))
    parser.add_argument("--sockets", type=int, default=5000, help="for idle")
    parser.add_argument("--messages", type=int, default=5000, help="for long")
    parser.add_argument("--quick", action="store_true", help="one round of 20 streams, 50 tokens")
    parser.add_argument("--markdown", action="store_true")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.streams, chosen.tokens = 1, [20], 50
    return chosen


def main() -> None:
    chosen = options()
    # Without this, SIGTERM would leave every process that was started behind.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    folder = Path(tempfile.mkdtemp(prefix="chatsite-bench-"))
    try:
        if chosen.what == "idle":
            idle.main(folder, chosen.sockets)
        elif chosen.what == "page":
            page.main(folder, PAGE_TOKENS if not chosen.quick else 2_000, PAGE_RATE)
        elif chosen.what == "filters":
            from benchmarks import filters

            filters.main()
        elif chosen.what == "long":
            long.main(folder, chosen.messages)
        else:
            compare(folder, chosen)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def compare(folder: Path, chosen: argparse.Namespace) -> None:
    about = report.machine()
    with Stage(folder) as stage:
        medians = run_all(start(stage, chosen), chosen)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(medians)))
    print(f"\n{report.table(medians, markdown=chosen.markdown)}\n\n{report.parts(medians)}")
    print(f"\n{about}\n{report.troubles(medians)}")


def start(stage: Stage, chosen: argparse.Namespace) -> list[Server]:
    _, url = servers.provider(stage)
    people = max(*chosen.streams, WARM_UP.streams)
    makers = {
        "floor": lambda: servers.floor(stage, url),
        "tutorial": lambda: servers.tutorial(stage, url),
        "chatsite": lambda: servers.chatsite(stage, url, chosen.database, people),
        FILTERED: lambda: servers.chatsite(stage, url, chosen.database, people, filters=True),
    }
    return [makers[name]() for name in chosen.servers]


def run_all(started: list[Server], chosen: argparse.Namespace) -> list[Result]:
    """Round-robin, so that a noisy minute falls on all servers alike."""
    for server in started:
        measure(server, WARM_UP)
    results: dict[tuple[int, str], list[Result]] = {}
    for number in range(chosen.rounds):
        for streams in chosen.streams:
            shape = Shape(streams, chosen.tokens, chosen.rate, chosen.ramp)
            for server in started:
                print(f"round {number + 1}: {server.name}, {streams} streams", flush=True)
                results.setdefault((streams, server.name), []).append(measure(server, shape))
    return [median(rounds) for rounds in results.values()]


if __name__ == "__main__":
    main()
