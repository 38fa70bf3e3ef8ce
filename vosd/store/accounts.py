# SPDX-License-Identifier: GPL-2.0-or-later
"""Phones and where they are registered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from vosd.store.rows import Insert
from vosd.store.schema import bindings, phones
from vosd.store.spool import Bound, Unbound, struct_of
from vosd.switch.tables import Binding, Phone

_PUT = Insert(bindings, replace=True)
_REMOVE = "DELETE FROM bindings WHERE number = ? AND contact = ?"


def read_phones(connection: sa.Connection) -> list[Phone]:
    """Every phone, by number."""
    rows = connection.execute(sa.select(phones).order_by(phones.c.number)).mappings()
    return [Phone(**row) for row in rows]


def put_phone(connection: sa.Connection, phone: Phone) -> None:
    """Add `phone` or replace the one of its number."""
    connection.execute(phones.delete().filter_by(number=phone.number))
    connection.execute(phones.insert().values(msgspec.structs.asdict(phone)))


def remove_phone(connection: sa.Connection, number: str) -> bool:
    """Remove the phone and its registrations; False when there is none of this number."""
    connection.execute(bindings.delete().filter_by(number=number))
    return connection.execute(phones.delete().filter_by(number=number)).rowcount > 0


def read_bindings(connection: sa.Connection) -> list[Binding]:
    """Every stored registration, expired ones too, by number and contact."""
    order = (bindings.c.number, bindings.c.contact)
    rows = connection.execute(sa.select(bindings).order_by(*order)).mappings()
    return [Binding(**row) for row in rows]


def binding_row(binding: Binding) -> tuple[Any, ...]:
    """The fields follow the columns."""
    return msgspec.structs.astuple(binding)


def write_bindings(cursor: Any, rows: Mapping[tuple[str, str], tuple[Any, ...] | None]) -> None:
    """Store what is not None, remove the rest: the write of the writer's channel."""
    gone = [key for key, row in rows.items() if row is None]
    if gone:
        cursor.executemany(_REMOVE, gone)
    _PUT.write(cursor, [row for row in rows.values() if row is not None])


def binding_entry(key: tuple[str, str], row: tuple[Any, ...] | None) -> Bound | Unbound:
    """What the spool keeps of a row of the writer's channel."""
    return Unbound(*key) if row is None else Bound(struct_of(Binding, row))
