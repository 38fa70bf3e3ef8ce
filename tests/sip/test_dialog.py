# SPDX-License-Identifier: GPL-2.0-or-later
"""Where requests in a dialog go: RFC 3261 12.2.1.1, and NAT habits."""

from __future__ import annotations

import pytest

from tests.sip.wire import PEER, US, endpoint, read, reply, request, sent
from vosd.sip.dialog import (
    FORBIDDEN,
    GLOBAL,
    LINK,
    LOOPBACK,
    NAME,
    PRIVATE,
    Dialog,
    Target,
    path,
    reach,
    read_target,
)
from vosd.sip.endpoint import Invite
from vosd.sip.events import Invited


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("example.com", NAME),
        ("255.255.255.255", FORBIDDEN),
        ("0.0.0.0", FORBIDDEN),
        ("224.0.1.75", FORBIDDEN),
        ("239.1.1.1", FORBIDDEN),
        ("::", FORBIDDEN),
        ("ff02::1", FORBIDDEN),
        ("::ffff:255.255.255.255", FORBIDDEN),
        ("127.0.0.1", LOOPBACK),
        ("::1", LOOPBACK),
        ("169.254.169.254", LINK),
        ("fe80::1", LINK),
        ("10.1.2.3", PRIVATE),
        ("172.16.0.1", PRIVATE),
        ("192.168.1.1", PRIVATE),
        ("fd00::1", PRIVATE),
        ("100.64.0.1", PRIVATE),
        ("8.8.8.8", GLOBAL),
        ("2a00:1450::1", GLOBAL),
        ("::ffff:8.8.8.8", GLOBAL),
    ],
)
def test_reach(host: str, kind: int) -> None:
    assert reach(host) == kind


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("<sip:a@10.0.0.1>", Target("sip:a@10.0.0.1", "10.0.0.1", 5060, False)),
        ("sip:a@10.0.0.1;expires=60", Target("sip:a@10.0.0.1", "10.0.0.1", 5060, False)),
        ('"<x>" <sip:A@H.net:5070;lr>', Target("sip:A@h.net:5070;lr", "h.net", 5070, True)),
        ("<sips:[2001:db8::1]>", Target("sips:[2001:db8::1]", "2001:db8::1", 5061, False, "tls")),
        ("<sip:a@h?Route=%3Csip:evil%3E>;q=1", Target("sip:a@h", "h", 5060, False)),
        ("<sip:a@h;method=BYE;x=1>", Target("sip:a@h;x=1", "h", 5060, False)),
        ("<sip:%31@h>", Target("sip:%31@h", "h", 5060, False)),
        ("<sip:a@h>, <sip:b@h>", Target("sip:a@h", "h", 5060, False)),
        ("<tel:+1>", None),
        ("*", None),
        ("<sip:@>", None),
        ("", None),
    ],
)  # fmt: skip
def test_read_target(value: str, target: Target | None) -> None:
    assert read_target(value) == target


TARGET = Target("sip:ua@10.0.0.9", "10.0.0.9", 5060, False)


def test_loose_routes_keep_the_target_as_request_uri() -> None:
    routes = ("<sip:p1;lr>", "<sip:p2;lr>")
    uri, lines, hop = path(TARGET, routes)
    assert (uri, lines) == ("sip:ua@10.0.0.9", "Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\n")
    assert hop == Target("sip:p1;lr", "p1", 5060, True)


def test_a_strict_router_gets_its_own_uri_and_the_target_comes_last() -> None:
    uri, lines, hop = path(TARGET, ("<sip:p1>", "<sip:p2;lr>"))
    assert (uri, lines) == ("sip:p1", "Route: <sip:p2;lr>\r\nRoute: <sip:ua@10.0.0.9>\r\n")
    assert hop == Target("sip:p1", "p1", 5060, False)


@pytest.mark.parametrize(
    ("contact", "source", "goes"),
    [
        # a public Contact is believed, whatever sent the message
        ("<sip:a@8.8.4.4:5080>", ("8.8.8.8", 5060), ("8.8.4.4", 5080)),
        # names and absent or unusable Contacts: where the peer was heard from
        ("<sip:a@ua.example>", ("8.8.8.8", 1024), ("8.8.8.8", 1024)),
        (None, ("8.8.8.8", 1024), ("8.8.8.8", 1024)),
        ("<tel:+1>", ("8.8.8.8", 1024), ("8.8.8.8", 1024)),
        # behind NAT, and Contacts that lead into our own network
        ("<sip:a@192.168.1.5>", ("8.8.8.8", 1024), ("8.8.8.8", 1024)),
        ("<sip:a@127.0.0.1>", ("10.0.0.1", 5060), ("10.0.0.1", 5060)),
        ("<sip:a@169.254.169.254>", ("10.0.0.1", 5060), ("10.0.0.1", 5060)),
        ("<sip:a@255.255.255.255>", ("10.0.0.1", 5060), ("10.0.0.1", 5060)),
        ("<sip:a@192.0.2.10:5060>", ("192.0.2.20", 5060), ("192.0.2.20", 5060)),
        # two private worlds are one world
        ("<sip:a@10.0.0.2:5070>", ("192.168.1.1", 5060), ("10.0.0.2", 5070)),
        ("<sip:a@127.0.0.1:5070>", ("127.0.0.1", 5060), ("127.0.0.1", 5070)),
        # the other family cannot be reached through the socket we have
        ("<sip:a@[2001:db8::5]>", ("8.8.8.8", 1024), ("8.8.8.8", 1024)),
        ("<sip:a@[2001:db8::5]:5070>", ("2001:db8::1", 5060), ("2001:db8::5", 5070)),
    ],
)
def test_where_a_request_goes(
    contact: str | None, source: tuple[str, int], goes: tuple[str, int]
) -> None:
    dialog = Dialog("c", "t", 0, source)
    dialog.contact = contact
    assert dialog.route({US}).remote == goes


def test_route_set_of_the_called_side_keeps_the_order_of_record_route() -> None:
    end = endpoint()
    headers = (
        "Contact: <sip:peer@10.0.0.9>",
        "Record-Route: <sip:198.51.100.1;lr>, <sip:198.51.100.2;lr>",
        "Record-Route: <sip:198.51.100.3;lr>",
    )
    (event,) = end.receive(request(headers=headers), PEER, 0, 0.0)
    assert isinstance(event, Invited)
    end.accept(event.dialog, 0.0)
    ok = sent(end)[1].decode()
    assert ok.count("Record-Route:") == 2
    end.receive(request("ACK", branch="z9hG4bK2", to_tag=event.dialog.local_tag), PEER, 0, 0.0)
    end.bye(event.dialog, 1.0)
    ((data, remote, _),) = end.outgoing
    bye = read(data)
    assert bye.uri == "sip:peer@10.0.0.9"
    assert bye.all("route") == [
        "<sip:198.51.100.1;lr>", "<sip:198.51.100.2;lr>", "<sip:198.51.100.3;lr>"
    ]  # fmt: skip
    assert remote == ("198.51.100.1", 5060)


def test_route_set_of_the_calling_side_is_reversed_and_final_with_the_2xx() -> None:
    end = endpoint()
    call = Invite("sip:1@198.51.100.1", PEER, 0, "<sip:a@192.0.2.10>", "<sip:1@198.51.100.1>")
    dialog = end.invite(call, 0.0)
    (invite,) = sent(end)
    contact = "Contact: <sip:ua@10.0.0.9:5070>"
    end.receive(reply(invite, 180, headers=[contact, "Record-Route: <sip:early;lr>"]), PEER, 0, 0.0)
    routes = "Record-Route: <sip:198.51.100.1;lr>,<sip:198.51.100.2;lr>"
    end.receive(reply(invite, 200, headers=[contact, routes]), PEER, 0, 0.0)
    end.acknowledge(dialog, 0.0)
    ((data, remote, _),) = end.outgoing
    ack = read(data)
    assert ack.uri == dialog.remote_target == "sip:ua@10.0.0.9:5070"
    assert ack.all("route") == ["<sip:198.51.100.2;lr>", "<sip:198.51.100.1;lr>"]
    assert remote == ("198.51.100.2", 5060)


def test_a_reinvite_moves_the_target_both_ways() -> None:
    end = endpoint()
    (event,) = end.receive(request(), PEER, 0, 0.0)
    assert isinstance(event, Invited)
    dialog = event.dialog
    end.accept(dialog, 0.0)
    tag = dialog.local_tag
    end.receive(request("ACK", branch="z9hG4bK2", to_tag=tag), PEER, 0, 0.0)
    moved = ["Contact: <sip:peer@192.0.2.21:5062>"]
    end.receive(
        request(branch="z9hG4bK3", cseq=2, to_tag=tag, headers=moved), ("192.0.2.21", 5062), 0, 1.0
    )
    end.accept(dialog, 1.0)
    end.receive(request("ACK", branch="z9hG4bK4", cseq=2, to_tag=tag), PEER, 0, 1.0)
    sent(end)
    end.reinvite(dialog, 2.0)
    ((data, remote, _),) = end.outgoing
    assert (read(data).uri, remote) == ("sip:peer@192.0.2.21:5062", ("192.0.2.21", 5062))
    end.outgoing.clear()
    end.receive(reply(data, 200, headers=["Contact: <sip:peer@192.0.2.22>"]), PEER, 0, 2.0)
    end.acknowledge(dialog, 2.0)
    ((data, remote, _),) = end.outgoing
    assert (read(data).uri, remote) == ("sip:peer@192.0.2.22", ("192.0.2.22", 5060))
