# SPDX-License-Identifier: GPL-2.0-or-later
"""An endpoint on UDP, TCP and TLS: which socket a request takes, and what a lost connection
changes (RFC 3261 18.1.1, 18.2.2, 12.2.1, 17; RFC 6026)."""

from __future__ import annotations

import random

import pytest

from tests.sip.wire import PEER, US, names, read, reply, request
from vosd.sip.endpoint import Dialog, Endpoint, Invite, Listen
from vosd.sip.events import Answered, Failed

UDP, TCP, TLS = range(3)
FLOW = (PEER[0], 49152)
TLS_HERE = (US[0], 5061)


def streams() -> tuple[Endpoint, set[tuple[int, tuple[str, int]]]]:
    """An endpoint, and the connections that stand."""
    standing: set[tuple[int, tuple[str, int]]] = set()
    listens = [Listen("udp", *US), Listen("tcp", *US), Listen("tls", *TLS_HERE)]
    end = Endpoint(
        listens, random.Random(1),
        connected=lambda local, remote: local == UDP or (local, remote) in standing,
    )  # fmt: skip
    return end, standing


def out(end: Endpoint) -> list[tuple[str, str, tuple[str, int], int]]:
    """(method or code, transport in Via, where, socket) of what is queued."""
    queued = []
    for data, where, local in end.outgoing:
        message = read(data)
        word = message.method if message.is_request else str(message.code)
        queued.append((word, message.via.transport, where, local))
    end.outgoing.clear()
    return queued


def invite(end: Endpoint, local: int, *, body: bytes = b"", flow: bool = False) -> Dialog:
    at = FLOW if flow else PEER
    given = Invite("sip:1@192.0.2.20", at, local, "<sip:a@192.0.2.10>", "<sip:1@192.0.2.20>",
                   body=body, flow=flow)  # fmt: skip
    return end.invite(given, 0.0)


def answered(end: Endpoint, local: int, contact: str, *, flow: bool = False) -> Dialog:
    dialog = invite(end, local, flow=flow)
    data = end.outgoing[0][0]
    end.outgoing.clear()
    (event,) = end.receive(
        reply(data, 200, headers=(f"Contact: <{contact}>",)), dialog.remote, local, 0.0
    )
    assert isinstance(event, Answered)
    return dialog


@pytest.mark.parametrize("local", [TCP, TLS])
def test_a_request_is_sent_once_and_still_times_out(local: int) -> None:
    """17.1.1.2: timer A is for unreliable transports, timer B for all."""
    end, _ = streams()
    invite(end, local)
    assert out(end) == [("INVITE", ("udp", "tcp", "tls")[local], PEER, local)]
    assert end.due(31.9) == []
    assert out(end) == []
    assert names(end.due(32.1)) == ["Failed"]


def test_the_ack_of_an_answer_may_wait_on_a_stream_too() -> None:
    """RFC 6026 7.2: timer M is 64*T1 on every transport; the record is written before the ACK."""
    end, _ = streams()
    dialog = answered(end, TCP, "sip:1@192.0.2.20")
    assert end.due(5.0) == []
    end.acknowledge(dialog, 5.0)
    assert out(end) == [("ACK", "tcp", PEER, TCP)]


@pytest.mark.parametrize(
    ("contact", "way"),
    [
        ("sip:1@192.0.2.20", ("udp", PEER, UDP)),
        ("sip:1@192.0.2.20:5070;transport=tcp", ("tcp", (PEER[0], 5070), TCP)),
        ("sip:1@192.0.2.20;transport=TLS", ("tls", (PEER[0], 5061), TLS)),
        ("sips:1@192.0.2.20", ("tls", (PEER[0], 5061), TLS)),
        # nobody here speaks that: back to where it was heard from
        ("sip:1@192.0.2.20:5070;transport=sctp", ("udp", PEER, UDP)),
    ],
)
def test_a_contact_says_by_which_transport_it_is_reached(
    contact: str, way: tuple[str, tuple[str, int], int]
) -> None:
    end, _ = streams()
    dialog = answered(end, UDP, contact)
    end.acknowledge(dialog, 0.0)
    end.bye(dialog, 0.0)
    assert out(end) == [("ACK", *way), ("BYE", *way)]


def test_a_flow_is_used_while_it_stands_and_the_contact_after() -> None:
    """RFC 5626: a phone that registered by TCP may listen on no port; when its connection is
    gone its Contact is all there is."""
    end, standing = streams()
    standing.add((TCP, FLOW))
    dialog = answered(end, TCP, "sip:1@192.0.2.20:5070;transport=tcp", flow=True)
    end.acknowledge(dialog, 0.0)
    standing.clear()
    end.bye(dialog, 0.0)
    assert out(end) == [("ACK", "tcp", FLOW, TCP), ("BYE", "tcp", (PEER[0], 5070), TCP)]


def test_the_caller_of_a_dialog_is_reached_the_same_way() -> None:
    end, standing = streams()
    standing.add((TCP, FLOW))
    (invited,) = end.receive(request(headers=("Contact: <sip:peer@192.0.2.20>",)), FLOW, TCP, 0.0)
    dialog = invited.dialog  # type: ignore[attr-defined]
    end.accept(dialog, 0.0)
    end.receive(request("ACK", branch="z9hG4bK2", to_tag=dialog.local_tag), FLOW, TCP, 0.1)
    end.outgoing.clear()
    standing.clear()
    end.bye(dialog, 1.0)
    assert out(end) == [("BYE", "tcp", PEER, TCP)]


def test_an_answer_without_its_connection_goes_to_the_sent_by_port() -> None:
    """18.2.2: the source's address and the port of Via."""
    end, _ = streams()
    (invited,) = end.receive(request(), FLOW, TCP, 0.0)
    assert out(end) == [("100", "udp", FLOW, TCP)]
    end.reject(invited.dialog, 486, 1.0)  # type: ignore[attr-defined]
    assert out(end) == [("486", "udp", FLOW, TCP)]
    assert end.undeliverable(FLOW, 1.0, TCP) == []
    assert out(end) == [("486", "udp", PEER, TCP)]
    # nor is it there: that was all there is
    assert end.undeliverable(PEER, 1.0, TCP) == []
    assert out(end) == []


def test_what_a_lost_connection_left_unanswered_is_sent_once_more() -> None:
    end, _ = streams()
    invite(end, TCP)
    out(end)
    assert end.disconnected(PEER, TCP, 1.0) == []
    assert out(end) == [("INVITE", "tcp", PEER, TCP)]
    (event,) = end.disconnected(PEER, TCP, 2.0)
    assert isinstance(event, Failed)
    assert event.cause == "transport"


def test_a_ringing_call_outlives_its_connection() -> None:
    """The peer opens a new one for its answer (18.2.2)."""
    end, _ = streams()
    invite(end, TCP)
    data = end.outgoing[0][0]
    end.receive(reply(data, 180), PEER, TCP, 0.5)
    end.outgoing.clear()
    assert end.disconnected(PEER, TCP, 1.0) == []
    assert end.outgoing == []
    assert names(end.receive(reply(data, 200), (PEER[0], 50000), TCP, 2.0)) == ["Answered"]


def test_transports_to_one_address_fail_apart() -> None:
    end, _ = streams()
    by_udp, by_tcp = invite(end, UDP), invite(end, TCP)
    (event,) = end.undeliverable(PEER, 0.0, TCP)
    assert isinstance(event, Failed)
    assert event.dialog is by_tcp
    assert by_udp.state == "early"


def large(end: Endpoint, size: int) -> Dialog:
    """An INVITE of exactly `size` octets."""
    other, _ = streams()
    invite(other, UDP)
    bare = len(other.outgoing[0][0])
    # Content-Type and two more digits of Content-Length come with the body
    head = bare + len("Content-Type: application/sdp\r\n") + 2
    return invite(end, UDP, body=b"x" * (size - head))


def test_a_request_over_1300_octets_takes_tcp() -> None:
    end, _ = streams()
    large(end, 1300)
    assert (len(end.outgoing[0][0]), out(end)) == (1300, [("INVITE", "udp", PEER, UDP)])
    large(end, 1301)
    data = end.outgoing[0][0]
    assert out(end) == [("INVITE", "tcp", PEER, TCP)]
    # its CANCEL and the ACK of a refusal belong to the same transaction: same Via, same socket
    end.receive(reply(data, 486), PEER, TCP, 0.1)
    assert out(end) == [("ACK", "tcp", PEER, TCP)]


def test_a_peer_without_tcp_gets_it_by_udp_and_the_next_at_once() -> None:
    end, _ = streams()
    dialog = large(end, 1500)
    out(end)
    assert end.undeliverable(PEER, 0.5, TCP) == []
    assert out(end) == [("INVITE", "udp", PEER, UDP)]
    assert names(end.due(1.1)) == []
    assert out(end) == [("INVITE", "udp", PEER, UDP)]
    large(end, 1500)
    assert out(end) == [("INVITE", "udp", PEER, UDP)]
    assert names(end.undeliverable(PEER, 2.0, UDP)) == ["Failed", "Failed"]
    assert dialog.state == "ended"


def test_a_peer_that_hangs_up_on_large_requests_gets_them_by_udp() -> None:
    """It takes TCP connections and closes them: once is bad luck, twice is no TCP."""
    end, _ = streams()
    dialog = large(end, 1500)
    out(end)
    assert end.disconnected(PEER, TCP, 0.1) == []
    assert out(end) == [("INVITE", "tcp", PEER, TCP)]
    assert end.disconnected(PEER, TCP, 0.2) == []
    assert out(end) == [("INVITE", "udp", PEER, UDP)]
    # from here as any request by UDP: again after T1 (500 ms), then after 2*T1
    assert end.due(0.71) == []
    assert out(end) == [("INVITE", "udp", PEER, UDP)]
    assert end.due(1.72) == []
    assert out(end) == [("INVITE", "udp", PEER, UDP)]
    large(end, 1500)
    assert out(end) == [("INVITE", "udp", PEER, UDP)]
    assert dialog.state == "early"


def test_an_operator_may_keep_large_requests_on_udp() -> None:
    end, _ = streams()
    end.large_by_stream = False
    large(end, 1500)
    assert out(end) == [("INVITE", "udp", PEER, UDP)]


def test_what_breaks_a_stream_is_refused() -> None:
    end, _ = streams()
    head = request("OPTIONS").replace(b"Content-Length: 0\r\n", b"")
    (event,) = end.broken(head, 400, "cannot find Content-Length", FLOW, TCP)
    assert names([event]) == ["Malformed"]
    assert out(end) == [("400", "udp", FLOW, TCP)]
