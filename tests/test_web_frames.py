"""What a frame costs beside itself."""

import subprocess
import sys

SAID = """
import chatsite.web
from autobahn.twisted import websocket
from autobahn.websocket import protocol
for module in (websocket, protocol):
    assert module.hltype.__module__ == module.hlval.__module__ == "chatsite.web"
print(protocol.hlval(7, color="red"), protocol.hltype(len) is len, protocol.pformat is repr)
"""
# By the names through which Autobahn asks for it; one that it no longer has must not go unnoticed.
THEIRS = """
from autobahn.twisted import websocket
from autobahn.websocket import protocol
print(all(callable(getattr(module, name)) for module in (websocket, protocol)
          for name in ("hltype", "hlval")), callable(protocol.pformat))
"""


def said_by(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_no_line_is_coloured_that_nobody_reads() -> None:
    assert said_by(THEIRS) == "True True"
    assert said_by(SAID) == "7 True True"
