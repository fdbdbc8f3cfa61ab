"""What ops see. Times in seconds; everything that processes count is defined here and nowhere else.
(What they count of providers is in llm/metrics.py; what is read from the database and Redis when
somebody asks is in chatsite/metrics.py.)"""

import os
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.multiprocess import mark_process_dead

FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
if FOLDER:
    Path(FOLDER).mkdir(parents=True, exist_ok=True)
    # In a container that is started again, a process gets the number of the one that died, and
    # would go on counting from the sockets and generations that died with it.
    mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SLOW = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)

SOCKETS = Gauge("chatsite_active_sockets", "Open WebSockets", multiprocess_mode="livesum")
RUNNING = Gauge(
    "chatsite_active_generations", "Generations that workers run", multiprocess_mode="livesum"
)
QUESTIONS = Gauge(
    "chatsite_open_questions", "Tool calls that wait for approval", multiprocess_mode="livesum"
)
QUEUE_SECONDS = Histogram(
    "chatsite_queue_wait_seconds", "From submit to the claim by a worker", buckets=SLOW
)
FIRST_TOKEN_SECONDS = Histogram(
    "chatsite_time_to_first_token_seconds", "From submit to the first token", buckets=SLOW
)
GENERATION_SECONDS = Histogram(
    "chatsite_generation_seconds", "From claim to terminal event", ["status"], buckets=SLOW
)
TOKENS = Counter("chatsite_tokens_total", "Tokens by kind", ["model", "kind"])
PUBLISH_SECONDS = Histogram(
    "chatsite_publish_lag_seconds", "One pipeline: append to the log and publish", buckets=FAST
)
GENERATIONS = Counter("chatsite_generations_total", "Ended generations", ["status"])
FAILURES = Counter("chatsite_failures_total", "Failed generations by code", ["code"])
RESUMES = Counter("chatsite_resumes_total", "Resume commands")
GAPS = Counter("chatsite_gaps_total", "Gaps seen by web nodes and cured from the log")
LATE = Counter("chatsite_late_total", "Streams found behind their log by the position check")
REAPED = Counter("chatsite_reaped_total", "Attempts whose lease ran out")
SWEPT = Counter("chatsite_swept_total", "Generations that a sweep started", ["why"])
HANDED_OVER = Counter("chatsite_handed_over_total", "Generations given back on shutdown")
CLOSED = Counter("chatsite_sockets_closed_total", "Sockets closed by the server", ["code"])
COMMANDS = Counter("chatsite_commands_total", "Commands by type", ["type"])
ERRORS = Counter("chatsite_command_errors_total", "Refused commands by code", ["code"])
LAYER_DEAF = Counter("chatsite_layer_deaf_total", "Times the watchdog renewed the channel layer")
