"""No process outlives the one that started it, however that one ended."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
# Loaded here because the call is made between fork and exec, where little is safe.
_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(parent: int, sig: int = signal.SIGKILL) -> None:
    """Have the kernel send `sig` to this process when `parent`, its parent, has ended.

    Linux alone can do that; elsewhere a supervisor that is killed with -9 leaves its processes.
    """
    if sys.platform != "linux":
        return
    _libc.prctl(PR_SET_PDEATHSIG, int(sig))
    # The parent may have ended just before the call, which then waits for the wrong process.
    if os.getppid() != parent:
        os.kill(os.getpid(), sig)
