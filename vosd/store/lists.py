# SPDX-License-Identifier: GPL-2.0-or-later
"""The system black list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from vosd.store.rows import Insert
from vosd.store.schema import blacklist
from vosd.switch.tables import Listed

_PUT = Insert(blacklist, replace=True)
_KEY = [column.name for column in blacklist.primary_key]
_MATCH = sa.and_(*(blacklist.c[name] == sa.bindparam(f"k_{name}") for name in _KEY))


def read(connection: sa.Connection) -> list[Listed]:
    """Every row, expired ones too, by number, prefix and side."""
    query = sa.select(blacklist).order_by(*(blacklist.c[name] for name in _KEY))
    return [Listed(**row) for row in connection.execute(query).mappings()]


def put(connection: sa.Connection, rows: Iterable[Listed]) -> None:
    """Add `rows`; one that is there (same number, prefix and side) is replaced.

    In blocks, because a list may be long and calls wait for the writer meanwhile.
    """
    unique = {(row.number, row.prefix, row.side): msgspec.structs.astuple(row) for row in rows}
    _PUT.write(connection.connection.cursor(), list(unique.values()))


def remove(connection: sa.Connection, rows: Iterable[Listed | str]) -> int:
    """Remove the very rows given, or every row of a number given as text; how many went."""
    exact = [row for row in rows if isinstance(row, Listed)]
    numbers = [row for row in rows if isinstance(row, str)]
    gone = _delete(connection, exact)
    for number in numbers:
        gone += connection.execute(blacklist.delete().filter_by(number=number)).rowcount
    return gone


def _delete(connection: sa.Connection, rows: Sequence[Listed]) -> int:
    if not rows:
        return 0
    keys = [{f"k_{name}": getattr(row, name) for name in _KEY} for row in rows]
    return connection.execute(blacklist.delete().where(_MATCH), keys).rowcount
