# SPDX-License-Identifier: GPL-2.0-or-later
"""The black list as an index: exact numbers and prefixes, answered in one walk of the number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from vosd.switch.tables import Listed

_SEPARATORS = str.maketrans("", "", "+-.() ")


def canonical(number: str) -> str:
    """`number` without `+` and visual separators (RFC 3966 5.1.1) when digits remain.

    Keeps `+44-20` and `4420` one number, so writing it otherwise does not pass a list. Names
    (`anonymous`) come back unchanged.
    """
    if number.isascii() and number.isdigit():
        return number
    bare = number.translate(_SEPARATORS)
    return bare if bare.isascii() and bare.isdigit() else number


class Blacklist:
    """Index over one snapshot of rows. The exact row decides before prefixes, long before short."""

    __slots__ = ("_exact", "_lengths", "_prefix")

    def __init__(self, rows: Iterable[Listed]) -> None:
        exact: dict[str, list[Listed]] = {}
        prefix: dict[str, list[Listed]] = {}
        for row in rows:
            table = prefix if row.prefix else exact
            table.setdefault(canonical(row.number), []).append(row)
        self._exact = {number: tuple(found) for number, found in exact.items()}
        self._prefix = {number: tuple(found) for number, found in prefix.items()}
        self._lengths = tuple(sorted({len(number) for number in prefix}, reverse=True))

    def find(self, number: str, side: Literal["caller", "callee"], now: float) -> Listed | None:
        """The row that blocks `number` as `side` at `now` (Unix seconds), or None."""
        if not self._exact and not self._lengths:
            return None
        number = canonical(number)
        row = _first(self._exact.get(number, ()), side, now)
        if row is not None:
            return row
        for length in self._lengths:
            if length <= len(number):
                row = _first(self._prefix.get(number[:length], ()), side, now)
                if row is not None:
                    return row
        return None


def _first(rows: tuple[Listed, ...], side: str, now: float) -> Listed | None:
    for row in rows:
        if row.side in (side, "both") and (row.expires is None or row.expires > now):
            return row
    return None
