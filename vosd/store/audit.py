# SPDX-License-Identifier: GPL-2.0-or-later
"""Who changed what, when and why: rows written in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec
import sqlalchemy as sa

from vosd.store.schema import audit
from vosd.wire.records import AuditRow

AuditEntry: TypeAlias = AuditRow

_FIELDS = [audit.c[name] for name in AuditRow.__struct_fields__]


def write(connection: sa.Connection, entries: AuditEntry | Iterable[AuditEntry]) -> None:
    """Add one entry, or several."""
    several = [entries] if isinstance(entries, AuditRow) else list(entries)
    if several:
        connection.execute(audit.insert(), [msgspec.structs.asdict(entry) for entry in several])


def read(
    connection: sa.Connection, limit: int, verb_prefix: str | None, subject: str | None
) -> list[AuditRow]:
    """The newest `limit` entries, newest first."""
    query = sa.select(*_FIELDS).order_by(audit.c.id.desc()).limit(limit)
    if verb_prefix is not None:
        query = query.where(starts_with(audit.c.verb, verb_prefix))
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    return [AuditRow(**row) for row in connection.execute(query).mappings()]


def starts_with(column: sa.ColumnElement[Any], prefix: str) -> sa.ColumnElement[bool]:
    """Begins with `prefix`, as a range: LIKE ignores case in SQLite and passes indexes by."""
    stem = prefix.rstrip("\U0010ffff")
    if not stem:
        return column >= prefix
    following = ord(stem[-1]) + 1
    if 0xD800 <= following <= 0xDFFF:
        following = 0xE000
    return sa.and_(column >= prefix, column < stem[:-1] + chr(following))
