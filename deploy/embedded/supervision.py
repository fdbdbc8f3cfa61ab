"""Supervisor, used as a library: its restarts and its order of stopping, our log and our ends."""

import errno
import os
import signal
import sys
from typing import Any

from supervisor import events
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.poller import Poller
from supervisor.states import ProcessStates, SupervisorStates
from supervisor.supervisord import Supervisor

from deploy.embedded.log import PrefixedLog, wants_colour
from deploy.embedded.orphans import end_with_parent
from deploy.embedded.place import Place
from deploy.embedded.programs import Program, configuration

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)
# Between two starts of a process that cannot start; supervisor alone would wait longer each time.
LONGEST_PAUSE_SECONDS = 5
# Signals are seen when the poll returns, and a process that ended is started again after it.
POLL_SECONDS = 0.1


class BriskPoller(Poller):
    def poll(self, timeout: float) -> Any:
        return super().poll(min(timeout, POLL_SECONDS))


class Options(ServerOptions):
    def __init__(self) -> None:
        super().__init__()
        self.supervisor_pid = os.getpid()
        self.poller = BriskPoller(self)

    def setsignals(self) -> None:
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        super().setsignals()
        if ignored:  # by nohup
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def setpgrp(self) -> None:
        """Called in each child between fork and exec, so the one place for this.

        SIGKILL, because a polite end would keep the port and the data folder busy while nobody
        watches; what is lost by it is no more than by any other kill, which recovery is for.
        """
        super().setpgrp()
        end_with_parent(self.supervisor_pid)


class Embedded(Supervisor):
    def __init__(self, options: Options, log: PrefixedLog) -> None:
        super().__init__(options)
        self.log = log

    def runforever(self) -> None:
        # Supervisor forgets all subscriptions when it begins to run, so they are made here.
        events.subscribe(events.ProcessLogEvent, self.on_output)
        events.subscribe(events.ProcessStateEvent, self.on_state)
        super().runforever()

    def on_output(self, event: Any) -> None:
        self.print(self.log.write, event.process.config.name, event.data)

    def on_state(self, event: Any) -> None:
        process, name = event.process, event.process.config.name
        if isinstance(event, events.ProcessStateBackoffEvent):
            process.delay = min(process.delay, process.laststart + LONGEST_PAUSE_SECONDS)
            self.on_end(name, "soon after its start")
        if isinstance(event, events.ProcessStateExitedEvent):
            self.on_end(name, ending(process.exitstatus))
        if isinstance(event, events.ProcessStateStoppedEvent):
            self.print(self.log.flush, name)

    def on_end(self, name: str, how: str) -> None:
        self.print(self.log.flush, name)
        self.print(self.log.say, f"{name} ended {how}: starting it again")

    def print(self, write: Any, *arguments: Any) -> None:
        try:
            write(*arguments)
        except OSError as error:
            # Where the terminal or the pipe is gone, nobody could press ctrl-C any more.
            # Any other fault, such as a full disk, costs lines of the log and no more.
            if error.errno in (errno.EPIPE, errno.EIO):
                self.options.mood = SupervisorStates.SHUTDOWN
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def handle_signal(self) -> None:
        sig = self.options.get_signal()
        if sig not in STOP_SIGNALS:
            return
        if self.options.mood == SupervisorStates.SHUTDOWN:
            self.kill_what_is_stopping()
            return
        self.options.mood = SupervisorStates.SHUTDOWN
        self.print(self.log.say, "Stopping; once more stops at once")

    def kill_what_is_stopping(self) -> None:
        for group in self.process_groups.values():
            for process in group.processes.values():
                if process.get_state() == ProcessStates.STOPPING:
                    process.kill(signal.SIGKILL)


def ending(status: int) -> str:
    """Supervisor writes -1 for every signal."""
    return "by a signal" if status < 0 else f"with exit status {status}"


def run(place: Place, programs: list[Program]) -> None:
    """Run the programs until a signal asks for the end and all of them have ended."""
    path = place.data / "supervisord.conf"
    path.write_text(configuration(place, programs))
    options = Options()
    options.realize(["-c", str(path)], doc="")
    options.first, options.test = True, False
    out = sys.stdout.buffer
    log = PrefixedLog(out, [program.name for program in programs], colour=wants_colour(out))
    supervisor = Embedded(options, log)
    try:
        supervisor.main()
    except ExitNow:
        supervisor.print(log.say, "Stopped")
    finally:
        options.close_logger()
