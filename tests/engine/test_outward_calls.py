# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls of vendors that we are registered with: whose they are, and which are a stranger's."""

from __future__ import annotations

import msgspec
import pytest

from tests.engine.switchboard import BOB, CAROL, SWITCH
from tests.engine.test_outward import REGISTRAR, Registrar, ours, registering, state
from vosd.sip.parse import parse
from vosd.switch.tables import Gateway, GatewayAddress, Outward, Phone


def test_two_accounts_at_one_registrar() -> None:
    board, registrar = registering()
    registrar.users["second"] = "pw2"
    board.gateway("vendor2", BOB, **ours(user="second", password="pw2"))
    board.world.advance(2)
    assert {state(board, name).state for name in ("vendor", "vendor2")} == {"registered"}
    for name, user in (("vendor", "us"), ("vendor2", "second")):
        (uri,) = registrar.held[user]
        registrar.call(uri, SWITCH, to="<sip:200@vendor.example>")
        board.world.advance(1)
        assert next(board.switch.calls.views()).mapping == name
        board.switch.end_calls("forced")
        board.world.advance(40)


@pytest.mark.parametrize(
    ("source", "uri", "to", "callee"),
    [
        # the contact as it was registered; the number called stands in To
        ("registrar", "contact", "<sip:300@vendor.example>", "300"),
        # a vendor that drops what stands behind the user
        ("registrar", "sip:us@10.0.0.1", "<sip:300@vendor.example>", "300"),
        # or puts the number there
        ("registrar", "sip:300@10.0.0.1", "<sip:300@vendor.example>", "300"),
        ("bob", "sip:300@10.0.0.1", "<sip:300@vendor.example>", "300"),
        # no address of the vendor: what it was told travels in clear and proves nothing
        ("stranger", "contact", "<sip:300@vendor.example>", None),
        ("stranger", "sip:us@10.0.0.1", "<sip:300@vendor.example>", None),
        ("stranger", "sip:us@10.0.0.1;line=0011223344556677", "<sip:300@a.example>", None),
    ],
)
def test_calls_of_the_vendor_are_known(
    source: str, uri: str, to: str, callee: str | None
) -> None:
    board, registrar = registering()
    board.phone("300", "secret")
    board.world.advance(1)
    agents = {"registrar": registrar, "bob": board.agent("bob", BOB),
              "stranger": board.agent("stranger", ("10.0.0.99", 5060))}  # fmt: skip
    (contact,) = registrar.held["us"]
    leg = agents[source].call(contact if uri == "contact" else uri, SWITCH, to=to)
    board.world.advance(1)
    if callee is None:
        assert leg.code == 401
    else:
        record = board.shelf.records[0]
        assert (record.callee, record.mapping) == (callee, "vendor")
        assert (leg.code, record.end_reason) == (480, "callee_not_registered")


def test_calls_of_the_vendor_are_strangers_when_we_have_left() -> None:
    board, registrar = registering()
    board.world.advance(1)
    (contact,) = registrar.held["us"]
    board.gateway("vendor", BOB, **ours(enabled=False))
    board.world.advance(2)
    leg = registrar.call(contact, SWITCH)
    board.world.advance(1)
    assert leg.code == 401


def test_calls_of_a_vendor_reached_by_tls_come_by_tls() -> None:
    board, _ = registering()
    board.world.advance(1)
    asked = board.switch.outward.caller
    invite = parse(
        b"INVITE sip:us@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n"
        b"From: <sip:a@a>;tag=1\r\nTo: <sip:us@a>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n\r\n"
    )
    ways = ("udp", "tcp", "tls")
    assert [way for way in ways if asked(invite, REGISTRAR, way, board.world.now)] == [*ways]
    (held,) = board.switch.outward._live.values()
    registrar = GatewayAddress(*REGISTRAR, "tls")
    where = msgspec.structs.replace(held.gateway.outward, registrar=registrar)
    held.gateway = msgspec.structs.replace(held.gateway, outward=where)
    assert [way for way in ways if asked(invite, REGISTRAR, way, board.world.now)] == ["tls"]


def test_the_fence_is_asked_about_calls_of_the_vendor() -> None:
    board, registrar = registering()
    board.world.advance(1)
    seen = []

    def fence(method: str, source: tuple[str, int], party: Gateway | Phone) -> bool:
        seen.append((method, source, getattr(party, "name", "")))
        return False

    board.switch._outside._admission.fence = fence
    leg = registrar.call("sip:us@10.0.0.1", SWITCH)
    board.world.advance(1)
    assert (leg.code, seen) == (403, [("INVITE", REGISTRAR, "vendor")])


def test_what_one_vendor_was_told_does_not_serve_another() -> None:
    """A call from vendor2 to the Contact that only `vendor` was told is vendor2's."""
    board, registrar = registering()
    place = ("10.0.0.61", 5060)
    other = Registrar(board.world, "other", place, second="pw2")
    where = Outward(active=True, registrar=GatewayAddress(*place), domain="other.example")
    board.gateway("vendor2", CAROL, **ours(user="second", password="pw2", outward=where))
    board.world.advance(2)
    assert state(board, "vendor2").state == "registered"
    (contact,) = registrar.held["us"]
    other.call(contact, SWITCH, to="<sip:200@other.example>")
    board.world.advance(1)
    assert next(board.switch.calls.views()).mapping == "vendor2"
