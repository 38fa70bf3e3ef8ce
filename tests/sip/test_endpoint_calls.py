# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole calls between two endpoints, their ladders compared entire."""

from __future__ import annotations

import pytest

from tests.sim.agents import Agent
from tests.sim.world import Link, World, dropping
from tests.sip.test_endpoint_timers import A6, B6, A, B, pair, rest
from vosd.sip.events import (
    Acked,
    Cancelled,
    Ended,
    ReinviteAnswered,
    Reinvited,
    ReinviteFailed,
    Trying,
)

CALL = """\
   0.000  alice -> bob  INVITE 1 +
   0.010  bob -> alice  100 INVITE 1
   0.110  bob -> alice  180 INVITE 1
   0.510  bob -> alice  183 INVITE 1 +
   1.010  bob -> alice  200 INVITE 1 +
   1.020  alice -> bob  ACK 1
   3.000  alice -> bob  INVITE 2 +
   3.010  bob -> alice  100 INVITE 2
   3.010  bob -> alice  200 INVITE 2 +
   3.020  alice -> bob  ACK 2
   4.000  bob -> alice  INVITE 1 +
   4.010  alice -> bob  100 INVITE 1
   4.010  alice -> bob  200 INVITE 1 +
   4.020  bob -> alice  ACK 1
   5.000  bob -> alice  BYE 2
   5.010  alice -> bob  200 BYE 2
"""


@pytest.mark.parametrize("v6", [False, True])
def test_call_with_hold_resume_and_bye(v6: bool) -> None:
    world = World(link=Link(delay=0.01))
    alice, bob = pair(world, v6=v6, ring_after=0.1, progress_after=0.5, answer_after=1.0)
    leg = alice.call("sip:100@bob", bob.address)
    world.advance(3)
    alice.hold(leg)
    world.advance(1)
    bob.resume(bob.legs[0])
    world.advance(1)
    bob.bye(bob.legs[0])
    world.settle()
    assert world.text() == CALL
    assert leg.heard == [180, 183]
    assert (leg.end, bob.legs[0].end) == ("bye received", "bye sent")
    assert [len(alice.of(kind)) for kind in (Trying, ReinviteAnswered, Reinvited, Ended)] == [1] * 4
    assert [len(bob.of(kind)) for kind in (Acked, ReinviteAnswered, Reinvited)] == [2, 1, 1]
    assert rest(alice, bob) == [0] * 6


CANCEL_BEFORE_PROVISIONAL = """\
   0.000  alice -> bob  INVITE 1 +  [lost]
   0.500  alice -> bob  INVITE 1 +
   0.500  bob -> alice  100 INVITE 1
   0.500  alice -> bob  CANCEL 1
   0.500  bob -> alice  200 CANCEL 1
   0.500  bob -> alice  487 INVITE 1
   0.500  alice -> bob  ACK 1
"""


def test_cancel_waits_for_a_provisional_answer() -> None:
    """RFC 3261 9.1."""
    world = World()
    alice, bob = pair(world, ring_after=None, answer_after=5.0)
    world.between("alice", "bob", Link(drop=dropping("INVITE", times=1)), Link())
    leg = alice.call("sip:100@bob", B)
    alice.cancel(leg)
    world.settle()
    assert world.text() == CANCEL_BEFORE_PROVISIONAL
    assert (leg.end, leg.code) == ("failed", 487)
    assert bob.legs[0].end == "cancelled"
    assert rest(alice, bob) == [0] * 6


def test_cancel_and_its_answers_are_resent() -> None:
    world = World()
    alice, bob = pair(world, answer_after=None)
    world.between(
        "alice", "bob",
        Link(drop=dropping("CANCEL", times=2)), Link(drop=dropping("200 CANCEL", times=1)),
    )  # fmt: skip
    leg = alice.call("sip:100@bob", B)
    world.advance(1)
    alice.cancel(leg)
    alice.cancel(leg)
    world.settle()
    assert world.sent("alice", "CANCEL") == [1.0, 1.5, 2.5, 4.5]
    assert len(bob.of(Cancelled)) == 1
    assert (leg.end, leg.code, leg.ended_at) == ("failed", 487, 2.5)
    assert rest(alice, bob) == [0] * 6


def test_a_cancelled_invite_without_final_answer_ends_after_64_t1() -> None:
    """RFC 3261 9.1, last paragraph."""
    world = World()
    alice, bob = pair(world, answer_after=None)
    leg = alice.call("sip:100@bob", B)
    world.advance(1)
    bob.script.silent = True
    alice.cancel(leg)
    world.advance(40)
    assert (leg.end, leg.code, leg.ended_at) == ("timeout", 408, 33.0)
    assert rest(alice) == [0, 0, 0]


CROSSING = """\
   0.000  alice -> bob  INVITE 1 +
   0.100  bob -> alice  100 INVITE 1
   0.100  bob -> alice  180 INVITE 1
   0.950  alice -> bob  CANCEL 1
   1.000  bob -> alice  200 INVITE 1 +
   1.050  bob -> alice  200 CANCEL 1
   1.100  alice -> bob  ACK 1
   1.100  alice -> bob  BYE 2
   1.200  bob -> alice  200 BYE 2
"""


def test_a_200_that_crosses_cancel_is_acknowledged_and_ended() -> None:
    world = World(link=Link(delay=0.1))
    alice, bob = pair(world, answer_after=0.9)
    leg = alice.call("sip:100@bob", B)
    world.advance(0.95)
    alice.cancel(leg)
    world.settle()
    assert world.text() == CROSSING
    assert (leg.end, leg.code) == ("failed", 487)
    assert bob.legs[0].end == "bye received"
    assert rest(alice, bob) == [0] * 6


CROSSING_BYES = """\
   5.000  alice -> bob  BYE 2
   5.000  bob -> alice  BYE 1
   5.100  bob -> alice  200 BYE 2
   5.100  alice -> bob  200 BYE 1
"""


def test_crossing_byes_are_both_answered_200() -> None:
    world = World(link=Link(delay=0.1))
    alice, bob = pair(world)
    leg = alice.call("sip:100@bob", B)
    world.advance(5)
    count = len(world.ladder)
    alice.bye(leg)
    bob.bye(bob.legs[0])
    world.settle()
    assert world.text(since=count) == CROSSING_BYES
    assert alice.of(Ended) == bob.of(Ended) == []
    assert rest(alice, bob) == [0] * 6


GLARE = """\
   5.000  alice -> bob  INVITE 2 +
   5.000  bob -> alice  INVITE 1 +
   5.100  bob -> alice  491 INVITE 2
   5.100  alice -> bob  491 INVITE 1
   5.200  alice -> bob  ACK 2
   5.200  bob -> alice  ACK 1
"""


def test_crossing_reinvites_are_both_refused_491() -> None:
    """RFC 3261 14.2."""
    world = World(link=Link(delay=0.1))
    alice, bob = pair(world)
    leg = alice.call("sip:100@bob", B)
    world.advance(5)
    count = len(world.ladder)
    alice.hold(leg)
    bob.hold(bob.legs[0])
    world.advance(2)
    assert world.text(since=count) == GLARE
    assert [e.code for a in (alice, bob) for e in a.of(ReinviteFailed)] == [491, 491]
    alice.hold(leg)
    world.advance(2)
    assert len(alice.of(ReinviteAnswered)) == 1
    alice.bye(leg)
    world.settle()
    assert rest(alice, bob) == [0] * 6


def test_our_second_reinvite_fails_491_without_being_sent() -> None:
    world = World(link=Link(delay=0.1))
    alice, _bob = pair(world)
    leg = alice.call("sip:100@bob", B)
    world.advance(5)
    alice.hold(leg)
    alice.resume(leg)
    world.advance(2)
    assert [event.code for event in alice.of(ReinviteFailed)] == [491]
    assert len(alice.of(ReinviteAnswered)) == 1
    assert world.sent("alice", "INVITE") == [0, 5.0]


@pytest.mark.parametrize("code", [408, 481, 488, 603])
def test_a_refused_reinvite_is_reported_with_its_code(code: int) -> None:
    world = World()
    alice, _bob = pair(world, reinvite_code=code)
    leg = alice.call("sip:100@bob", B)
    world.advance(1)
    alice.hold(leg)
    world.advance(1)
    (event,) = alice.of(ReinviteFailed)
    assert (event.code, event.cause, event.dialog) == (code, "response", leg.dialog)
    assert leg.end == ("bye sent" if code in (408, 481) else "")


def test_a_reinvite_nobody_answers_fails_408_and_the_dialog_stands() -> None:
    world = World()
    alice, bob = pair(world)
    leg = alice.call("sip:100@bob", B)
    world.advance(1)
    bob.script.silent = True
    alice.handle = alice.events.append  # type: ignore[method-assign, assignment]
    alice.hold(leg)
    world.advance(33)
    (event,) = alice.of(ReinviteFailed)
    assert (event.code, event.message, event.cause) == (408, None, "timeout")
    assert (leg.dialog.state, alice.endpoint.dialogs) == ("confirmed", 1)


BYE_BEFORE_ACK = """\
   0.000  alice -> bob  INVITE 1 +
   0.000  bob -> alice  100 INVITE 1
   0.000  bob -> alice  180 INVITE 1
   0.000  bob -> alice  200 INVITE 1 +
   0.000  alice -> bob  ACK 1  [lost]
   0.500  bob -> alice  200 INVITE 1 +
   0.500  alice -> bob  ACK 1
   0.500  bob -> alice  BYE 1
   0.500  alice -> bob  200 BYE 1
"""


def test_the_called_side_says_bye_after_the_ack_only() -> None:
    """RFC 3261 15."""
    world = World()
    alice, bob = pair(world)
    world.between("alice", "bob", Link(drop=dropping("ACK", times=1)), Link())
    alice.call("sip:100@bob", B)
    world.at(0.1, lambda: bob.bye(bob.legs[0]))
    world.settle()
    assert world.text() == BYE_BEFORE_ACK
    assert bob.of(Acked) == []
    assert rest(alice, bob) == [0] * 6


def test_reordering_link_does_not_hurt_a_call() -> None:
    world = World(7, link=Link(delay=0.01, swap=0.5, jitter=0.4))
    alice, bob = pair(world, ring_after=0.05, answer_after=0.1)
    for _ in range(50):
        leg = alice.call("sip:100@bob", B)
        world.advance(3)
        alice.bye(leg)
    world.settle()
    assert {leg.end for leg in alice.legs} == {"bye sent"}
    assert {leg.end for leg in bob.legs} == {"bye received"}
    assert rest(alice, bob) == [0] * 6


AGREED = {
    ("bye sent", "bye received"),
    ("failed", "cancelled"),
    # the CANCEL came too late: 200, ACK, BYE, and 487 for the caller's owner
    ("failed", "bye received"),
    # no ACK arrived in 32 s, so the called side said BYE
    ("bye received", "ack lost"),
}


@pytest.mark.parametrize(("one", "two"), [(A, B), (A6, B6)])
@pytest.mark.parametrize("seed", range(3))
def test_30_percent_loss_leaves_both_sides_of_one_mind(
    one: tuple[str, int], two: tuple[str, int], seed: int
) -> None:
    """200 calls: whoever ends them, both ends agree how, and nothing stays behind."""
    world = World(seed, link=Link(delay=0.02, loss=0.3, swap=0.2))
    alice = Agent(world, "alice", one)
    bob = Agent(world, "bob", two, ring_after=0.5, answer_after=2.0)
    for number in range(200):
        leg = alice.call("sip:100@bob", bob.address)
        if number % 4 == 1:
            world.after(1.0, lambda leg=leg: alice.cancel(leg))  # type: ignore[misc]
        else:
            world.after(60.0, lambda leg=leg: alice.bye(leg))  # type: ignore[misc]
        world.advance(0.25)
    world.settle()
    assert len(bob.legs) == len(alice.legs) == 200
    theirs = {leg.dialog.call_id: leg for leg in bob.legs}
    for leg in alice.legs:
        assert (leg.end, theirs[leg.dialog.call_id].end) in AGREED, leg.dialog.call_id
    assert rest(alice, bob) == [0] * 6
