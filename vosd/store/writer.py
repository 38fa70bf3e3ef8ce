# SPDX-License-Identifier: GPL-2.0-or-later
"""The one thread that writes: group commit, retry until it succeeds, nothing dropped.

Rows wait in channels, keyed, so that a newer row for a key replaces an older one. A row of an
urgent channel (a call was answered) is committed after a short gather, together with the urgent
rows that came meanwhile; all other rows wait up to 50 ms and are committed in one go, which
writes each index page once. Changes of configuration ride on any commit and answer a future.

A commit that fails leaves its rows held, in the order of the channels, and is tried again with
growing pauses; meanwhile `accepting` is False. A row the database itself refuses is written
apart, so that it holds nobody up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from vosd.store import database
from vosd.store.channel import Ack, Channel, Done, Row, cleaned
from vosd.store.errors import StoreError
from vosd.store.rows import BLOCK
from vosd.store.spool import Entry

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_FIRST_S = 0.05
RETRY_MOST_S = 1.0
#: older than this, the queue is reason enough to refuse calls
STALE_S = 5.0
CLOSED = "cannot store the change: the store is closed"


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """How long rows wait for company, in seconds, and what SQLite is told."""

    #: pause between commits under load; after a quiet time an urgent row is committed at once
    gather_s: float = 0.002
    lazy_s: float = 0.05
    busy_ms: int = 500
    checkpoint_pages: int = 4000
    #: bytes set aside for the spool: final rows of 20,000 calls, without evidence
    reserve: int = 8 << 20


class Job:
    """A change of configuration: one function, one savepoint, one answer."""

    __slots__ = ("future", "result", "work")

    def __init__(self, work: Callable[[sa.Connection], Any], future: Future[Any]) -> None:
        self.work = work
        self.future = future
        self.result: Any = None


class Writer:
    """Owns the writing connection and its thread. Posting never blocks on the disk."""

    def __init__(
        self, engine: sa.Engine, channels: Sequence[Channel], tuning: Tuning | None = None
    ) -> None:
        self.tuning = tuning or Tuning()
        #: what failed last, None while commits succeed
        self.error: str | None = None
        #: takes all acknowledgements of one commit; without it each is called by itself
        self.notify: Callable[[list[Ack]], None] | None = None
        #: commits made, rows the database refused for good
        self.commits = 0
        self.rejected = 0
        self._channels = tuple(channels)
        self._lock = threading.Lock()
        self._bell = threading.Event()
        self._closing = threading.Event()
        self._jobs: list[Job] = []
        self._urgent_since: float | None = None
        self._lazy_since: float | None = None
        self._held_since: float | None = None
        self._flushing = False
        self._asleep = False
        self._busy = False
        self._pause = 0.0
        self._give_up = float("inf")
        self._ended = False
        self._session = database.Session(engine.connect())
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def depth(self) -> int:
        """Rows and changes not yet durable."""
        return len(self._jobs) + sum(len(c.rows) + len(c.held) for c in self._channels)

    def oldest_age(self, now: float) -> float:
        """Seconds, on the monotonic clock, that the oldest row has waited; 0 when none waits."""
        since = [
            s for s in (self._held_since, self._urgent_since, self._lazy_since) if s is not None
        ]
        return max(0.0, now - min(since)) if since else 0.0

    @property
    def accepting(self) -> bool:
        """False while a new call could not be recorded: refuse it with 503."""
        return self.error is None and self.oldest_age(time.monotonic()) <= STALE_S

    def post(self, channel: Channel, key: Any, row: Row, done: Done | None = None) -> None:
        """Hand over one row; `done` is called in the writer thread."""
        with self._lock:
            channel.rows[key] = row
            if done is not None:
                channel.dones.append((key, done))
            ring = self._stamp(channel.urgent)
        if ring:
            self._bell.set()

    def post_all(self, channel: Channel, rows: Mapping[Any, Row]) -> None:
        """Hand over many rows at once."""
        with self._lock:
            channel.rows.update(rows)
            ring = self._stamp(channel.urgent)
        if ring:
            self._bell.set()

    def change(self, work: Callable[[sa.Connection], T], *, flush: bool = False) -> Future[T]:
        """Run `work` in a transaction of the writer; the future has its result or StoreError.

        With `flush` all rows that wait are committed along with it.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._ended:
                future.set_exception(StoreError(CLOSED))
                return future
            self._jobs.append(Job(work, future))
            self._flushing |= flush
            ring = self._stamp(urgent=True)
        if ring:
            self._bell.set()
        return future

    def flushed(self) -> Future[None]:
        """Done when all that was posted before is durable; StoreError when a commit fails."""
        return self.change(lambda _: None, flush=True)

    def flush(self, timeout: float | None = None) -> None:
        """Wait for `flushed`."""
        self.flushed().result(timeout)

    def close(self, timeout: float = 10.0) -> list[Entry]:
        """Commit what waits and stop; what could not be committed within `timeout` seconds.

        A disk that never answers is not waited for: its commit may yet succeed, which is why
        every row can be written twice.
        """
        self._give_up = time.monotonic() + timeout
        self._closing.set()
        self._bell.set()
        self._thread.join(timeout + self.tuning.busy_ms / 1000 + STALE_S)
        with self._lock:
            return [entry for channel in self._channels for entry in channel.left()]

    def _stamp(self, urgent: bool) -> bool:
        """Note since when something waits; True when the thread sleeps and has to be woken."""
        if urgent:
            if self._urgent_since is not None:
                return False
            self._urgent_since = time.monotonic()
        else:
            if self._lazy_since is not None:
                return False
            self._lazy_since = time.monotonic()
        return self._asleep

    def _run(self) -> None:
        while True:
            self._wait()
            last = self._closing.is_set()
            self._cycle(self._take())
            if last and (self.depth == 0 or time.monotonic() >= self._give_up):
                break
        self._end()
        self._session.connection.close()

    def _wait(self) -> None:
        """Sleep until there is something to commit, or until a failed commit is to be retried."""
        if self.error is not None:
            if self._closing.wait(self._pause):
                time.sleep(RETRY_FIRST_S)
            return
        if self._busy:
            time.sleep(self.tuning.gather_s)
        while not self._closing.is_set():
            with self._lock:
                pause = self._until_due()
                self._asleep = pause is None or pause > 0
            if not self._asleep:
                return
            self._bell.wait(pause)
            self._asleep = False
            self._bell.clear()

    def _until_due(self) -> float | None:
        """Seconds until a commit is due, None when nothing waits."""
        if self._urgent_since is not None or self._flushing:
            return 0.0
        if self._lazy_since is None:
            return None
        return self._lazy_since + self.tuning.lazy_s - time.monotonic()

    def _take(self) -> list[Job]:
        """Take the urgent rows, and the lazy ones when they are due; answer the changes."""
        with self._lock:
            lazy = self._lazy_since
            everything = (
                self._flushing
                or self.error is not None
                or self._closing.is_set()
                or (lazy is not None and time.monotonic() - lazy >= self.tuning.lazy_s)
            )
            waited = [self._held_since, self._urgent_since, lazy if everything else None]
            for channel in self._channels:
                if everything or channel.urgent:
                    channel.take()
            self._held_since = min((s for s in waited if s is not None), default=None)
            self._urgent_since = None
            if everything:
                self._lazy_since = None
                self._flushing = False
            jobs, self._jobs = self._jobs, []
        return [job for job in jobs if job.future.set_running_or_notify_cancel()]

    def _cycle(self, jobs: list[Job]) -> None:
        """One commit, and everyone's answer. Nothing escapes: the thread outlives any fault."""
        idle = not jobs and not any(channel.held for channel in self._channels)
        # after a failure the database is tried with nothing, or no call would be let in to try it
        if idle and self.error is None:
            self._held_since = None
            self._busy = False
            return
        self._busy = True
        refused: dict[str, dict[Any, str]] = {}
        try:
            try:
                self._commit(jobs)
            except Exception as error:
                if self._session.is_outage(error):
                    raise
                log.warning("cannot store a batch: %s; storing its rows one by one", error)
                self._commit_singly(jobs, refused)
        except Exception as error:
            self._failed(error, jobs)
        else:
            self._succeeded(jobs, refused)

    def _commit(self, jobs: Sequence[Job]) -> None:
        held = [channel for channel in self._channels if channel.held]
        if not jobs and len(held) == 1 and held[0].urgent and len(held[0].held) <= BLOCK:
            # one statement, which is a transaction of its own
            held[0].write(self._session.cursor, held[0].held)
            return
        with self._session.transaction() as cursor:
            for channel in held:
                channel.write(cursor, channel.held)
            self._work(jobs)

    def _commit_singly(self, jobs: Sequence[Job], refused: dict[str, dict[Any, str]]) -> None:
        with self._session.transaction() as cursor:
            for channel in self._channels:
                refused[channel.name] = self._write_singly(cursor, channel)
            self._work(jobs)

    def _work(self, jobs: Sequence[Job]) -> None:
        """Each change in its own savepoint; one that fails has its answer at once."""
        connection = self._session.connection
        for job in jobs:
            if job.future.done():
                continue
            try:
                with connection.begin_nested():
                    job.result = job.work(connection)
            except Exception as error:
                job.future.set_exception(_refusal(error))
                if not self._session.active:
                    raise

    def _write_singly(self, cursor: Any, channel: Channel) -> dict[Any, str]:
        """Each row in its own savepoint, as it is, then cleaned; the keys that still fail."""
        refused: dict[Any, str] = {}
        for key, row in channel.held.items():
            for attempt in (row, cleaned(row)):
                cursor.execute("SAVEPOINT one")
                try:
                    channel.write(cursor, {key: attempt})
                except Exception as error:
                    if self._session.is_outage(error):
                        raise
                    cursor.execute("ROLLBACK TO one")
                    refused[key] = f"cannot store the row: {error}"
                else:
                    refused.pop(key, None)
                    break
                finally:
                    cursor.execute("RELEASE one")
        return refused

    def _succeeded(self, jobs: Iterable[Job], refused: Mapping[str, Mapping[Any, str]]) -> None:
        self.commits += 1
        acks: list[Ack] = []
        for channel in self._channels:
            if channel.held:
                bad = refused.get(channel.name, {})
                for key, message in bad.items():
                    self.rejected += 1
                    log.error("%s: %r", message, channel.held[key])
                acks += channel.acknowledge(bad)
        self._held_since = None
        if self.error is not None:
            log.info("the store writes again")
            self.error = None
            self._pause = 0.0
        for job in jobs:
            if not job.future.done():
                job.future.set_result(job.result)
        self._tell(acks)

    def _failed(self, error: Exception, jobs: Iterable[Job]) -> None:
        message = f"cannot write the store: {error}"
        if self.error is None:
            log.error("%s; %d rows held, trying again", message, self.depth)
        self.error = message
        self._pause = min(RETRY_MOST_S, max(RETRY_FIRST_S, self._pause * 2))
        for job in jobs:
            if not job.future.done():
                job.future.set_exception(StoreError(message))
        self._tell([ack for channel in self._channels for ack in channel.refuse(message)])

    def _tell(self, acks: list[Ack]) -> None:
        if not acks:
            return
        try:
            if self.notify is not None:
                self.notify(acks)
                return
            for done, message in acks:
                done(message)
        except Exception:
            log.exception("an acknowledgement failed")

    def _end(self) -> None:
        with self._lock:
            self._ended = True
        for job in self._jobs:
            job.future.set_exception(StoreError(CLOSED))


def _refusal(error: Exception) -> Exception:
    if isinstance(error, StoreError):
        return error
    cause = getattr(error, "orig", None) or error
    return StoreError(f"cannot store the change: {cause}")
