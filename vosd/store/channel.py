# SPDX-License-Identifier: GPL-2.0-or-later
"""One kind of row on its way to the database: what waits, what a commit holds, who is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from vosd.store.spool import Entry

#: called with None once durable, or with a sentence
Done: TypeAlias = Callable[[str | None], None]
Ack: TypeAlias = tuple[Done, str | None]
Row: TypeAlias = Any
Write: TypeAlias = Callable[[Any, Mapping[Any, Row]], None]


class Channel:
    """Rows by key, how they are written, and what one of them is in the spool."""

    __slots__ = ("dones", "entry", "held", "held_dones", "name", "rows", "urgent", "write")

    def __init__(
        self, name: str, write: Write, entry: Callable[[Any, Row], Entry], *, urgent: bool = False
    ) -> None:
        self.name = name
        self.write = write
        self.entry = entry
        self.urgent = urgent
        self.rows: dict[Any, Row] = {}
        self.dones: list[tuple[Any, Done]] = []
        self.held: dict[Any, Row] = {}
        self.held_dones: list[tuple[Any, Done]] = []

    def take(self) -> None:
        """Move what waits to what is held; the writer's lock is held by the caller."""
        if self.held:
            self.held.update(self.rows)
            self.held_dones += self.dones
        else:
            self.held, self.held_dones = self.rows, self.dones
        self.rows, self.dones = {}, []

    def acknowledge(self, refused: Mapping[Any, str]) -> list[Ack]:
        """Everything held is durable, but for the keys in `refused`: forget it."""
        acks = [(done, refused.get(key)) for key, done in self.held_dones]
        self.held, self.held_dones = {}, []
        return acks

    def refuse(self, message: str) -> list[Ack]:
        """The commit failed: who waits for an urgent row learns it, once. The rows stay held."""
        if not self.urgent:
            return []
        acks: list[Ack] = [(done, message) for _, done in self.held_dones]
        self.held_dones = []
        return acks

    def left(self) -> Iterator[Entry]:
        """Everything not durable, as the spool keeps it; the writer's lock is held."""
        for key, row in (self.held | self.rows).items():
            yield self.entry(cleaned(key), cleaned(row))


def cleaned(row: Row) -> Row:
    """The row with text any database takes: no lone surrogates, no NUL."""
    if isinstance(row, str):
        return row.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(row, tuple):
        return tuple(map(cleaned, row))
    return row
