# SPDX-License-Identifier: GPL-2.0-or-later
"""Call records: a row when the call is answered, proofs of life, the final row.

Every write is safe to repeat and to arrive late: an open row never replaces a final one, a
proof of life and a withdrawal touch open rows only. So the order between kinds does not matter
and a batch may be tried again after a commit whose outcome is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
import sqlalchemy as sa

from vosd.store.audit import starts_with
from vosd.store.channel import Channel, Done
from vosd.store.rows import Insert
from vosd.store.schema import FINAL, OPEN, calls, evidence
from vosd.store.spool import Alive, Closed, Opened, Withdrawn, struct_of
from vosd.store.writer import Writer
from vosd.wire.records import Cdr

CdrRows: TypeAlias = list[Cdr]
Ids: TypeAlias = list[str]
Condition: TypeAlias = sa.ColumnElement[bool]

#: rows read at once while exporting, so that no long read holds the log
PAGE = 1000
AMBIGUOUS_SHOWN = 3

_OPEN = Insert(calls, replace=False)
_FINAL = Insert(calls, replace=True)
_EVIDENCE = Insert(evidence, replace=True)
_ALIVE = "UPDATE calls SET alive_at = ? WHERE node = ? AND state = 'open' AND id IN ({})"
ALIVE_BLOCK = 500
_WITHDRAW = "DELETE FROM calls WHERE id = ? AND node = ? AND state = 'open'"


class CdrFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which final records; None asks nothing. A number may end in * for a prefix."""

    #: Unix seconds, on the start of the call: since <= started_at < until
    since: float | None = None
    until: float | None = None
    caller: str | None = None
    callee: str | None = None
    #: either side
    gateway: str | None = None
    #: end reason's name
    reason: str | None = None


Final: TypeAlias = tuple[tuple[Any, ...], bytes | None]


def _write_open(cursor: Any, rows: Mapping[str, tuple[Any, ...]]) -> None:
    _OPEN.write(cursor, [*rows.values()])


def _write_final(cursor: Any, rows: Mapping[str, Final]) -> None:
    _FINAL.write(cursor, [row for row, _ in rows.values()])
    _EVIDENCE.write(
        cursor, [(row[0], row[1], body) for row, body in rows.values() if body is not None]
    )


class Records:
    """The call records of one node. Writing is posting; reading may be done in any thread.

    A posted record is copied: the caller may go on filling it in.
    """

    def __init__(self, node: str) -> None:
        self.node = node
        self._opened = Channel(
            "calls (open)", _write_open, lambda _, row: Opened(struct_of(Cdr, row)), urgent=True
        )
        self._alive = Channel("calls (alive)", self._write_alive, Alive)
        self._closed = Channel(
            "calls", _write_final, lambda _, final: Closed(struct_of(Cdr, final[0]), final[1])
        )
        self._withdrawn = Channel(
            "calls (withdrawn)", self._write_withdrawn, lambda id, _: Withdrawn(id)
        )
        self.channels = (self._opened, self._alive, self._closed, self._withdrawn)
        self._writer: Writer
        self._engine: sa.Engine

    def attach(self, writer: Writer, engine: sa.Engine) -> None:
        """The writer is made of the channels, so it comes after them."""
        self._writer = writer
        self._engine = engine

    def opened(self, row: Cdr, done: Done) -> None:
        """The call is answered: `done(None)` once the row is durable, `done(sentence)` once if
        that fails. After a failure the row stays in the queue: `closed` replaces it, `withdraw`
        removes it."""
        self._writer.post(self._opened, row.id, msgspec.structs.astuple(row), done)

    def closed(self, row: Cdr, evidence: bytes | None, done: Done | None = None) -> None:
        """The final row, of an answered call or another; `done(None)` once it is durable."""
        self._writer.post(self._closed, row.id, (msgspec.structs.astuple(row), evidence), done)

    def alive(self, ids: Iterable[str], at: float) -> None:
        """These calls still stand at `at`, Unix seconds. Costs 3 us a call in one go: a node of
        10,000 calls does better to prove a part of them each second."""
        self._writer.post_all(self._alive, dict.fromkeys(ids, at))

    def withdraw(self, id: str) -> None:
        """The call was not answered after all: forget its open row."""
        self._writer.post(self._withdrawn, id, id)

    def recover(
        self,
        now: float,
        *,
        reason: str = "node_lost",
        ended_by: str = "switch",
        sip_code: int = 0,
        q850: int = 0,
    ) -> int:
        """Turn the open rows of a crashed run into records; how many there were. Blocks.

        They end at their last proof of life, or at answer, and never after `now`.
        """
        last = sa.func.coalesce(calls.c.alive_at, calls.c.answered_at, calls.c.started_at)
        ended = sa.case((last > now, now), else_=last)
        lasted = ended - sa.func.coalesce(calls.c.answered_at, ended)
        update = (
            calls.update()
            .where(OPEN, calls.c.node == self.node)
            .values(
                state="recovered",
                end_reason=reason,
                ended_by=ended_by,
                sip_code=sip_code,
                q850=q850,
                ended_at=ended,
                duration_s=sa.case((lasted > 0, lasted), else_=0.0),
            )
        )
        return self._writer.change(lambda c: c.execute(update).rowcount).result()

    def left_open(self) -> dict[str, int]:
        """Open rows by node, of nodes other than this one: another vosd's, or of a former name."""
        count = (
            sa.select(calls.c.node, sa.func.count())
            .where(OPEN, calls.c.node != self.node)
            .group_by(calls.c.node)
        )
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(count)}

    def list(self, filter: CdrFilter | None = None, *, limit: int = 50) -> CdrRows:
        """Final records, newest first, `limit` at most."""
        with self._engine.connect() as connection:
            return _read(connection, _conditions(filter or CdrFilter()), newest=True, limit=limit)

    def iterate(self, filter: CdrFilter | None = None) -> Iterator[Cdr]:
        """Final records, oldest first, read page by page: for exports of any size."""
        conditions = _conditions(filter or CdrFilter())
        after: list[Condition] = []
        while True:
            with self._engine.connect() as connection:
                page = _read(connection, conditions + after, newest=False, limit=PAGE)
            yield from page
            if len(page) < PAGE:
                return
            last = page[-1]
            position = sa.tuple_(calls.c.started_at, calls.c.id, calls.c.node)
            after = [position > sa.tuple_(last.started_at, last.id, last.node)]

    def show(self, id: str) -> tuple[Cdr, bytes | None] | None:
        """The record whose id is `id` or begins with it, open ones too, and its evidence.

        None when there is none; LookupError, a sentence, when several begin so.
        """
        if not id:
            return None
        with self._engine.connect() as connection:
            rows = _read(connection, [calls.c.id == id], newest=True, limit=1) or _read(
                connection, [starts_with(calls.c.id, id)], newest=True, limit=AMBIGUOUS_SHOWN + 1
            )
            if not rows:
                return None
            if len(rows) > 1:
                raise LookupError(_ambiguous(id, [row.id for row in rows]))
            key = {"id": rows[0].id, "node": rows[0].node}
            body = connection.execute(sa.select(evidence.c.body).filter_by(**key)).scalar()
            return rows[0], body

    def last_ids(self, count: int = 1) -> Ids:
        """The ids of the newest final records, newest first."""
        return [row.id for row in self.list(limit=count)]

    def _write_alive(self, cursor: Any, rows: Mapping[str, float]) -> None:
        by_time: dict[float, Ids] = {}
        for id, at in rows.items():
            by_time.setdefault(at, []).append(id)
        for at, ids in by_time.items():
            for start in range(0, len(ids), ALIVE_BLOCK):
                block = ids[start : start + ALIVE_BLOCK]
                marks = ", ".join("?" * len(block))
                cursor.execute(_ALIVE.format(marks), (at, self.node, *block))

    def _write_withdrawn(self, cursor: Any, rows: Mapping[str, str]) -> None:
        cursor.executemany(_WITHDRAW, [(id, self.node) for id in rows])


def _ambiguous(id: str, found: Ids) -> str:
    shown = ", ".join(found[:AMBIGUOUS_SHOWN])
    more = ", ..." if len(found) > AMBIGUOUS_SHOWN else ""
    return f"cannot tell which record {id} is: it could be {shown}{more}"


def _read(
    connection: sa.Connection, conditions: list[Condition], *, newest: bool, limit: int
) -> CdrRows:
    order = (calls.c.started_at, calls.c.id, calls.c.node)
    query = (
        sa.select(calls)
        .where(*conditions)
        .order_by(*(c.desc() if newest else c.asc() for c in order))
        .limit(limit)
    )
    return [Cdr(**row) for row in connection.execute(query).mappings()]


def _conditions(filter: CdrFilter) -> list[Condition]:
    conditions: list[Any] = [FINAL]
    if filter.since is not None:
        conditions.append(calls.c.started_at >= filter.since)
    if filter.until is not None:
        conditions.append(calls.c.started_at < filter.until)
    if filter.caller is not None:
        conditions.append(_number(calls.c.caller, filter.caller))
    if filter.callee is not None:
        conditions.append(_number(calls.c.callee, filter.callee))
    if filter.gateway is not None:
        sides = (calls.c.mapping, calls.c.routing)
        conditions.append(sa.or_(*(side == filter.gateway for side in sides)))
    if filter.reason is not None:
        conditions.append(calls.c.end_reason == filter.reason)
    return conditions


def _number(column: sa.ColumnElement[Any], wanted: str) -> Condition:
    return starts_with(column, wanted[:-1]) if wanted.endswith("*") else column == wanted
