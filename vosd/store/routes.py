# SPDX-License-Identifier: GPL-2.0-or-later
"""Mapping and routing gateways. Their overrides live among the parameters."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from vosd.store import params
from vosd.store.schema import gateways
from vosd.switch.tables import Gateway, GatewayAddress


def read(connection: sa.Connection) -> list[Gateway]:
    """Every gateway with its overrides, by name."""
    overrides = params.overrides(connection)
    rows = connection.execute(sa.select(gateways).order_by(gateways.c.name)).mappings()
    return [
        Gateway(
            **{
                **row,
                "addresses": tuple(GatewayAddress(*address) for address in row["addresses"]),
                "prefixes": tuple(row["prefixes"]),
                "overrides": overrides.get(row["name"], {}),
            }
        )
        for row in rows
    ]


def put(connection: sa.Connection, gateway: Gateway) -> None:
    """Add `gateway` or replace the one of its name, overrides included."""
    row = msgspec.structs.asdict(gateway)
    del row["overrides"]
    row["addresses"] = [msgspec.structs.astuple(address) for address in gateway.addresses]
    row["prefixes"] = list(gateway.prefixes)
    connection.execute(gateways.delete().filter_by(name=gateway.name))
    connection.execute(gateways.insert().values(row))
    params.write_overrides(connection, gateway.name, gateway.overrides)


def remove(connection: sa.Connection, name: str) -> bool:
    """Remove the gateway and its overrides; False when there is none of this name."""
    params.write_overrides(connection, name, {})
    return connection.execute(gateways.delete().filter_by(name=name)).rowcount > 0
