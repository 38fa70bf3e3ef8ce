# SPDX-License-Identifier: GPL-2.0-or-later
"""Mapping and routing gateways. Their overrides live among the parameters."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from vosd.store import params
from vosd.store.schema import gateways, outward
from vosd.switch.tables import Gateway, GatewayAddress, Outward


def read(connection: sa.Connection) -> list[Gateway]:
    """Every gateway with its overrides, by name."""
    overrides = params.overrides(connection)
    registrations = _read_outward(connection)
    rows = connection.execute(sa.select(gateways).order_by(gateways.c.name)).mappings()
    return [
        Gateway(
            **{
                **row,
                "addresses": tuple(GatewayAddress(*address) for address in row["addresses"]),
                "prefixes": tuple(row["prefixes"]),
                "outward": registrations.get(row["name"], Outward()),
                "overrides": overrides.get(row["name"], {}),
            }
        )
        for row in rows
    ]


def _read_outward(connection: sa.Connection) -> dict[str, Outward]:
    rows = connection.execute(sa.select(outward))
    return {
        name: Outward(
            active=active,
            registrar=GatewayAddress(*registrar) if registrar else None,
            domain=domain,
        )
        for name, active, registrar, domain in rows
    }


def put(connection: sa.Connection, gateway: Gateway) -> None:
    """Add `gateway` or replace the one of its name, overrides included."""
    row: dict[str, Any] = {
        column.name: getattr(gateway, column.name) for column in gateways.columns
    }
    row["addresses"] = [msgspec.structs.astuple(address) for address in gateway.addresses]
    row["prefixes"] = list(gateway.prefixes)
    _delete(connection, gateway.name)
    connection.execute(gateways.insert().values(row))
    _put_outward(connection, gateway)
    params.write_overrides(connection, gateway.name, gateway.overrides)


def _put_outward(connection: sa.Connection, gateway: Gateway) -> None:
    if gateway.outward == Outward():
        return
    at = gateway.outward.registrar
    row = {
        "gateway": gateway.name,
        "active": gateway.outward.active,
        "registrar": list(msgspec.structs.astuple(at)) if at else [],
        "domain": gateway.outward.domain,
    }
    connection.execute(outward.insert().values(row))


def remove(connection: sa.Connection, name: str) -> bool:
    """Remove the gateway and its overrides; False when there is none of this name."""
    params.write_overrides(connection, name, {})
    return _delete(connection, name)


def _delete(connection: sa.Connection, name: str) -> bool:
    connection.execute(outward.delete().filter_by(gateway=name))
    return connection.execute(gateways.delete().filter_by(name=name)).rowcount > 0
