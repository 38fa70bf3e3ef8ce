# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions on a relay without sockets: latching, destinations, RTCP, time-outs, ports."""

from __future__ import annotations

import errno
import gc
from typing import Any

import msgspec
import pytest

from tests.media.fakes import World, rtp
from vosd.media.ports import NoPorts
from vosd.media.relay import Address
from vosd.media.session import MediaSession
from vosd.media.side import Side
from vosd.rtp import rtcp

A = ("203.0.113.9", 4000)
B = ("198.51.100.5", 5000)
STRANGER = ("198.51.100.66", 4000)
PRIVATE = ("10.0.0.9", 4000)


@pytest.fixture
def world() -> World:
    return World()


def aim(world: World, side: Side, remote: Address | None, **more: Any) -> None:
    plain: dict[str, Any] = {"nat": False, "direction": "sendrecv", "clock_rates": {}}
    side.aim(remote, more.pop("rtcp", None), now=world.now, **(plain | more))


def call(world: World, **a: Any) -> MediaSession:
    session = world.open()
    aim(world, session.a, a.pop("remote", A), **a)
    aim(world, session.b, B)
    return session


def test_addresses_of_a_session(world: World) -> None:
    """RTP even, RTCP the port after it; each side its own pair, each family its own host."""
    session = world.open(4, 6)
    assert (session.a.local, session.a.local_rtcp) == (("192.0.2.1", 10000), ("192.0.2.1", 10001))
    assert session.b.local == ("2001:db8::1", 10002)
    assert (session.a.family, session.b.family) == (4, 6)
    assert session.a.destination is session.a.source is None


def test_bound_and_advertised_host_may_differ() -> None:
    world = World(bind_v4="10.0.0.1")
    session = world.open()
    assert session.a.local == ("192.0.2.1", 10000)
    assert ("10.0.0.1", 10000) in world.relay.taps


def test_media_goes_to_the_sdp_address_before_anything_came(world: World) -> None:
    """A party that only listens (early media) is sent to at once."""
    session = call(world)
    world.talk(A, session.a.local, count=1)
    assert world.sent_to(B) == [rtp(0)]
    assert session.b.sent().packets == 1


def test_other_port_of_the_named_host(world: World) -> None:
    """Heard within the window, but not sent to: SDP says where a party not behind NAT listens."""
    session = call(world)
    other = (A[0], 61000)
    world.talk(other, session.a.local)
    assert session.a.source == other
    assert session.a.destination == A
    assert session.a.received().source == "203.0.113.9:61000"
    assert world.events == [("latched", "a", "203.0.113.9:61000")]


def test_stranger_before_the_party(world: World) -> None:
    """Reliability 15: whoever comes first is nobody, unless SDP names him; one event each."""
    session = call(world)
    world.talk(STRANGER, session.a.local, count=50)
    assert world.relay.wire == []
    world.talk(B, session.b.local)
    assert world.sent_to(STRANGER) == []
    assert len(world.sent_to(A)) == 3
    assert session.a.received().wrong_source == 50
    assert world.events == [
        ("foreign_source", "a", "198.51.100.66:4000"),
        ("latched", "b", "198.51.100.5:5000"),
    ]


def test_private_address_is_not_sent_to(world: World) -> None:
    """SYM-11: until a NATed party is heard its media has nowhere to go, and that is counted."""
    session = call(world, remote=PRIVATE, nat=True)
    world.talk(B, session.b.local, count=5)
    assert session.a.sent().dropped == 5
    assert session.a.sent().destination is None
    world.talk(STRANGER, session.a.local)
    assert (session.a.source, session.a.destination) == (STRANGER, STRANGER)
    world.talk(B, session.b.local, first=5, count=2)
    assert len(world.sent_to(STRANGER)) == 2


def test_public_address_of_a_natted_party_is_sent_to(world: World) -> None:
    session = call(world, nat=True)
    world.talk(B, session.b.local, count=1)
    assert len(world.sent_to(A)) == 1


def test_private_address_without_nat_is_a_lan(world: World) -> None:
    session = call(world, remote=PRIVATE)
    world.talk(B, session.b.local, count=1)
    assert len(world.sent_to(PRIVATE)) == 1


@pytest.mark.parametrize(("waits", "learned"), [(2.9, True), (3.1, False)])
def test_learn_window(world: World, waits: float, learned: bool) -> None:
    """Design section 7: within 3 s of a signalling event."""
    session = call(world, remote=PRIVATE, nat=True)
    world.now += waits
    world.arrive(STRANGER, session.a.local, rtp(0))
    world.arrive(STRANGER, session.a.local, rtp(1))
    world.arrive(STRANGER, session.a.local, rtp(2))
    assert (session.a.source == STRANGER) is learned


@pytest.mark.parametrize("event", ["signalled", "expect_media"])
def test_signalling_opens_the_window_again(world: World, event: str) -> None:
    """A caller hears our SDP long after he sent his: the answer is a signalling event too."""
    session = call(world, remote=PRIVATE, nat=True)
    world.now += 20
    getattr(session.a, event)(world.now)
    world.talk(STRANGER, session.a.local)
    assert session.a.source == STRANGER


def test_signalling_does_not_unlock(world: World) -> None:
    session = call(world)
    world.talk(A, session.a.local)
    session.a.expect_media(world.now)
    world.talk((A[0], 61000), session.a.local)
    assert session.a.source == A
    assert session.a.received().wrong_source == 3


def test_refreshed_sdp_keeps_who_goes_on_sending(world: World) -> None:
    """Reliability 15, after a re-INVITE: a stranger cannot use the new window."""
    session = call(world, remote=PRIVATE, nat=True)
    home = ("203.0.113.200", 7000)
    world.talk(home, session.a.local)
    aim(world, session.a, PRIVATE, nat=True)
    world.talk(home, session.a.local, first=3, count=1)
    world.talk(STRANGER, session.a.local, count=10)
    assert session.a.source == home
    world.talk(B, session.b.local)
    assert world.sent_to(STRANGER) == []


def test_refreshed_sdp_follows_a_new_binding(world: World) -> None:
    """The NAT gave the silent party a new port: learned anew, told with the old one."""
    session = call(world, remote=PRIVATE, nat=True)
    world.talk(("203.0.113.200", 7000), session.a.local)
    world.now += 30
    aim(world, session.a, PRIVATE, nat=True)
    moved = ("203.0.113.200", 7999)
    world.talk(moved, session.a.local, first=3)
    assert (session.a.source, session.a.destination) == (moved, moved)
    assert world.events[-1] == ("latched", "a", "203.0.113.200:7999, was 203.0.113.200:7000")
    assert session.a.received().lost == 0


def test_new_address_in_sdp_unlocks(world: World) -> None:
    session = call(world)
    world.talk(A, session.a.local)
    new = ("203.0.113.77", 4444)
    aim(world, session.a, new)
    assert (session.a.source, session.a.destination) == (None, new)
    world.talk(A, session.a.local, first=3)
    assert session.a.received().wrong_source == 3
    world.talk(new, session.a.local)
    assert session.a.source == new


@pytest.mark.parametrize(
    ("remote", "sentence"),
    [
        (("media.example.com", 4000), "cannot send media to 'media.example.com'"),
        (("2001:db8::9", 4000), "cannot send media to 2001:db8::9: this side is IPv4"),
        (("203.0.113.9", 70000), "cannot send media to 203.0.113.9 port 70000: give 1-65535"),
        (("192.0.2.1", 10000), "cannot send media to 192.0.2.1:10000: it is the call's own port"),
        (("192.0.2.1", 10003), "cannot send media to 192.0.2.1:10003: it is the call's own port"),
    ],
)
def test_refused_addresses(world: World, remote: Address, sentence: str) -> None:
    session = world.open()
    with pytest.raises(ValueError, match=f"^{sentence}"):
        aim(world, session.a, remote)


@pytest.mark.parametrize(
    ("remote", "named"),
    [
        ((B[0], 65535), None),
        (B, (B[0], 65536)),
        (B, ("media.example.com", 5001)),
        (B, ("2001:db8::5", 5001)),
        (B, ("224.0.0.5", 5001)),
        (B, ("192.0.2.1", 10001)),
        ((B[0], 0), (B[0], 1)),
    ],
)
def test_no_rtcp_destination(world: World, remote: Address, named: Address | None) -> None:
    """The call is set up all the same; its reports go nowhere."""
    session = world.open()
    aim(world, session.a, A)
    aim(world, session.b, remote, rtcp=named)
    world.arrive(after(A), session.a.local_rtcp, SR)
    assert world.relay.wire == []


@pytest.mark.parametrize(
    "remote", [None, ("203.0.113.9", 0), ("0.0.0.0", 4000), ("224.0.0.5", 4000)]
)
def test_no_destination(world: World, remote: Address | None) -> None:
    """No SDP, a refused stream, RFC 2543 hold, many hosts: media goes nowhere."""
    session = call(world, remote=remote)
    world.talk(B, session.b.local)
    assert world.relay.wire == []
    assert session.a.sent().dropped == 3


SENDER = rtcp.SenderInfo(7, 0xB44DB705_20000000, 0, 3, 480)
SR = rtcp.build_sender_report(SENDER)


def reply(delay: float = 0.25, lost: int = 0) -> bytes:
    block = rtcp.ReportBlock(7, 0, lost, 2, 40, SENDER.middle, int(delay * 65536))
    return rtcp.build_receiver_report(8, (block,))


def after(address: Address) -> Address:
    return address[0], address[1] + 1


def test_rtcp_goes_to_the_next_port_and_gives_rtt(world: World) -> None:
    """The report left us at t, its echo came 400 ms later and was held 250 ms: RTT 150 ms."""
    session = call(world)
    world.talk(A, session.a.local)
    world.arrive(after(A), session.a.local_rtcp, SR)
    assert world.relay.wire[-1] == (session.b.local_rtcp, after(B), SR)
    world.now += 0.4
    world.arrive(after(B), session.b.local_rtcp, reply(lost=1))
    assert world.relay.wire[-1] == (session.a.local_rtcp, after(A), reply(lost=1))
    sent = session.b.sent()
    assert sent.rtt_ms == pytest.approx(150, abs=0.1)
    # Highest 2, first 0: 3 expected, 1 lost. 40 units at 8000 Hz are 5 ms.
    assert (sent.remote_lost, sent.remote_jitter_ms) == (1, 5.0)
    assert sent.remote_loss_percent == pytest.approx(100 / 3)
    assert session.a.sent().rtt_ms is None


def test_rtcp_address_of_the_sdp(world: World) -> None:
    """a=rtcp (RFC 3605) names another port."""
    session = world.open()
    aim(world, session.a, A)
    aim(world, session.b, B, rtcp=(B[0], 9999))
    world.arrive(after(A), session.a.local_rtcp, SR)
    assert world.relay.wire == [(session.b.local_rtcp, (B[0], 9999), SR)]


def test_rtcp_of_a_natted_party_comes_from_its_rtp_host(world: World) -> None:
    """It is sent back where it came from; before that it goes nowhere."""
    session = call(world, remote=PRIVATE, nat=True)
    public = ("203.0.113.200", 7000)
    world.arrive((public[0], 7301), session.a.local_rtcp, SR)
    assert session.a.received().rtcp_packets == 0
    world.talk(public, session.a.local)
    world.arrive(after(B), session.b.local_rtcp, SR)
    assert world.sent_to(after(PRIVATE)) == world.sent_to(after(public)) == []
    world.arrive((public[0], 7301), session.a.local_rtcp, SR)
    world.arrive(after(B), session.b.local_rtcp, SR)
    assert world.sent_to((public[0], 7301)) == [SR]


def test_foreign_rtcp_before_the_partys_own(world: World) -> None:
    """Whoever reports first is believed only from the host whose RTP is locked."""
    session = call(world)
    world.talk(A, session.a.local)
    world.arrive(STRANGER, session.a.local_rtcp, SR)
    assert session.a.rtcp_source is None
    assert (session.a.received().wrong_source, session.a.received().rtcp_packets) == (1, 0)
    assert world.sent_to(after(B)) == []


@pytest.mark.parametrize(
    ("source", "data", "counted"),
    [
        (STRANGER, SR, "wrong_source"),
        (("203.0.113.9", 4009), SR, "wrong_source"),
        (after(A), b"", "malformed"),
        (after(A), b"\x80\xc8", "malformed"),
        (after(A), rtp(1), "malformed"),
    ],
)
def test_rtcp_refused(world: World, source: Address, data: bytes, counted: str) -> None:
    """Reliability 17: foreign or broken RTCP goes nowhere and raises nothing."""
    session = call(world)
    world.talk(A, session.a.local)
    world.arrive(after(A), session.a.local_rtcp, SR)
    before = len(world.relay.wire)
    world.arrive(source, session.a.local_rtcp, data)
    assert len(world.relay.wire) == before
    assert getattr(session.a.received(), counted) == 1


def test_forged_goodbye_and_srtcp(world: World) -> None:
    """A BYE from the party is relayed and ends nothing; SRTCP is relayed and says nothing."""
    session = call(world)
    world.talk(A, session.a.local)
    for data in (bytes.fromhex("81cb0001 00000007"), SR + bytes(14)):
        world.arrive(after(A), session.a.local_rtcp, data)
        assert world.relay.wire[-1][2] == data
    assert session.a.received().rtcp_packets == 2
    world.talk(A, session.a.local, first=3, count=1)
    assert session.a.received().packets == 4


def test_rtcp_on_the_rtp_port(world: World) -> None:
    """RFC 5761: a party that multiplexes is relayed on the RTP ports and read all the same."""
    session = call(world)
    world.talk(A, session.a.local)
    world.arrive(A, session.a.local, SR)
    assert world.relay.wire[-1] == (session.b.local, B, SR)
    figures = session.a.received()
    assert (figures.rtcp_packets, figures.packets, figures.malformed) == (1, 3, 0)


# Time-outs: side a, its direction, seconds of RTP, of silence, events expected.
TIMEOUTS = {
    "silent from the answer": ("sendrecv", False, 30, 1),
    "not yet": ("sendrecv", False, 29, 0),
    "only once": ("sendrecv", False, 300, 1),
    "silent after talking": ("sendrecv", True, 31, 1),
    "holds with music": ("sendonly", False, 31, 1),
    "listens": ("recvonly", False, 300, 0),
    "on hold": ("inactive", False, 300, 0),
}


@pytest.mark.parametrize("name", TIMEOUTS)
def test_timeout(world: World, name: str) -> None:
    """MP-10, D76: 30 s without RTP of a side that should send, told once, with the side."""
    direction, talks, silence, events = TIMEOUTS[name]
    session = call(world, direction=direction)
    session.a.expect_media(world.now)
    if talks:
        world.talk(A, session.a.local)
        world.tick(1)
        world.events.clear()
    world.tick(silence)
    assert world.events == [("rtp_timeout", "a", "no RTP for 30 s")] * events


def test_no_timeout_before_the_answer(world: World) -> None:
    call(world)
    world.tick(300)
    assert world.events == []


def test_timeout_of_each_side_alone(world: World) -> None:
    """SYM-11: one-way audio names the silent side."""
    session = call(world)
    session.a.expect_media(world.now)
    session.b.expect_media(world.now)
    for number in range(40):
        world.talk(A, session.a.local, first=number, count=1)
        world.tick(1)
    assert [event[:2] for event in world.events] == [("latched", "a"), ("rtp_timeout", "b")]


def test_foreign_packets_do_not_keep_a_call_alive(world: World) -> None:
    session = call(world)
    session.a.expect_media(world.now)
    for number in range(31):
        world.talk(STRANGER, session.a.local, first=number, count=1)
        world.tick(1)
    assert world.events[-1][:2] == ("rtp_timeout", "a")


def test_hold_and_resume_begin_the_silence_anew(world: World) -> None:
    session = call(world)
    session.a.expect_media(world.now)
    world.tick(20)
    aim(world, session.a, A, direction="inactive")
    world.tick(100)
    aim(world, session.a, A)
    world.tick(29)
    assert world.events == []
    world.tick(1)
    assert world.events == [("rtp_timeout", "a", "no RTP for 30 s")]


def test_timeout_changes_while_calls_run(world: World) -> None:
    session = call(world)
    session.a.expect_media(world.now)
    world.engine.configure(msgspec.structs.replace(world.config, rtp_timeout_s=0.0))
    world.tick(100)
    assert world.events == []
    world.engine.configure(msgspec.structs.replace(world.config, rtp_timeout_s=5.0))
    world.tick(1)
    assert world.events[0][:2] == ("rtp_timeout", "a")


def test_clock_that_is_set_is_no_gap(world: World) -> None:
    """The kernel stamps by the wall clock; NTP or an operator may set it during a call."""
    session = call(world)
    world.talk(A, session.a.local, count=5)
    world.wall_offset += 3600
    world.engine.tick(world.now)
    world.talk(A, session.a.local, first=5, count=5)
    figures = session.a.received()
    assert figures.max_gap_ms == pytest.approx(20, abs=0.01)
    assert figures.jitter_max_ms == pytest.approx(0, abs=0.01)


def test_dscp_reaches_every_port(world: World) -> None:
    """QOS-01: a new value reaches calls that run and ports that rest."""
    session = call(world)
    ended = world.open()
    ended.close(world.now)
    assert {tap.dscp for tap in world.relay.taps.values()} == {46}
    world.engine.configure(msgspec.structs.replace(world.config, dscp=34))
    assert {tap.dscp for tap in world.relay.taps.values()} == {34}
    assert session.a.sent().dscp == 34


def test_next_route_begins_with_nothing(world: World) -> None:
    """A second vendor does not inherit the first one's media or figures."""
    session = call(world)
    world.talk(B, session.b.local)
    session.b.reset(world.now)
    assert session.b.source is session.b.destination is None
    assert session.b.received().packets == session.b.sent().packets == 0
    second = ("198.51.100.99", 6000)
    aim(world, session.b, second)
    world.talk(B, session.b.local, first=3)
    assert session.b.received().wrong_source == 3
    world.talk(A, session.a.local)
    assert len(world.sent_to(second)) == 3


def test_next_route_of_another_family(world: World) -> None:
    session = call(world)
    session.b.rehome(6, world.now)
    assert session.b.local == ("2001:db8::1", 10004)
    six = ("2001:db8::99", 6000)
    aim(world, session.b, six)
    world.talk(A, session.a.local)
    world.talk(six, session.b.local)
    assert (len(world.sent_to(six)), len(world.sent_to(A))) == (3, 3)
    assert world.engine.ports_used == 4


def test_figures_outlive_the_call(world: World) -> None:
    """The record is written after the ports are gone; nothing of the next call shows in it."""
    session = call(world)
    world.talk(A, session.a.local)
    before = session.a.received(), session.b.sent()
    session.close(world.now)
    world.tick(10)
    after_it = call(world)
    assert after_it.a.local == session.a.local
    aim(world, session.a, STRANGER)
    world.talk(A, after_it.a.local)
    assert (session.a.received(), session.b.sent()) == before
    assert after_it.a.destination == A


def test_an_ended_call_is_freed_at_once(world: World) -> None:
    """No cycle is left for the collector, which the daemon runs rarely."""

    def alive() -> int:
        return sum(type(thing) is MediaSession for thing in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = alive()
        session = call(world)
        assert alive() == before + 1
        session.close(world.now)
        a = session.a
        del session
        assert alive() == before
    finally:
        gc.enable()
    assert a.received().packets == 0
    assert a.destination is None
    for verb in (a.signalled, a.expect_media, a.reset):
        verb(world.now)
    a.rehome(6, world.now)
    a.watch(world.now, 1.0, stepped=True)
    assert world.engine.ports_used == 0


def test_call_may_end_in_its_own_event(world: World) -> None:
    """The engine's owner hangs up when told of a time-out, or on anything else."""
    for kind in ("latched", "rtp_timeout"):
        session = call(world)
        session.a.expect_media(world.now)
        session.b.expect_media(world.now)
        world.engine.on_event = lambda session, event: session.close(world.now)
        if kind == "latched":
            world.talk(A, session.a.local)
        world.tick(31)
        assert world.engine.ports_used == 0


def test_no_more_ports(world: World) -> None:
    """A call that gets only one pair gives it back."""
    world.engine.configure(msgspec.structs.replace(world.config, port_end=10005))
    world.open()
    with pytest.raises(NoPorts, match="all 3 pairs of 10000-10005 are in use"):
        world.open()
    assert (world.engine.ports_used, world.engine.ports_total) == (4, 6)
    world.tick(6)
    with pytest.raises(NoPorts):
        world.open()


def test_no_address_of_the_family() -> None:
    world = World(advertise_v6=None)
    with pytest.raises(NoPorts, match=r"^cannot open a media port: no IPv6 media address"):
        world.open(4, 6)
    assert world.engine.ports_used == 0


def test_ports_of_others_are_passed_over(world: World) -> None:
    """Either port of a pair may be taken; the half that was had is given back."""
    world.relay.taken = {10000, 10003}
    session = world.open()
    assert (session.a.local[1], session.b.local[1]) == (10004, 10006)
    assert ("192.0.2.1", 10002) not in world.relay.taps


def test_every_port_taken() -> None:
    world = World(port_end=10999)
    world.relay.taken = set(range(10000, 11000))
    with pytest.raises(NoPorts, match=r"64 pairs of 10000-10999 on 192.0.2.1 are taken by other"):
        world.open()


def test_out_of_descriptors(world: World) -> None:
    """Not the ports' fault: said at once, and the ports stay usable."""
    world.relay.broken = errno.EMFILE
    with pytest.raises(NoPorts, match=r"^cannot open a media port on 192.0.2.1: Too many open"):
        world.open()
    assert world.engine.ports_used == 0


def test_sockets_beyond_need_are_closed() -> None:
    world = World(port_end=19999)
    sessions = [world.open() for _ in range(200)]
    for session in sessions:
        session.close(world.now)
    assert len(world.relay.taps) == 800
    world.tick(6)
    assert len(world.relay.taps) == 512
    world.engine.shut()
    assert world.relay.taps == {}
