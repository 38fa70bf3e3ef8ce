# SPDX-License-Identifier: GPL-2.0-or-later
"""Registering with a vendor, as the control API sets and shows it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.control.standin import Running
from tests.control.test_gateway import add, put, refusal
from vosctl.client import Client
from vosd.engine.vendor import State
from vosd.switch.tables import Binding, GatewayAddress, Outward
from vosd.wire.requests import PhoneAdd

SECRET = "correct horse 9"


def itsp(client: Client, **fields: Any) -> Any:
    given = {"user": "us", "password": SECRET, "register": True} | fields
    return add(client, "itsp", "routing", **given).gateway


def shown(client: Client) -> Any:
    return client.call("gateway.show", path={"name": "itsp"}).gateway.registration


def test_set_stored_and_read_back(client: Client, running: Running) -> None:
    itsp(client, registrar="192.0.2.9:5070/tcp", domain="Example.NET")
    (stored,) = running.node.store.gateways()
    assert stored.outward == Outward(
        active=True, registrar=GatewayAddress("192.0.2.9", 5070, "tcp"), domain="example.net"
    )
    assert running.node.configuration.gateways["itsp"] == stored
    changes = put(client, "itsp", values={"register": "off", "registrar": ""}).changes
    assert [(c.name, c.old, c.new) for c in changes] == [
        ("register", "on", ""), ("registrar", "192.0.2.9:5070/tcp", ""),
    ]  # fmt: skip
    (stored,) = running.node.store.gateways()
    assert stored.outward == Outward(domain="example.net")
    assert shown(client) is None


def test_what_is_shown(client: Client, running: Running) -> None:
    before = time.time()
    assert itsp(client).registration.state == "registering"
    running.node.registrations["itsp"] = State("registered", "", 3000.0, None)
    held = shown(client)
    assert (held.state, held.registrar, held.domain) == ("registered", "203.0.113.9:5060", "")
    assert before + 3000 <= held.expires_at <= time.time() + 3000
    running.node.registrations["itsp"] = State("failed", "403 Forbidden", None, 40.0)
    held = shown(client)
    assert (held.state, held.reason, held.expires_at) == ("failed", "403 Forbidden", None)
    assert before + 40 <= held.again_at <= time.time() + 40


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("routing", {"register": True}, "cannot register with acme: no user and password are "
         "set; add --user and --password-file"),
        ("mapping", {"register": True}, "cannot register with mapping gateway acme: we register "
         "with routing gateways"),
        ("routing", {"registrar": "10.0.0.1:0"}, "cannot use port 0 of '10.0.0.1:0': 1 to 65535 "
         "is accepted"),
        ("routing", {"domain": "a b"}, "cannot read the host of 'a b': an IP address or a DNS "
         "name would do"),
    ],
)
def test_refusals(client: Client, kind: str, fields: dict[str, Any], message: str) -> None:
    assert refusal(add, client, "acme", kind, **fields) == ("bad_value", message)


def test_a_switch_that_is_neither(client: Client) -> None:
    itsp(client)
    assert refusal(put, client, "itsp", values={"register": "maybe"}) == (
        "bad_value", "cannot use register 'maybe': on or off or yes or no is accepted"
    )


def test_a_phone_that_answers_no_keep_alive(client: Client, running: Running) -> None:
    """It stays registered; the contacts called after the newest are shown too."""
    client.call("phone.add", PhoneAdd(number="300", password=SECRET))
    now = time.time()
    rows = [
        Binding(number="300", contact=f"sip:300@10.0.0.{n}", host=f"203.0.113.{n}", port=61000,
                expires=now + 300, registered=now + n, call_id="r", cseq=1)
        for n in (1, 2)
    ]  # fmt: skip
    running.loop.call_soon_threadsafe(running.node.configuration.bind, rows, [])
    running.node.silent.add("300")
    phone = client.call("phone.show", path={"number": "300"}).phone
    assert (phone.registered, phone.unreachable) == (True, True)
    assert (phone.address, phone.also) == ("203.0.113.2:61000", ["203.0.113.1:61000"])
