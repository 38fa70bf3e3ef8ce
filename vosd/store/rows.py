# SPDX-License-Identifier: GPL-2.0-or-later
"""Hot statements: many rows in one INSERT, so a batch costs one step of the driver.

The driver lets go of the interpreter's lock at every step; taking it back from a busy SIP loop
can cost 5 ms. One step for a batch keeps the answer quick.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice
from typing import Any

import sqlalchemy as sa

SIZES = (64, 32, 16, 8, 4, 2, 1)


class Insert:
    """`INSERT ... ON CONFLICT (primary key)`, replacing the other columns or keeping the row."""

    def __init__(self, table: sa.Table, *, replace: bool) -> None:
        columns = [column.name for column in table.columns]
        keys = [column.name for column in table.primary_key]
        self._head = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES "
        self._row = f"({', '.join('?' * len(columns))})"
        changed = ", ".join(f"{c} = excluded.{c}" for c in columns if c not in keys)
        action = f"UPDATE SET {changed}" if replace else "NOTHING"
        self._tail = f" ON CONFLICT ({', '.join(keys)}) DO {action}"
        self._texts = {n: self._head + ", ".join([self._row] * n) + self._tail for n in SIZES}

    def write(self, cursor: Any, rows: Iterable[tuple[Any, ...]]) -> None:
        """Execute for all `rows`, in order, in blocks of a few fixed sizes."""
        waiting = list(rows)
        source = iter(waiting)
        left = len(waiting)
        for size in SIZES:
            while left >= size:
                block = chain.from_iterable(islice(source, size))
                cursor.execute(self._texts[size], tuple(block))
                left -= size
