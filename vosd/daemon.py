# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon: builds the parts, starts them in order, stops them in reverse.

SIGTERM drains (new calls 503, live ones go on, SERVER_DRAIN_TIMEOUT at most; a second SIGTERM
ends them now), SIGHUP reads the file again. When the store does not write at the end it gets
some time more, which SIGTERM cuts short; what it has not taken then the next start writes.
The watchdog is fed from the loop that carries SIP.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import time
from pathlib import Path

import msgspec

from vosd import config as files
from vosd import journal
from vosd.config import Config, ConfigError
from vosd.control.metrics import MetricsServer
from vosd.control.server import ControlServer
from vosd.descriptors import allow_all, shortage
from vosd.engine.node import Node
from vosd.media.userspace import UserspaceRelay
from vosd.net.tls import TlsError
from vosd.sip.endpoint import Listen
from vosd.store.errors import StoreError
from vosd.store.store import Store
from vosd.supervisor import Supervisor
from vosd.switch.reasons import REASONS

log = logging.getLogger("vosd")

_TICK_S = 1.0
#: how often names are looked at; only those are asked for again whose TTL has passed
_RESOLVE_S = 10.0
_FIRST_NAMES_S = 0.5
#: systemd is asked for this much beyond the drain time, and for this much more while records wait
_MARGIN_S = 15.0
#: how long a store that does not write is waited for: long enough for a backup that holds the
#: database, short enough that a full disk does not keep a restart from taking calls again
_STORE_WAIT_S = 30.0
#: vendors are waited for so long when we take our registrations back
_LEAVE_S = 1.0
#: the last commits: one that is asked for in good health, one more when the doors are shut
_FLUSH_S = 2.0
_LAST_TRY_S = 1.0
#: young objects before a collection: calls are freed by reference counting, the collector only
#: looks for cycles, of which the hot path makes none
_GC = (50_000, 20, 100)


class Daemon:
    """One process of vosd."""

    def __init__(self, config: Config, path: Path | None) -> None:
        self._config = config
        self._path = path
        self._supervisor = Supervisor()
        self._stop = asyncio.Event()
        #: told to stop once more while already stopping
        self._hurry = asyncio.Event()
        self._signals = 0
        self._resolved = asyncio.Event()

    async def run(self) -> int:
        """Serve until told to stop; the process's exit code."""
        store = self._open_store()
        try:
            allowed = allow_all()
            node = self._open_node(store)
            if few := shortage(allowed, node.descriptors):
                log.warning("%s", few)
            server = ControlServer(node, Path(self._config.control_socket))
            await server.start()
            metrics = MetricsServer(node)
            await metrics.start()
            try:
                await self._serve(node)
            finally:
                await metrics.stop()
                await server.stop()
                node.close()
        finally:
            store.close(_LAST_TRY_S)
        return 0

    def _open_store(self) -> Store:
        state = Path(self._config.state_dir)
        store = Store.open(
            self._config.database_url, node=self._config.node, lock_path=state / "vosd.lock"
        )
        lost = REASONS["node_lost"]
        found = store.cdr.recover(time.time(), reason=lost.name, sip_code=lost.sip, q850=lost.q850)
        if found:
            log.warning("calls that were live when the last run ended: %d, node_lost", found)
        for name, rows in store.cdr.left_open().items():
            log.warning(
                "cannot end calls node %s left open in the store: %d; if this vosd was called so "
                "before, start it once with node = %r",
                name, rows, name,
            )  # fmt: skip
        return store

    def _open_node(self, store: Store) -> Node:
        loop = asyncio.get_running_loop()
        return Node(
            node=self._config.node,
            store=store,
            listens=[Listen(*msgspec.structs.astuple(row)) for row in self._config.listens()],
            media_address=self._config.media_address or None,
            relay=self._relay(loop),
            loop=loop,
            tls=self._config.tls,
        )

    def _relay(self, loop: asyncio.AbstractEventLoop) -> UserspaceRelay:
        relay = UserspaceRelay()
        relay.attach(loop)
        return relay

    async def _serve(self, node: Node) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._terminate, node)
        loop.add_signal_handler(signal.SIGHUP, self._reload, node)
        names = asyncio.create_task(self._resolve(node))
        # names are usually there at once; a slow server is no reason to stay closed
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._resolved.wait(), _FIRST_NAMES_S)
        node.start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC)
        self._supervisor.ready("ready")
        for problem in node.settings.ignored:
            log.warning("%s", problem)
        listens = ", ".join(node.status().listens)
        log.info("ready on %s, control socket %s", listens, self._config.control_socket)
        await self._tick(node)
        names.cancel()
        await self._end(node)
        await self._write_out(node)

    async def _resolve(self, node: Node) -> None:
        """Look names up again and again, beside the pulse: it must never wait for them."""
        while True:
            try:
                await node.resolve()
            except Exception:
                log.exception("cannot look names up; trying again in %d s", _RESOLVE_S)
            self._resolved.set()
            await asyncio.sleep(_RESOLVE_S)

    async def _tick(self, node: Node) -> None:
        """The loop's own pulse: a late one is lag, none at all starves the watchdog."""
        due = time.monotonic()
        while not self._stop.is_set():
            due = max(due + _TICK_S, time.monotonic())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), due - time.monotonic())
            node.lag_ms = max(0.0, (time.monotonic() - due) * 1000)
            self._pulse(node, f"{len(node.calls)} calls, {node.state}")
            if node.state == "draining" and not len(node.calls):
                return

    def _pulse(self, node: Node, status: str) -> None:
        node.tick(time.monotonic())
        self._supervisor.alive()
        self._supervisor.status(status)

    def _terminate(self, node: Node) -> None:
        if self._stop.is_set():
            self._hurry.set()
            return
        self._signals += 1
        if self._signals > 1 or not len(node.calls):
            node.drain()
            self._stop.set()
            return
        limit = float(node.settings.snapshot.get("SERVER_DRAIN_TIMEOUT"))
        node.drain()
        log.info("draining: calls live: %d, for at most %d s", len(node.calls), limit)
        self._supervisor.stopping(limit + _MARGIN_S)
        asyncio.get_running_loop().call_later(limit, self._stop.set)

    async def _end(self, node: Node) -> None:
        self._stop.set()
        self._supervisor.stopping(_MARGIN_S)
        if len(node.calls):
            log.warning("ending calls that outlasted the drain: %d", len(node.calls))
            node.exchange.end_calls("drained")
            # let the BYEs meet their answers
            await asyncio.sleep(0.5)
        limit = time.monotonic() + _LEAVE_S
        while node.leaving and time.monotonic() < limit:
            await asyncio.sleep(0.02)

    async def _write_out(self, node: Node) -> None:
        """See that the store has everything. One that does not write is tried for a while;
        meanwhile the doors stay open, so that callers get their 503 and operators their status."""
        writer = node.store.writer
        with contextlib.suppress(StoreError, TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(writer.flushed()), _FLUSH_S)
        if writer.error is None:
            return
        log.warning(
            "%s: trying for %d s more, %d rows wait; make it writable again, or stop once more "
            "(SIGTERM) to end the wait: %s keeps them for the next start",
            writer.error,
            _STORE_WAIT_S,
            writer.depth,
            node.store.spool.path,
        )
        limit = time.monotonic() + _STORE_WAIT_S
        while writer.error and time.monotonic() < limit and not self._hurry.is_set():
            self._pulse(node, f"{writer.depth} rows wait to be stored: {writer.error}")
            self._supervisor.stopping(_MARGIN_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), _TICK_S)

    def _reload(self, node: Node) -> None:
        """SIGHUP: take what can change while running from the file; a bad file changes nothing."""
        self._supervisor.reloading()
        try:
            new = files.load(self._path)
            node.read_certificates(new.tls)
            node.configuration.reload()
        except (ConfigError, StoreError, TlsError) as error:
            for problem in str(error).splitlines():
                log.error("%s", problem)
            log.error("going on with what was read before")
        else:
            self._take(new)
        finally:
            self._supervisor.ready("ready")

    def _take(self, new: Config) -> None:
        journal.configure(new.log.level, new.log.format)
        old = self._config
        for key in (
            "node",
            "state_dir",
            "control_socket",
            "database_url",
            "media_address",
            "listen",
        ):
            if getattr(new, key) != getattr(old, key):
                log.warning("%s has changed in the file: takes effect when vosd restarts", key)
        log.info("configuration read again")
