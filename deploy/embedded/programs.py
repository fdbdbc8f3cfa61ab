"""The processes of an embedded instance, and the supervisor's configuration for them."""

import re
import resource
import shlex
import sys
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from deploy.embedded import redis
from deploy.embedded.place import ROOT, Place

# A process that ends earlier than this after its start is started again with a pause.
STEADY_SECONDS = 2
# How long a process that should have ended is waited for.
GRACE_SECONDS = 10
OPEN_FILES = 16384


@dataclass(frozen=True)
class Program:
    name: str
    command: list[str]
    # Programs of a higher level stop first, and Redis after all that write to it.
    level: int
    stop_signal: str = "TERM"


def embedded_programs(place: Place) -> list[Program]:
    python = sys.executable
    celery = [python, "-m", "celery", "--quiet", "-A", "chatsite"]
    worker = ["worker", "--without-gossip", "--without-mingle", "-Q", "generations,background"]
    schedule = str(place.data / "celerybeat-schedule")
    programs = [
        Program("web", [python, "-m", "chatsite.web"], 2),
        # On QUIT a worker hands its answers over at once; the next start goes on with them.
        Program("worker", [*celery, *worker, "--loglevel", "INFO"], 2, stop_signal="QUIT"),
        Program("beat", [*celery, "beat", "-s", schedule, "--pidfile="], 2),
    ]
    if place.own_redis:
        programs.insert(0, Program("redis", redis.configure(place), 1))
    return programs


def configuration(place: Place, programs: list[Program]) -> str:
    """Text for supervisor, which holds paths only: secrets go by the environment."""
    sections = [
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        "loglevel=info",
        f"logfile={escaped(place.data / 'supervisord.log')}",
        "logfile_maxbytes=1MB",
        "logfile_backups=1",
        f"pidfile={escaped(place.data / 'supervisord.pid')}",
        "nocleanup=true",
        f"minfds={open_files()}",
        "minprocs=1",
    ]
    for level in sorted({program.level for program in programs}):
        names = ",".join(program.name for program in programs if program.level == level)
        sections += [f"[group:level{level}]", f"programs={names}", f"priority={level}"]
    for program in programs:
        sections += section(program)
    return "\n".join(sections) + "\n"


def section(program: Program) -> list[str]:
    return [
        f"[program:{program.name}]",
        f"command={escaped(shlex.join(program.command))}",
        f"directory={escaped(ROOT)}",
        "autorestart=true",
        f"startsecs={STEADY_SECONDS}",
        "startretries=1000000000",
        f"stopsignal={program.stop_signal}",
        f"stopwaitsecs={GRACE_SECONDS}",
        "killasgroup=true",
        "redirect_stderr=true",
        "stdout_logfile=NONE",
        "stdout_events_enabled=true",
    ]


def escaped(value: object) -> str:
    """As supervisor's parser wants it; what begins like a comment cannot be written at all."""
    line = str(value)
    if re.search(r"\s[;#]|\n", line):
        raise ImproperlyConfigured(
            f"A folder's name may hold no ' #', ' ;' or line end here, got {line!r}. Rename it."
        )
    return line.replace("%", "%%")


def open_files() -> int:
    """Each browser tab is an open file of the web node, and the usual limit is 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
