"""Where one embedded instance lives: its address, its data folder, its Redis socket."""

import errno
import fcntl
import hashlib
import os
import re
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from django.core.exceptions import ImproperlyConfigured

from chatsite.environment import flag, text, whole

ROOT = Path(__file__).resolve().parent.parent.parent
# The kernel takes 107 bytes for the path of a socket; Redis and its clients are not asked for more.
SOCKET_PATH_BYTES = 100


@dataclass(frozen=True)
class Place:
    bind: str
    port: int
    data: Path
    redis_socket: Path
    # Whether Redis runs here, as a process of this instance, or elsewhere.
    own_redis: bool


def read() -> Place:
    """The place that the environment asks for; raises ImproperlyConfigured with a sentence."""
    port = whole("PORT", 8000, low=1)
    if port > 65535:
        raise ImproperlyConfigured(f"PORT: expected a number <= 65535, got {port}")
    data = (ROOT / text("DATA_DIR", ".data")).resolve()
    return Place(
        bind=text("BIND", "127.0.0.1"),
        port=port,
        data=data,
        redis_socket=redis_socket(data),
        own_redis=not text("REDIS_URL"),
    )


def redis_socket(data: Path) -> Path:
    """`redis.sock` in the data folder, or in a private temporary folder named after it.

    The second is for paths that are too long for a socket or would have to be quoted in a URL,
    which redis-py and kombu do not do in the same way.
    """
    path = data / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES and re.fullmatch(r"[\w./-]+", str(path), re.A):
        return path
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"chatsite-{os.getuid()}-{name}" / "redis.sock"


def take(place: Place) -> TextIO:
    """Make the folders and lock them; the lock lasts as long as the returned file stays open."""
    try:
        place.data.mkdir(parents=True, exist_ok=True)
        lock = (place.data / "lock").open("a+")
    except OSError as error:
        raise ImproperlyConfigured(
            f"DATA_DIR: {place.data} cannot be written to: {error.strerror}"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise ImproperlyConfigured(
            f"DATA_DIR: {place.data} is in use by process {lock.read().strip() or 'unknown'}. "
            "Stop that one, or give this one a DATA_DIR and a PORT of its own."
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    check_port(place)
    make_folders(place)
    return lock


def check_port(place: Place) -> None:
    """Refuse now, with a sentence, rather than in a traceback of the web node."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            place.bind, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise ImproperlyConfigured(f"BIND: expected an address, got {place.bind!r}") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ImproperlyConfigured(
                f"PORT: {place.port} is in use by another program. Choose one: PORT=8001 make run"
            ) from None
        raise ImproperlyConfigured(
            f"PORT: cannot listen on {place.bind}:{place.port}: {error.strerror}"
        ) from None


def make_folders(place: Place) -> None:
    (place.data / "redis").mkdir(exist_ok=True)
    # What processes of an earlier start counted would be added to what these ones count.
    shutil.rmtree(place.data / "metrics", ignore_errors=True)
    (place.data / "metrics").mkdir()
    folder = place.redis_socket.parent
    if folder == place.data:
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    # Anybody may make folders in the temporary folder: one that is not ours could be a trap.
    if folder.is_symlink() or folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise ImproperlyConfigured(f"{folder} belongs to somebody else: remove it and try again.")


def export(place: Place) -> None:
    """Put what was read into the environment, from which every process takes its settings."""
    os.environ |= {
        "BIND": place.bind,
        "PORT": str(place.port),
        "DATA_DIR": str(place.data),
        "DEBUG": "1" if flag("DEBUG", True) else "0",
        "PROMETHEUS_MULTIPROC_DIR": str(place.data / "metrics"),
        "PYTHONUNBUFFERED": "1",
    }
    if place.own_redis:
        os.environ["REDIS_URL"] = f"unix://{place.redis_socket}"
