# SPDX-License-Identifier: GPL-2.0-or-later
"""UPDATE (RFC 3311) through the whole switch, in early and confirmed dialogs."""

from __future__ import annotations

import pytest

from tests.engine.switchboard import ALICE, BOB, SWITCH, Switchboard
from tests.engine.timers import field, sent, switchboard
from tests.sim.agents import Agent, Leg, sdp
from vosd.sip.events import Reinvited, Response

HOLD = sdp(ALICE, direction="sendonly")


def connected(board: Switchboard, **bob: object) -> tuple[Agent, Agent, Leg]:
    alice = board.agent("alice", ALICE)
    called = board.agent("bob", BOB, **{"answer_after": 0.0, **bob})
    leg = alice.call("sip:200@10.0.0.1", SWITCH)
    board.world.advance(1)
    return alice, called, leg


def outcome(agent: Agent) -> list[int]:
    return [event.code for event in agent.of(Response)]


def test_allow_lists_update() -> None:
    """STM-18: what we can is in INVITE, 2xx and 405."""
    board = switchboard()
    alice, _, leg = connected(board)
    alice.request(leg, "MESSAGE")
    board.world.advance(1)
    for peer, start in (("bob", "INVITE"), ("alice", "200 INVITE"), ("alice", "405")):
        (entry,) = sent(board, "switch", peer, start)
        assert "UPDATE" in (field(entry.data, "Allow") or "").split(", ")


def test_an_offer_in_update_reaches_the_other_side_as_reinvite() -> None:
    board = switchboard(SS_MEDIAPROXYMODE="must_on")
    alice, bob, leg = connected(board)
    alice.request(leg, "UPDATE", body=HOLD)
    board.world.advance(1)
    assert [b"a=sendonly" in event.message.body for event in bob.of(Reinvited)] == [True]
    (answer,) = alice.of(Response)
    assert answer.code == 200
    # bob's recvonly, with the switch's address, under the type SDP has
    assert b"a=recvonly" in answer.message.body
    assert b"IN IP4 10.0.0.1" in answer.message.body
    assert answer.message.get("content-type") == "application/sdp"
    (live,) = board.switch.calls
    assert not live.busy


@pytest.mark.parametrize("code", [488, 491, 603])
def test_a_refused_offer_changes_nothing(code: int) -> None:
    board = switchboard(SS_MEDIAPROXYMODE="must_on")
    alice, _, leg = connected(board, reinvite_code=code)
    (live,) = board.switch.calls
    before = live.standing()
    alice.request(leg, "UPDATE", body=HOLD)
    board.world.advance(1)
    assert outcome(alice) == [code]
    assert live.standing() == before
    assert len(board.switch.calls) == 1


def test_an_update_without_offer_is_answered_here() -> None:
    """RFC 4028 7.4."""
    board = switchboard()
    alice, bob, leg = connected(board)
    alice.request(leg, "UPDATE")
    board.world.advance(1)
    assert (outcome(alice), bob.of(Reinvited)) == ([200], [])


def test_a_second_offer_before_the_first_is_answered_gets_500() -> None:
    """RFC 3311 5.2: Retry-After of 0 to 10 s."""
    board = switchboard()
    alice, _, leg = connected(board, reinvite_code=0)
    alice.request(leg, "UPDATE", body=HOLD)
    alice.request(leg, "UPDATE", body=HOLD)
    board.world.advance(1)
    (answer,) = alice.of(Response)
    assert answer.code == 500
    assert 0 <= answer.message.number("retry-after") <= 10


def test_an_offer_that_crosses_the_other_sides_gets_491() -> None:
    """RFC 3311 5.2: bob has an offer of alice's before him."""
    board = switchboard()
    alice, bob, leg = connected(board, reinvite_code=0)
    alice.hold(leg)
    board.world.advance(1)
    bob.request(bob.legs[0], "UPDATE", body=sdp(BOB))
    board.world.advance(1)
    assert outcome(bob) == [491]


def test_in_early_dialogs_only_updates_without_offer_are_taken() -> None:
    """RFC 3311 5.2: the INVITE's offer has no answer yet: 500 to who made it, 491 to the other."""
    board = switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, ring_after=0.0, answer_after=5.0)
    leg = alice.call("sip:200@10.0.0.1", SWITCH)
    board.world.advance(1)
    alice.request(leg, "UPDATE")
    alice.request(leg, "UPDATE", body=HOLD)
    bob.request(bob.legs[0], "UPDATE")
    bob.request(bob.legs[0], "UPDATE", body=sdp(BOB))
    board.world.advance(1)
    assert (outcome(alice), outcome(bob)) == ([200, 500], [200, 491])
    board.world.advance(5)
    assert leg.answered_at is not None
