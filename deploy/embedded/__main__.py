import os
import signal
import subprocess
import sys

from django.core.exceptions import ImproperlyConfigured

from chatsite.environment import flag
from deploy.embedded import place, supervision
from deploy.embedded.orphans import end_with_parent
from deploy.embedded.programs import embedded_programs


def manage(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "manage.py", *arguments], cwd=place.ROOT, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def prepare_database() -> None:
    """Bring the tables up to date and make the two users of a trial."""
    manage("migrate", "--verbosity", "0")
    if flag("DEBUG"):
        manage("demo_users")


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
