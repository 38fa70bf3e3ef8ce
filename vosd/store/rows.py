# SPDX-License-Identifier: GPL-2.0-or-later
"""Hot statements: many rows in one INSERT, so a batch costs one step of the driver.

The driver lets go of the interpreter's lock at every step; taking it back from a busy SIP loop
can cost 5 ms. One step for a batch keeps the answer quick.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import sqlalchemy as sa

#: rows in one statement; 64 rows of 17 columns stay far below the 32766 variables of SQLite
BLOCK = 64


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
        self._texts = [self._text(count) for count in range(BLOCK + 1)]

    def _text(self, count: int) -> str:
        return self._head + ", ".join([self._row] * count) + self._tail

    def write(self, cursor: Any, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute for all `rows`, in order, `BLOCK` in a statement."""
        if len(rows) <= BLOCK:
            if rows:
                cursor.execute(self._texts[len(rows)], tuple(chain.from_iterable(rows)))
            return
        for start in range(0, len(rows), BLOCK):
            self.write(cursor, rows[start : start + BLOCK])
