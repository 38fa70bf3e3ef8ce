# SPDX-License-Identifier: GPL-2.0-or-later
"""Parameter values as text, global and per gateway; what they mean the catalogue knows."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from vosd.store.schema import parameters


class ParameterRow(msgspec.Struct, frozen=True):
    """One stored value; `gateway` None is the global one."""

    name: str
    gateway: str | None
    value: str
    #: "operator" or "preset NAME"
    source: str = "operator"


class ParameterChange(msgspec.Struct, frozen=True):
    """One value to store; `value` None goes back to the default."""

    name: str
    gateway: str | None
    value: str | None
    source: str = "operator"


def read(connection: sa.Connection) -> list[ParameterRow]:
    """Every stored value, by name, the global one first."""
    query = sa.select(parameters).order_by(parameters.c.name, parameters.c.gateway)
    return [
        ParameterRow(row.name, row.gateway or None, row.value, row.source)
        for row in connection.execute(query)
    ]


def write(connection: sa.Connection, changes: Iterable[ParameterChange]) -> None:
    """Apply `changes` in order."""
    for change in changes:
        key = {"name": change.name, "gateway": change.gateway or ""}
        connection.execute(parameters.delete().filter_by(**key))
        if change.value is not None:
            row = key | {"value": change.value, "source": change.source}
            connection.execute(parameters.insert().values(row))


def overrides(connection: sa.Connection) -> dict[str, dict[str, str]]:
    """Gateway name to its values by parameter name."""
    found: dict[str, dict[str, str]] = {}
    for row in read(connection):
        if row.gateway is not None:
            found.setdefault(row.gateway, {})[row.name] = row.value
    return found


def write_overrides(connection: sa.Connection, gateway: str, values: dict[str, str]) -> None:
    """Make `values` the gateway's overrides; one that does not change keeps its source."""
    old = overrides(connection).get(gateway, {})
    dropped = [ParameterChange(name, gateway, None) for name in old.keys() - values.keys()]
    changed = [
        ParameterChange(name, gateway, value)
        for name, value in values.items()
        if old.get(name) != value
    ]
    write(connection, dropped + changed)
