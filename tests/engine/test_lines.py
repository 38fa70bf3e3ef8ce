# SPDX-License-Identifier: GPL-2.0-or-later
"""Which socket and address a route takes: transport, family, the connection a phone opened."""

from __future__ import annotations

import random
from typing import Any

import pytest

from vosd.engine.configuration import Configuration
from vosd.engine.lines import Line, Lines
from vosd.sip.endpoint import Listen
from vosd.switch.events import Route
from vosd.switch.tables import Binding, Gateway, GatewayAddress

LISTENS = [
    Listen("udp", "10.0.0.1", 5060), Listen("tcp", "10.0.0.1", 5060),
    Listen("tls", "10.0.0.1", 5061), Listen("udp", "2001:db8::1", 5060),
    Listen("tcp", "2001:db8::1", 5060),
]  # fmt: skip
FLOW = ("192.0.2.9", 49152)


class Shelf:
    """The rows a configuration reads."""

    def __init__(self, *gateways: Gateway) -> None:
        self._gateways = list(gateways)

    def gateways(self) -> list[Gateway]:
        return self._gateways

    def phones(self) -> list[Any]:
        return []

    blacklist = bindings = phones


def lines(
    *gateways: Gateway, listens: list[Listen] = LISTENS, standing: bool = True
) -> tuple[Lines, Configuration]:
    configuration = Configuration(Shelf(*gateways))  # type: ignore[arg-type]
    configuration.names.speak(listens)
    return Lines(
        configuration, listens, lambda local, _: (listens[local].host, listens[local].port),
        lambda _: "10.0.0.1", random.Random(1), lambda local, remote: standing,
    ), configuration  # fmt: skip


@pytest.mark.parametrize(
    ("address", "line"),
    [
        (("192.0.2.1", 5060, "udp"), (("192.0.2.1", 5060), 0, "10.0.0.1", "udp")),
        (("192.0.2.1", 5070, "tcp"), (("192.0.2.1", 5070), 1, "10.0.0.1", "tcp")),
        (("192.0.2.1", 5061, "tls"), (("192.0.2.1", 5061), 2, "10.0.0.1", "tls")),
        (("2001:db8::9", 5060, "tcp"), (("2001:db8::9", 5060), 4, "2001:db8::1", "tcp")),
    ],
)
def test_a_gateway_is_called_by_its_transport_and_family(address: Any, line: Any) -> None:
    vendor = Gateway(name="v", kind="routing", addresses=(GatewayAddress(*address),))
    found, _ = lines(vendor)
    assert found.line(Route("v", gateway=vendor)) == Line(*line)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (("192.0.2.1", 5061, "tls"), "vosd listens on no tls socket of IPv4; add a [[listen]]"),
        (("2001:db8::9", 5060, "udp"), "vosd listens on no udp socket of IPv6; add a [[listen]]"),
        (("unknown.example", 0, ""), "no address is known"),
    ],
)
def test_what_cannot_be_called_has_a_reason(address: Any, words: str) -> None:
    vendor = Gateway(name="v", kind="routing", addresses=(GatewayAddress(*address),))
    found, _ = lines(vendor, listens=LISTENS[:2])
    route = Route("v", gateway=vendor)
    assert (found.line(route), found.obstacle(route)) == (None, words)


def test_the_addresses_of_a_gateway_are_tried_in_their_order() -> None:
    addresses = tuple(GatewayAddress(f"192.0.2.{n}", 5060, "tcp") for n in (3, 1, 2))
    vendor = Gateway(name="v", kind="routing", addresses=addresses)
    found, configuration = lines(vendor)
    assert configuration.ways(vendor, random.Random(1)) == [0, 1, 2]
    hosts = [found.line(Route("v", gateway=vendor, address=n)) for n in range(4)]
    assert [line.destination[0] if line else None for line in hosts] == [
        "192.0.2.3", "192.0.2.1", "192.0.2.2", None
    ]  # fmt: skip


def binding(**fields: Any) -> Route:
    given: dict[str, Any] = {
        "number": "200", "contact": "sip:200@192.0.2.9:5060;transport=tcp", "host": FLOW[0],
        "port": FLOW[1], "transport": "tcp", "local": 1, "expires": 1e9, "registered": 0.0,
        "call_id": "c", "cseq": 1,
    } | fields  # fmt: skip
    return Route("200", contact=Binding(**given))


def test_a_phone_is_called_on_the_connection_it_opened() -> None:
    found, _ = lines()
    assert found.line(binding()) == Line(FLOW, 1, "10.0.0.1", "tcp", flow=True)


def test_a_phone_whose_connection_is_gone_is_called_at_its_contact_unless_behind_nat() -> None:
    """After a restart, for instance. Behind NAT nothing else leads there."""
    found, _ = lines(standing=False)
    assert found.line(binding()) == Line((FLOW[0], 5060), 1, "10.0.0.1", "tcp")
    assert found.line(binding(nat=True)) is None
    assert found.line(binding(contact="sip:200@elsewhere.example;transport=tcp")) is None


def test_a_phone_on_udp_is_called_where_its_register_came_from() -> None:
    found, _ = lines(standing=False)
    line = found.line(binding(transport="udp", local=0))
    assert line == Line(FLOW, 0, "10.0.0.1", "udp")
