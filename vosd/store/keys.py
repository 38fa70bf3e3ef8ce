# SPDX-License-Identifier: GPL-2.0-or-later
"""Secrets of the switch itself, by name."""

from __future__ import annotations

import sqlalchemy as sa

from vosd.store.schema import keys


def take(connection: sa.Connection, name: str, fresh: bytes) -> bytes:
    """The key `name`; `fresh` becomes it where there is none."""
    found = connection.execute(sa.select(keys.c.value).filter_by(name=name)).scalar()
    if found is not None:
        return bytes(found)
    connection.execute(keys.insert().values(name=name, value=fresh))
    return fresh
