# SPDX-License-Identifier: GPL-2.0-or-later
"""When things are sent again and when they are given up: RFC 3261 17.1.1.2, 17.1.2.2, 13.3.1.4."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sim.agents import Agent
from tests.sim.world import Link, World, dropping
from vosd.sip.endpoint import Timing
from vosd.sip.events import AckLost, Failed, Response

A, B = ("10.0.0.1", 5060), ("10.0.0.2", 5060)
A6, B6 = ("2001:db8::1", 5060), ("2001:db8::2", 5060)


def pair(world: World, *, v6: bool = False, **behaviour: Any) -> tuple[Agent, Agent]:
    one, two = (A6, B6) if v6 else (A, B)
    return Agent(world, "alice", one), Agent(world, "bob", two, **behaviour)


def rest(*agents: Agent) -> list[int]:
    """What is left in the agents: transactions, dialogs, timers."""
    return [
        n for a in agents
        for n in (a.endpoint.transactions, a.endpoint.dialogs, len(a.endpoint.timers))
    ]  # fmt: skip


@pytest.mark.parametrize("v6", [False, True])
def test_invite_to_nobody(v6: bool) -> None:
    world = World(start=1000.0)
    alice, bob = pair(world, v6=v6, silent=True)
    leg = alice.call("sip:100@bob", bob.address)
    world.settle()
    assert world.sent("alice") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert (leg.end, leg.code, leg.ended_at) == ("timeout", 408, 1032.0)
    assert rest(alice) == [0, 0, 0]


def test_invite_with_an_explicit_schedule() -> None:
    world = World()
    alice, bob = pair(world, silent=True)
    alice.endpoint.timing = Timing(resend=(0.3, 0.3, 0.6))
    leg = alice.call("sip:100@bob", bob.address)
    world.settle()
    assert world.sent("alice") == [0, 0.3, 0.6, 1.2]
    assert leg.ended_at == 32.0


def test_a_provisional_answer_stops_the_invite() -> None:
    world = World()
    alice, _bob = pair(world, ring_after=None, answer_after=60.0)
    world.between("alice", "bob", Link(drop=dropping("INVITE", times=2)), Link())
    alice.call("sip:100@bob", B)
    world.advance(59)
    assert world.sent("alice") == [0, 0.5, 1.5]


def test_options_to_nobody() -> None:
    world = World()
    alice, bob = pair(world, silent=True)
    alice.endpoint.send(
        "OPTIONS", "sip:bob", bob.address, 0, 0.0, from_="<sip:a@a>", to="<sip:b@b>", token="t"
    )
    world.settle()
    assert world.sent("alice") == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert world.now == 32.0
    assert alice.events == [Response("t", 408, None, "timeout")]


def test_options_goes_on_at_t2_after_a_provisional_answer() -> None:
    world = World()
    alice, bob = pair(world)
    bob.handle = lambda event: bob.endpoint.respond(event.transaction, 100, world.now)  # type: ignore
    alice.endpoint.send(
        "OPTIONS", "sip:bob", bob.address, 0, 0.0, from_="<sip:a@a>", to="<sip:b@b>", token="t"
    )
    world.settle()
    # E is set at 0; after the 100 it fires at 0.5 and from then on every T2 = 4 s.
    assert world.sent("alice") == [0, 0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
    assert world.now == 32.0


def test_a_refusal_is_resent_until_its_ack_and_given_up_after_timer_h() -> None:
    world = World()
    alice, bob = pair(world, ring_after=None, reject_with=486)
    world.between("alice", "bob", Link(drop=dropping("ACK")), Link())
    leg = alice.call("sip:100@bob", B)
    world.settle()
    assert world.sent("bob", "486") == [
        0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5
    ]  # fmt: skip
    assert world.sent("alice", "ACK") == world.sent("bob", "486")
    assert (leg.end, leg.code) == ("failed", 486)
    assert rest(alice, bob) == [0] * 6


def test_an_unacknowledged_200_is_resent_at_t1_to_t2_until_64_t1() -> None:
    world = World()
    alice, bob = pair(world, ring_after=None)
    alice.script.no_ack = True
    alice.call("sip:100@bob", B)
    world.advance(31.9)
    assert world.sent("bob", "200 INVITE") == [
        0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5
    ]  # fmt: skip
    assert bob.of(AckLost) == []
    world.advance(0.1)
    assert len(bob.of(AckLost)) == 1
    world.settle()
    assert world.sent("bob", "BYE") == [32.0]
    assert rest(alice, bob) == [0] * 6


LOST_ACK = """\
   0.000  alice -> bob  INVITE 1 +
   0.000  bob -> alice  100 INVITE 1
   0.000  bob -> alice  180 INVITE 1
   0.000  bob -> alice  200 INVITE 1 +
   0.000  alice -> bob  ACK 1  [lost]
   0.500  bob -> alice  200 INVITE 1 +
   0.500  alice -> bob  ACK 1  [lost]
   1.500  bob -> alice  200 INVITE 1 +
   1.500  alice -> bob  ACK 1
  10.000  alice -> bob  BYE 2
  10.000  bob -> alice  200 BYE 2
"""


def test_a_lost_ack_is_repeated_for_each_repeated_200() -> None:
    world = World()
    alice, bob = pair(world)
    world.between("alice", "bob", Link(drop=dropping("ACK", times=2)), Link())
    leg = alice.call("sip:100@bob", B)
    world.advance(10)
    alice.bye(leg)
    world.settle()
    assert world.text() == LOST_ACK
    acks = [entry.data for entry in world.ladder if entry.text.startswith("ACK")]
    assert acks[0] == acks[1] == acks[2]
    assert rest(alice, bob) == [0] * 6


LOST_200_OF_BYE = """\
   0.000  alice -> bob  BYE 2
   0.000  bob -> alice  200 BYE 2  [lost]
   0.500  alice -> bob  BYE 2
   0.500  bob -> alice  200 BYE 2  [lost]
   1.500  alice -> bob  BYE 2
   1.500  bob -> alice  200 BYE 2
"""


def test_a_lost_answer_to_bye_is_repeated_though_the_dialog_is_gone() -> None:
    world = World()
    alice, bob = pair(world)
    leg = alice.call("sip:100@bob", B)
    world.advance(0)
    count = len(world.ladder)
    world.between("bob", "alice", Link(drop=dropping("200 BYE", times=2)), Link())
    alice.bye(leg)
    assert bob.endpoint.dialogs == 1
    world.settle()
    assert world.text(since=count) == LOST_200_OF_BYE
    assert bob.legs[0].end == "bye received"
    assert rest(alice, bob) == [0] * 6


def test_a_long_ring_is_refreshed_every_minute_for_proxies() -> None:
    world = World()
    alice, _bob = pair(world, ring_after=1.0, answer_after=150.0)
    alice.call("sip:100@bob", B)
    world.advance(160)
    assert world.sent("bob", "180") == [1.0, 61.0, 121.0]


def test_wait_states_end_as_table_4_says() -> None:
    world = World()
    alice, bob = pair(world, bye_after=0.0)
    alice.call("sip:100@bob", B)
    world.advance(4.9)
    # alice: INVITE accepted (M 32 s), BYE served (J 32 s); bob: INVITE (L 32 s), BYE sent (K 5 s)
    assert (alice.endpoint.transactions, bob.endpoint.transactions) == (2, 2)
    world.advance(0.2)
    assert (alice.endpoint.transactions, bob.endpoint.transactions) == (2, 1)
    world.advance(26.8)
    assert (alice.endpoint.transactions, bob.endpoint.transactions) == (2, 1)
    world.advance(0.2)
    assert (alice.endpoint.transactions, bob.endpoint.transactions) == (0, 0)


def test_a_refused_next_hop_is_reported_with_the_next_pass() -> None:
    world = World()
    alice = Agent(world, "alice", A)
    for host in ("255.255.255.255", "224.0.1.75", "0.0.0.0", "::", "ff02::1", A[0]):
        leg = alice.call("sip:100@x", (host, 5060))
        world.advance(0)
        assert (leg.end, leg.code) == ("transport", 503)
    assert world.ladder == []
    assert alice.endpoint.blocked == 6
    assert [event.cause for event in alice.of(Failed)] == ["transport"] * 6
    assert rest(alice) == [0, 0, 0]


def test_the_socket_may_say_that_a_peer_cannot_be_reached() -> None:
    world = World()
    alice = Agent(world, "alice", A)
    near = alice.call("sip:100@x", B)
    far = alice.call("sip:100@x", ("10.0.0.3", 5060))
    for event in alice.endpoint.undeliverable(B, world.now):
        alice.handle(event)
    assert (near.end, near.code, far.end) == ("transport", 503, "")
