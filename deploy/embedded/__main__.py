import os
import signal
import subprocess
import sys

from django.core.exceptions import ImproperlyConfigured

from deploy.embedded import place, supervision
from deploy.embedded.orphans import end_with_parent
from deploy.embedded.programs import embedded_programs


def prepare_database() -> None:
    """In a process of its own, so that the supervisor stays small."""
    command = [sys.executable, "-m", "deploy.embedded.database"]
    done = subprocess.run(command, cwd=place.ROOT, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def main() -> None:
    if "MAKELEVEL" in os.environ:
        # Whoever kills make means this.
        end_with_parent(os.getppid(), signal.SIGTERM)
    here = place.read()
    with place.take(here):
        place.export(here)
        programs = embedded_programs(here)
        prepare_database()
        supervision.run(here, programs)


if __name__ == "__main__":
    try:
        main()
    except ImproperlyConfigured as refusal:
        sys.exit(str(refusal))
    except KeyboardInterrupt:
        sys.exit(130)
