"""A worker process: Celery's threads pool waits, one event loop streams.

The loop lives in a daemon thread that starts with the first task, after any fork. On it run the
ticker and the process's four watches: renew the leases, sweep, listen for cancels, say "alive".
"""

import asyncio
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog
import uvloop
from django.conf import settings
from redis.exceptions import RedisError

from llm.session import close_session
from streaming import lease, metrics
from streaming.approval import Questions
from streaming.database import AWAY, DatabaseThreads
from streaming.delivery import channel_of, user_group
from streaming.listener import TICK, Listener
from streaming.log import StreamLog, cancel_channel, worker_key
from streaming.places import Places
from streaming.protocol import ConversationUpdated, encode
from streaming.redis import connect
from streaming.run import Run
from streaming.sweep import Sweeper
from streaming.ticker import Ticker

logger = structlog.get_logger(__name__)
T = TypeVar("T")
Generate = Callable[[str, "Worker"], Coroutine[Any, Any, None]]
DATABASE_THREADS = 3
ASIDES = 8


class Worker:
    unreachable = (RedisError, OSError)

    def __init__(self, generate: Generate, queues: list[str], places: Places) -> None:
        self.id = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.queues = queues
        self.runs: dict[str, Run] = {}
        self.stopping = self.draining = self.gives_up = False
        self._generate = generate
        self.places = places
        self._swept: dict[str, asyncio.Task[None]] = {}
        self._asides = asyncio.Semaphore(ASIDES)
        self._loop = uvloop.new_event_loop()
        self._ready = threading.Event()
        threading.Thread(target=self._live, name="streams", daemon=True).start()
        self._ready.wait()

    # --- From Celery's threads -------------------------------------------------------------------
    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on the loop, wait in this thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def hold(self, generation: str) -> None:
        """Run a generation; the thread is free again when it has ended or waits for its user."""
        self.wait(self.places.hold(generation, self._generate(generation, self)))

    def aside(self, work: Coroutine[Any, Any, None]) -> None:
        """Run on the loop, a few at a time, and wait for nothing. It ends with the process."""
        asyncio.run_coroutine_threadsafe(self._in_turn(work), self._loop)

    def drain(self, seconds: float) -> None:
        """Let running answers end; hand over what is left after `seconds`. Blocks until all runs
        have ended or been handed over."""
        self.stopping = True
        logger.info("worker_drains", running=len(self.runs), seconds=seconds)
        self._wait_for_runs(seconds)
        self.draining = True
        for run in list(self.runs.values()):
            self._loop.call_soon_threadsafe(run.stop, "handed_over")
        self.gives_up = True
        self._wait_for_runs(5)
        self.wait(close_session())
        logger.info("worker_drained", left=len(self.runs))

    def _wait_for_runs(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.runs and time.monotonic() < deadline:
            time.sleep(0.05)

    async def _in_turn(self, work: Coroutine[Any, Any, None]) -> None:
        async with self._asides:
            try:
                await work
            except Exception:
                logger.exception("aside_broke")

    # --- On the loop -----------------------------------------------------------------------------
    def add(self, run: Run) -> None:
        self.runs[run.generation] = run
        metrics.RUNNING.inc()
        if self._listener.heard_cancel(run.generation):
            run.stop("cancelled")
        elif self.draining:
            run.stop("handed_over")

    def remove(self, run: Run) -> None:
        if self.runs.get(run.generation) is run:
            del self.runs[run.generation]
        metrics.RUNNING.dec()

    @property
    def room(self) -> int:
        """How many more generations this process may run."""
        return 0 if self.stopping else self.places.free(self.runs.keys() | self._swept.keys())

    def start(self, generation: str) -> None:
        """Run a generation that no Celery message led to."""
        if generation not in self._swept and generation not in self.runs:
            self._swept[generation] = self._loop.create_task(self._run_swept(generation))

    async def _run_swept(self, generation: str) -> None:
        try:
            await self._generate(generation, self)
        except AWAY as error:
            logger.warning("generation_not_begun", generation=generation, error=str(error))
        except Exception:
            logger.exception("generation_broke", generation=generation)
        finally:
            del self._swept[generation]

    async def tidy(self, run: Run, news: ConversationUpdated) -> None:
        """The database has the answer and every tab that shows it has been told: let the log
        expire, and tell the user's other tabs."""
        try:
            await self.log.retire(run.generation, ring(run, news))
        except self.unreachable as error:
            logger.warning("log_not_expired", error=str(error), generation=run.generation)

    async def tell(self, run: Run, news: ConversationUpdated) -> None:
        """The user's tabs show which conversations still have an answer on its way."""
        try:
            await self.redis.publish(*ring(run, news))
        except self.unreachable as error:
            logger.warning("not_announced", conversation=run.conversation, error=str(error))

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        while True:
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                # Raised in a task, these two end the loop too, and with it every answer of this
                # process, which lives on without renewing, sweeping or stopping anything. A tool
                # or a graph that calls `sys.exit` must not do that.
                logger.exception("loop_goes_on")
            else:
                return

    async def _start(self) -> None:
        self.in_database = DatabaseThreads(DATABASE_THREADS)
        self.redis = connect()
        self.log = StreamLog(self.redis)
        self.ticker = Ticker(self.log)
        self.questions = Questions(self, self.redis)
        self._listener = Listener(self)
        self._sweeper = Sweeper(self)
        watches = [
            self.ticker.run,
            self._renew,
            self._look_after,
            self._listener.run,
            self._sweeper.run,
        ]
        self._watches = [self._loop.create_task(self._for_ever(watch)) for watch in watches]
        self._ready.set()

    async def _for_ever(self, watch: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A watch that breaks is a bug that must be seen, and must not stop the others."""
        while True:
            try:
                await watch()
            except Exception:
                logger.exception("watch_broke", watch=watch.__qualname__)
                await asyncio.sleep(1)

    async def _renew(self) -> None:
        while True:
            before = list(self.runs.values())
            if before:
                await self._renew_leases(before)
            await asyncio.sleep(settings.RENEW_SECONDS)

    async def _look_after(self) -> None:
        """What needs Redis, apart from the leases: one that hangs must not cost us those."""
        while True:
            await self._say_alive()
            await self._check_logs(list(self.runs.values()))
            await self._look_at_questions()
            await asyncio.sleep(settings.RENEW_SECONDS)

    async def _renew_leases(self, runs: list[Run]) -> None:
        ids = [run.generation for run in runs]
        try:
            held = await self.in_database.at_once(lease.renew, self.id, ids)
        except AWAY as error:
            logger.warning("leases_not_renewed", error=str(error))
        else:
            self._compare(runs, held)

    def _compare(self, runs: list[Run], held: dict[str, tuple[int, bool]]) -> None:
        for run in runs:
            attempt, cancelled = held.get(run.generation, (0, False))
            if attempt != run.attempt:
                run.stop("lost")
            elif cancelled:
                run.stop("cancelled")

    async def _say_alive(self) -> None:
        """For readiness checks; and for the listener, which cannot tell silence from deafness."""
        try:
            await self.redis.set(
                worker_key(self.id), len(self.runs), ex=int(settings.LEASE_SECONDS)
            )
            await self.redis.publish(cancel_channel(), TICK)
        except self.unreachable as error:
            logger.warning("redis_unreachable", error=str(error))

    async def _check_logs(self, runs: list[Run]) -> None:
        """A model that thinks for a minute writes nothing, and would not see that Redis has lost
        its log; a tab that reloads meanwhile needs it."""
        idle = [run for run in runs if run.seq and not run.dirty and run.task is not None]
        try:
            there = await self.log.exists([run.generation for run in idle]) if idle else []
        except self.unreachable:
            return
        for run, exists in zip(idle, there, strict=True):
            if not exists and not run.dirty:
                run.rewrite()
                self.ticker.hurry(run)

    async def _look_at_questions(self) -> None:
        try:
            await self.questions.look_at_all()
        except self.unreachable as error:
            logger.warning("decisions_not_read", error=str(error))


def ring(run: Run, news: ConversationUpdated) -> tuple[str, bytes]:
    return channel_of(user_group(run.owner)), encode(news)
