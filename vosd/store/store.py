# SPDX-License-Identifier: GPL-2.0-or-later
"""The door to what is kept: configuration, registrations, records, audit."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from vosd.store import accounts, audit, database, keys, lists, params, routes, spool
from vosd.store.audit import AuditEntry
from vosd.store.cdr import Records
from vosd.store.channel import Channel, Done
from vosd.store.errors import StoreError
from vosd.store.lock import StateLock
from vosd.store.params import ParameterChange, ParameterRow
from vosd.store.spool import Entry, Spool
from vosd.store.writer import Tuning, Writer
from vosd.switch.tables import Binding, Gateway, Listed, Phone
from vosd.wire.records import AuditRow

T = TypeVar("T")
Audits = AuditEntry | Iterable[AuditEntry]


class Store:
    """One open database of one node. Make it with `Store.open`, end it with `close`.

    Reads open a connection of their own and may be called from any thread; they block for the
    disk. Changes answer a future, resolved in the writer thread when they are durable, or with
    StoreError. Every change and its audit rows are one transaction.
    """

    def __init__(self, engine: sa.Engine, node: str, lock: StateLock, tuning: Tuning) -> None:
        self.node = node
        self.cdr = Records(node)
        self._engine = engine
        self._lock = lock
        self.spool = Spool(lock.path.with_suffix(".spool"))
        self._bindings = Channel("bindings", accounts.write_bindings, accounts.binding_entry)
        self.writer = Writer(engine, (*self.cdr.channels, self._bindings), tuning)
        self.cdr.attach(self.writer, engine)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        node: str,
        lock_path: Path | None = None,
        tuning: Tuning | None = None,
    ) -> Store:
        """Open or create the database, bring its schema up to date, start the writer, write what
        the last run left in the spool.

        `lock_path` defaults to the database's path with `.lock` appended. Raises StoreError, a
        sentence, when the state is in use or cannot be used.
        """
        tuning = tuning or Tuning()
        path = database.locate(url)
        lock_path = lock_path or path.with_name(path.name + ".lock")
        for directory in (path.parent, lock_path.parent):
            database.make_state_dir(directory)
        lock = StateLock(lock_path)
        try:
            engine = database.connect(
                path, busy_ms=tuning.busy_ms, checkpoint_pages=tuning.checkpoint_pages
            )
            store = cls(engine, node, lock, tuning)
        except BaseException:
            lock.release()
            raise
        try:
            store._take_up()
        except BaseException:
            store.writer.close(0.0)
            store._let_go()
            raise
        store.spool.allocate(tuning.reserve)
        return store

    def close(self, timeout: float = 10.0) -> None:
        """Commit what waits, stop the writer, let go of the state.

        What could not be committed within `timeout` seconds goes to the spool.
        """
        left = self.writer.close(timeout)
        if left:
            self.spool.keep(left)
        self._let_go()

    def _let_go(self) -> None:
        self._engine.dispose()
        self._lock.release()

    def _take_up(self) -> None:
        """Write what the spool holds; it goes only when that is durable. StoreError if not now."""
        entries, unreadable = self.spool.read()
        for entry in entries:
            self._post(entry)
        if entries:
            self.writer.flush()
        self.spool.finish(len(entries) - self.writer.rejected, unreadable + self.writer.rejected)

    def _post(self, entry: Entry) -> None:
        match entry:
            case spool.Opened(row):
                self.cdr.opened(row, _told)
            case spool.Closed(row, evidence):
                self.cdr.closed(row, evidence)
            case spool.Alive(id, at):
                self.cdr.alive([id], at)
            case spool.Withdrawn(id):
                self.cdr.withdraw(id)
            case spool.Bound(binding):
                self.put_binding(binding)
            case spool.Unbound(number, contact):
                self.remove_binding(number, contact)

    def gateways(self) -> list[Gateway]:
        return self._read(routes.read)

    def phones(self) -> list[Phone]:
        return self._read(accounts.read_phones)

    def bindings(self) -> list[Binding]:
        return self._read(accounts.read_bindings)

    def blacklist(self) -> list[Listed]:
        return self._read(lists.read)

    def parameters(self) -> list[ParameterRow]:
        return self._read(params.read)

    def key(self, name: str) -> bytes:
        """The switch's secret `name`, 32 octets, made the first time it is asked for.

        Nodes with one database have it in common. While nothing can be written it is one of this
        run only.
        """
        fresh = secrets.token_bytes(32)
        try:
            return self.writer.change(lambda c: keys.take(c, name, fresh)).result()
        except StoreError:
            return fresh

    def audit(
        self, limit: int = 100, verb_prefix: str | None = None, subject: str | None = None
    ) -> list[AuditRow]:
        """The newest entries first, of verbs that begin with `verb_prefix`, on `subject`."""
        return self._read(lambda c: audit.read(c, limit, verb_prefix, subject))

    def put_gateway(self, gateway: Gateway, audits: Audits) -> Future[None]:
        """Add or replace, overrides included: what is put is what `gateways` reads."""
        return self._change(lambda c: routes.put(c, gateway), audits)

    def remove_gateway(self, name: str, audits: Audits) -> Future[bool]:
        """Remove with its overrides; False when there was none."""
        return self._change(lambda c: routes.remove(c, name), audits)

    def put_phone(self, phone: Phone, audits: Audits) -> Future[None]:
        return self._change(lambda c: accounts.put_phone(c, phone), audits)

    def remove_phone(self, number: str, audits: Audits) -> Future[bool]:
        """Remove with its registrations; False when there was none."""
        return self._change(lambda c: accounts.remove_phone(c, number), audits)

    def put_blacklist(self, rows: Sequence[Listed], audits: Audits) -> Future[None]:
        """Add; a row of the same number, prefix and side is replaced."""
        return self._change(lambda c: lists.put(c, rows), audits)

    def remove_blacklist(self, rows: Sequence[Listed | str], audits: Audits) -> Future[int]:
        """Remove the rows given, or all rows of a number given as text; how many went."""
        return self._change(lambda c: lists.remove(c, rows), audits)

    def set_parameters(self, changes: Sequence[ParameterChange], audits: Audits) -> Future[None]:
        """All of them or none."""
        return self._change(lambda c: params.write(c, changes), audits)

    def write_audit(self, audits: Audits) -> Future[None]:
        """An entry for something that changes no stored row, a hang-up for instance."""
        return self._change(lambda _: None, audits)

    def put_binding(self, binding: Binding, done: Done | None = None) -> None:
        """Durable within the lazy time; kept and retried while the store does not write."""
        key = (binding.number, binding.contact)
        self.writer.post(self._bindings, key, accounts.binding_row(binding), done)

    def remove_binding(self, number: str, contact: str, done: Done | None = None) -> None:
        """As `put_binding`."""
        self.writer.post(self._bindings, (number, contact), None, done)

    def _read(self, read: Callable[[sa.Connection], T]) -> T:
        with self._engine.connect() as connection:
            return read(connection)

    def _change(self, work: Callable[[sa.Connection], T], audits: Audits) -> Future[T]:
        entries = [audits] if isinstance(audits, AuditRow) else list(audits)

        def both(connection: sa.Connection) -> T:
            result = work(connection)
            audit.write(connection, entries)
            return result

        return self.writer.change(both)


def _told(_: str | None) -> None:
    """Nobody waits for the open row of a run that is over."""
