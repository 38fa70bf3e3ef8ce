# SPDX-License-Identifier: GPL-2.0-or-later
"""The userspace relay on real loopback sockets, served by a real asyncio loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from random import Random

import pytest

from vosd.media.datagram import IP_RECVTOS, SO_TIMESTAMPNS
from vosd.media.relay import Address
from vosd.media.session import MediaConfig, MediaEngine, MediaEvent, MediaSession
from vosd.media.userspace import UserspaceRelay
from vosd.rtp import packet, rtcp

HOSTS = {4: "127.0.0.1", 6: "::1"}
PATIENCE_S = 5.0


def rtp(sequence: int, *, ssrc: int = 0x5EED, first: int = 0) -> bytes:
    return packet.build(
        bytes([0xD5]) * 160,
        payload_type=0,
        sequence=sequence,
        timestamp=first + 160 * sequence,
        ssrc=ssrc,
    )


class Party:
    """A softphone's media socket."""

    def __init__(self, family: int, host: str | None = None, dscp: int = 0) -> None:
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        self.socket = socket.socket(kind, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((host or HOSTS[family], 0))
        self.address: Address = self.socket.getsockname()[:2]
        if family == 4:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
            self.socket.setsockopt(socket.IPPROTO_IP, 13, 1)
        else:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)

    def send(self, data: bytes, to: Address) -> None:
        self.socket.sendto(data, to)

    def received(self) -> list[tuple[bytes, int, Address]]:
        """Datagram, ToS octet and source of all that came."""
        got = []
        with contextlib.suppress(BlockingIOError):
            while True:
                data, notes, _, source = self.socket.recvmsg(2048, 64)
                got.append((data, notes[0][2][0], source[:2]))
        return got


class Switch:
    """An engine on the userspace relay, with a monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.now = 1000.0
        self.relay = UserspaceRelay()
        self.relay.attach(self.loop)
        self.events: list[MediaEvent] = []
        self.engine = MediaEngine(
            MediaConfig(
                advertise_v4="127.0.0.1", advertise_v6="::1", port_start=21000, port_end=29999
            ),
            self.relay,
            time.time,
            lambda: self.now,
            lambda session, event: self.events.append(event),
            Random(time.time_ns()),
        )

    def until(self, done: object) -> None:
        """Run the loop until `done()` is true; loopback delivers at once, so it soon is."""
        assert callable(done)
        ends = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < ends, "the relay did not do it in time"
            self.loop.run_until_complete(asyncio.sleep(0))

    def settle(self) -> None:
        """Run until nothing is left to read on any port."""
        for _ in range(3):
            self.loop.run_until_complete(asyncio.sleep(0))
        while self.relay.drain():
            pass

    def aim(self, side: object, party: Party, *, nat: bool = False) -> None:
        side.aim(  # type: ignore[attr-defined]
            party.address,
            None,
            nat=nat,
            direction="sendrecv",
            clock_rates={},
            now=self.now,
        )


@pytest.fixture
def switch() -> Iterator[Switch]:
    switch = Switch()
    yield switch
    switch.engine.shut()
    switch.relay.shut()
    switch.loop.close()


def call(switch: Switch, family_a: int, family_b: int) -> tuple[MediaSession, Party, Party]:
    session = switch.engine.open("call", family_a, family_b, switch.now)
    a, b = Party(family_a), Party(family_b)
    switch.aim(session.a, a)
    switch.aim(session.b, b)
    return session, a, b


@pytest.mark.parametrize(("family_a", "family_b"), [(4, 4), (6, 6), (4, 6), (6, 4)])
def test_relays_both_ways_and_across_families(switch: Switch, family_a: int, family_b: int) -> None:
    """CC-03: what one party sends, the other gets, octet for octet, from our port."""
    session, a, b = call(switch, family_a, family_b)
    for sequence in range(10):
        a.send(rtp(sequence), session.a.local)
        b.send(rtp(sequence, ssrc=0xB), session.b.local)
    switch.until(lambda: session.a.sent().packets == session.b.sent().packets == 10)
    at_b, at_a = b.received(), a.received()
    assert [data for data, _, _ in at_b] == [rtp(n) for n in range(10)]
    assert [data for data, _, _ in at_a] == [rtp(n, ssrc=0xB) for n in range(10)]
    assert {source for _, _, source in at_b} == {session.b.local}
    assert {source for _, _, source in at_a} == {session.a.local}
    figures = session.a.received()
    assert (figures.packets, figures.expected, figures.lost) == (10, 10, 0)
    assert figures.octets == 10 * 172
    assert figures.payload_types == {"0": 10}


@pytest.mark.parametrize("family", [4, 6])
def test_dscp_is_set_and_seen(switch: Switch, family: int) -> None:
    """QOS-03, D01: EF is ToS 0xb8 at the receiver; what came in marked AF41 is seen as 34."""
    session = switch.engine.open("call", family, family, switch.now)
    a, b = Party(family, dscp=34), Party(family)
    switch.aim(session.a, a)
    switch.aim(session.b, b)
    for sequence in range(5):
        a.send(rtp(sequence), session.a.local)
    switch.until(lambda: session.b.sent().packets == 5)
    assert {tos for _, tos, _ in b.received()} == {0xB8}
    assert session.a.received().dscp == {"34": 5}
    assert session.b.sent().dscp == 46
    changed = MediaConfig(
        advertise_v4="127.0.0.1", advertise_v6="::1", port_start=21000, port_end=29999, dscp=10
    )
    switch.engine.configure(changed)
    a.send(rtp(5), session.a.local)
    switch.until(lambda: session.b.sent().packets == 6)
    assert {tos for _, tos, _ in b.received()} == {40}


def test_arrival_is_the_kernels(switch: Switch) -> None:
    """A packet that waited in the socket keeps the time it came in."""
    session, a, _ = call(switch, 4, 4)
    before = time.time()
    for sequence in range(3):
        a.send(rtp(sequence), session.a.local)
    after = time.time()
    # Nobody reads meanwhile: a clock read by the relay would be later than `after`.
    while time.time() < after + 0.02:
        pass
    switch.until(lambda: session.b.sent().packets == 3)
    figures = session.a.received()
    assert figures.first_at is not None
    assert figures.last_at is not None
    assert before - 0.001 <= figures.first_at <= figures.last_at <= after + 0.001


def test_foreign_source_is_counted_and_dropped(switch: Switch) -> None:
    """Reliability 16: right port, right SSRC, next number, wrong source: nothing passes."""
    session, a, b = call(switch, 4, 4)
    stranger = Party(4, "127.0.0.2")
    for sequence in range(3):
        a.send(rtp(sequence), session.a.local)
    switch.until(lambda: session.b.sent().packets == 3)
    b.received()
    for sequence in range(3, 53):
        stranger.send(rtp(sequence), session.a.local)
    switch.until(lambda: session.a.received().wrong_source == 50)
    assert b.received() == []
    a.send(rtp(3), session.a.local)
    switch.until(lambda: session.b.sent().packets == 4)
    figures = session.a.received()
    assert (figures.packets, figures.lost, figures.wrong_source) == (4, 0, 50)
    assert stranger.received() == []
    assert [event.kind for event in switch.events] == ["latched", "foreign_source"]


def test_learns_a_natted_party(switch: Switch) -> None:
    """SYM-11: SDP names 10.0.0.9, media comes from elsewhere: learned, and sent back there."""
    session = switch.engine.open("call", 4, 4, switch.now)
    a, b = Party(4), Party(4)
    session.a.aim(
        ("10.0.0.9", 4000), None, nat=True, direction="sendrecv", clock_rates={}, now=switch.now
    )
    switch.aim(session.b, b)
    b.send(rtp(0, ssrc=0xB), session.b.local)
    switch.until(lambda: session.a.sent().dropped == 1)
    for sequence in range(3):
        a.send(rtp(sequence), session.a.local)
    switch.until(lambda: session.a.source == a.address)
    # The two packets that were held back until the third are not lost.
    assert [data for data, _, _ in b.received()] == [rtp(0), rtp(1), rtp(2)]
    assert session.a.received().packets == 3
    b.send(rtp(1, ssrc=0xB), session.b.local)
    switch.until(lambda: session.a.sent().packets == 1)
    assert [data for data, _, _ in a.received()] == [rtp(1, ssrc=0xB)]


def test_rtcp_is_relayed_and_read(switch: Switch) -> None:
    """CC-02: RTCP reaches the other party; a reply with LSR and DLSR gives the RTT."""
    session, a, b = call(switch, 4, 4)
    for sequence in range(3):
        a.send(rtp(sequence), session.a.local)
        b.send(rtp(sequence, ssrc=0xB), session.b.local)
    switch.until(lambda: session.a.source == a.address and session.b.source == b.address)
    b_rtcp = Party(4)
    session.b.aim(
        b.address,
        b_rtcp.address,
        nat=False,
        direction="sendrecv",
        clock_rates={},
        now=switch.now,
    )
    report = rtcp.build_sender_report(rtcp.SenderInfo(0x5EED, 0x0000B705_20000000, 0, 3, 480))
    a_rtcp = Party(4)
    a_rtcp.send(report, session.a.local_rtcp)
    switch.until(lambda: session.a.received().rtcp_packets == 1)
    assert [data for data, _, _ in b_rtcp.received()] == [report]
    block = rtcp.ReportBlock(0x5EED, 64, 1, 3, 80, 0xB7052000, 0)
    b_rtcp.send(rtcp.build_receiver_report(0xB, (block,)), session.b.local_rtcp)
    switch.until(lambda: session.b.received().rtcp_packets == 1)
    sent = session.b.sent()
    # 80 units of 1/8000 s are 10 ms; the echo took no longer than this test.
    assert (sent.remote_lost, sent.remote_jitter_ms) == (1, 10.0)
    assert sent.rtt_ms is not None
    assert 0 <= sent.rtt_ms < PATIENCE_S * 1000


def test_noise_is_counted_and_not_relayed(switch: Switch) -> None:
    """What is no RTP never leaves, whatever its length or version."""
    session, a, b = call(switch, 4, 4)
    for sequence in range(3):
        a.send(rtp(sequence), session.a.local)
    switch.until(lambda: session.b.sent().packets == 3)
    b.received()
    noise = [b"", b"\x80", bytes(172), rtp(3)[:11], b"\x90" + rtp(3)[1:12]]
    for data in noise:
        a.send(data, session.a.local)
    switch.until(lambda: session.a.received().malformed == len(noise))
    assert b.received() == []
    a.send(rtp(3), session.a.local)
    switch.until(lambda: session.b.sent().packets == 4)


def hurry(switch: Switch, a: Party, to: Address, first: int) -> int:
    """Send one packet per turn of the loop until the relay paces itself; the next number."""
    ends = time.monotonic() + PATIENCE_S
    while not switch.relay.paced and time.monotonic() < ends:
        a.send(rtp(first), to)
        switch.loop.run_until_complete(asyncio.sleep(0))
        first += 1
    assert switch.relay.paced
    return first


def test_pacing_under_load_loses_nothing(switch: Switch) -> None:
    """A burst that ends per-packet waking is relayed whole, in order; waking comes back."""
    session, a, b = call(switch, 4, 4)
    sequence = hurry(switch, a, session.a.local, 0)
    for _ in range(100):
        a.send(rtp(sequence), session.a.local)
        sequence += 1
    switch.until(lambda: session.b.sent().packets == sequence)
    assert [data for data, _, _ in b.received()] == [rtp(n) for n in range(sequence)]
    figures = session.a.received()
    assert (figures.packets, figures.lost, figures.out_of_order) == (sequence, 0, 0)
    switch.until(lambda: not switch.relay.paced)
    a.send(rtp(sequence), session.a.local)
    switch.until(lambda: session.b.sent().packets == sequence + 1)


def test_pacing_outlives_a_fault_of_an_owner(switch: Switch) -> None:
    """An exception in a call's owner ends no other call's media."""
    session, a, _ = call(switch, 4, 4)
    other, a2, _ = call(switch, 4, 4)
    faults: list[object] = []
    switch.loop.set_exception_handler(lambda loop, context: faults.append(context["exception"]))
    hurry(switch, a, session.a.local, 0)
    switch.engine.on_event = lambda session, event: 1 / 0
    Party(4, "127.0.0.2").send(rtp(0), session.a.local)
    switch.until(lambda: faults)
    assert [type(fault) for fault in faults] == [ZeroDivisionError]
    a2.send(rtp(0), other.a.local)
    switch.until(lambda: other.b.sent().packets == 1)


@pytest.mark.parametrize(
    ("family", "tos_told"),
    [(4, (socket.IPPROTO_IP, IP_RECVTOS)), (6, (socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS))],
)
def test_clock_where_the_kernel_does_not_tell(
    switch: Switch, family: int, tos_told: tuple[int, int]
) -> None:
    """Without a kernel stamp the relay's clock serves; without a ToS no DSCP is counted."""
    switch.relay._clock = lambda: 1_234_000_000_000
    session = switch.engine.open("call", family, family, switch.now)
    a, b = Party(family, dscp=34), Party(family)
    switch.aim(session.a, a)
    switch.aim(session.b, b)
    sock = session.a.taps()[0].handle
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 0)
    for sequence in range(4):
        a.send(rtp(sequence), session.a.local)
    switch.until(lambda: session.b.sent().packets == 4)
    figures = session.a.received()
    assert (figures.first_at, figures.last_at, figures.dscp) == (1234.0, 1234.0, {"34": 4})
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(*tos_told, 0)
    a.send(rtp(4), session.a.local)
    switch.until(lambda: session.b.sent().packets == 5)
    sock.setsockopt(*tos_told, 1)
    a.send(rtp(5), session.a.local)
    switch.until(lambda: session.b.sent().packets == 6)
    figures = session.a.received()
    assert figures.dscp == {"34": 5}
    assert figures.last_at == pytest.approx(time.time(), abs=PATIENCE_S)


def test_closed_call_hears_nothing_and_rests(switch: Switch) -> None:
    """Ports of an ended call rest for as long as somebody still sends to them."""
    session, a, b = call(switch, 4, 4)
    local = session.a.local
    assert (switch.engine.ports_used, switch.engine.ports_total) == (4, 9000)
    session.close(switch.now)
    session.close(switch.now)
    assert switch.engine.ports_used == 0
    switch.now += 4
    a.send(rtp(9), local)
    heard = switch.engine.ports._resting
    switch.until(lambda: heard[local[1]] == switch.now + 5)
    assert b.received() == []


def test_sockets_of_a_rested_pair_are_used_again(switch: Switch) -> None:
    """Nothing of the call before shows in the next one on the same ports."""
    session, a, b = call(switch, 4, 4)
    for sequence in range(3):
        a.send(rtp(sequence), session.a.local)
    switch.until(lambda: session.b.sent().packets == 3)
    local = session.a.local
    session.close(switch.now)
    assert session.a.received().packets == session.b.sent().packets == 3
    assert len(b.received()) == 3
    switch.now += 6
    switch.engine.tick(switch.now)
    again = switch.engine.open("next", 4, 4, switch.now)
    assert again.a.local == local
    assert again.a.received().packets == again.b.sent().packets == 0
    a.send(rtp(3), local)
    switch.until(lambda: again.a.received().wrong_source == 1)
    assert b.received() == []


def test_bound_pair_is_passed_over(switch: Switch) -> None:
    """A port somebody else has bound costs no call."""
    config = MediaConfig(advertise_v4="127.0.0.1", port_start=20980, port_end=20987)
    switch.engine.configure(config)
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("127.0.0.1", 20983))
    ports = switch.engine.ports
    ports._chance = None
    ports.resize(20980, 20987)
    session = switch.engine.open("call", 4, 4, switch.now)
    assert (session.a.local[1], session.b.local[1]) == (20980, 20984)
    other.close()
