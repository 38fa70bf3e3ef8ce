# SPDX-License-Identifier: GPL-2.0-or-later
"""Reliable provisional answers (RFC 3262) on either leg, whole calls in virtual time."""

from __future__ import annotations

import pytest

from tests.engine.switchboard import ALICE, BOB, SWITCH, Switchboard
from tests.engine.timers import field, sent, times
from tests.sim.agents import Agent, Leg, sdp
from tests.sim.world import Link, dropping

REL = {"extensions": ("100rel",)}
DEMANDS = (("Require", "100rel"),)
CAN = (("Supported", "100rel"),)


def world(**parameters: str) -> tuple[Switchboard, Agent]:
    board = Switchboard(SS_MEDIAPROXYMODE="off", **parameters)
    return board, board.agent("alice", ALICE, endpoint=REL)


def call(board: Switchboard, alice: Agent, headers: tuple[tuple[str, str], ...]) -> Leg:
    leg = alice.call("sip:200@10.0.0.1", SWITCH, headers=headers)
    board.world.advance(1)
    return leg


@pytest.mark.parametrize(
    ("policy", "headers", "reliable"),
    [
        ("required", (), []), ("required", CAN, []), ("required", DEMANDS, [180, 183]),
        ("media", (), []), ("media", CAN, [183]), ("media", DEMANDS, [180, 183]),
    ],
)  # fmt: skip
def test_which_answers_are_sent_reliably(
    policy: str, headers: tuple[tuple[str, str], ...], reliable: list[int]
) -> None:
    """3: MUST where the caller requires it, MUST NOT where it does not know it."""
    board, alice = world(SS_SIP_100REL_ACCEPT=policy)
    board.agent("bob", BOB, ring_after=0.1, progress_after=0.3, answer_after=0.6)
    leg = call(board, alice, headers)
    rung = [*sent(board, "switch", "alice", "180"), *sent(board, "switch", "alice", "183")]
    numbered = [entry for entry in rung if field(entry.data, "RSeq")]
    assert [int(entry.text.split()[0]) for entry in numbered] == reliable
    assert all(field(entry.data, "Require") == "100rel" for entry in numbered)
    pracks = sent(board, "alice", "switch", "PRACK")
    assert [field(entry.data, "RAck") for entry in pracks] == [
        f"{field(entry.data, 'RSeq')} 1 INVITE" for entry in numbered
    ]
    assert len(sent(board, "switch", "alice", "200 PRACK")) == len(reliable)
    assert (leg.heard, leg.answered_at) == ([180, 183], pytest.approx(0.6, abs=0.01))
    alice.bye(leg)
    board.world.advance(40)
    assert board.empty()


def test_an_answer_without_prack_is_repeated_and_what_follows_waits() -> None:
    """3: T1 doubling; no 2xx overtakes a description that is not acknowledged."""
    board, alice = world()
    board.agent("bob", BOB, ring_after=None, progress_after=0.0, answer_after=0.2)
    board.world.between("alice", "switch", Link(drop=dropping("PRACK", times=3)), Link())
    leg = call(board, alice, DEMANDS)
    # alice repeats her PRACK after 0.5, 1.5, 3.5 s; the third repetition arrives
    board.world.advance(4)
    rung = [round(entry.at, 1) for entry in sent(board, "switch", "alice", "183")]
    assert rung == [0.0, 0.5, 1.5, 3.5]
    assert leg.heard == [183]
    assert leg.answered_at == pytest.approx(3.5, abs=0.01)
    alice.bye(leg)
    board.world.advance(40)
    assert board.empty()


def test_a_ring_back_without_description_does_not_hold_up_the_answer() -> None:
    board, alice = world()
    board.agent("bob", BOB, ring_after=0.0, answer_after=0.2)
    board.world.between("alice", "switch", Link(drop=dropping("PRACK", times=1)), Link())
    leg = call(board, alice, DEMANDS)
    assert leg.answered_at == pytest.approx(0.2, abs=0.01)
    # the PRACK that comes after the 2xx is still right
    assert len(sent(board, "switch", "alice", "200 PRACK")) == 1
    assert sent(board, "switch", "alice", "481") == []


def test_a_caller_that_never_acknowledges_is_refused_after_64_t1() -> None:
    """3: a 5xx, and leg b is cancelled."""
    board, alice = world()
    bob = board.agent("bob", BOB, ring_after=0.0, answer_after=None)
    board.world.between("alice", "switch", Link(drop=dropping("PRACK")), Link())
    leg = call(board, alice, DEMANDS)
    board.world.advance(40)
    assert (leg.end, leg.code, leg.ended_at) == ("failed", 504, 32.0)
    assert bob.legs[0].end == "cancelled"
    (record,) = board.shelf.records
    assert (record.end_reason, record.answered_at, record.sip_code) == ("ack_timeout", None, 504)
    board.world.advance(40)
    assert board.empty()


def test_a_prack_for_nothing_gets_481() -> None:
    board, alice = world()
    board.agent("bob", BOB, ring_after=0.0, answer_after=None)
    leg = call(board, alice, ())
    alice.request(leg, "PRACK", headers=(("RAck", "1 1 INVITE"),))
    board.world.advance(1)
    assert len(sent(board, "switch", "alice", "481 PRACK")) == 1
    board.world.advance(300)


def test_the_callers_cancel_ends_a_reliable_ringing() -> None:
    board, alice = world()
    bob = board.agent("bob", BOB, ring_after=0.0, answer_after=None)
    board.world.between("alice", "switch", Link(drop=dropping("PRACK")), Link())
    leg = call(board, alice, DEMANDS)
    alice.cancel(leg)
    board.world.advance(80)
    assert (leg.end, leg.code, bob.legs[0].end) == ("failed", 487, "cancelled")
    assert board.empty()


@pytest.mark.parametrize("offer", ["on", "off"])
def test_a_vendor_is_offered_and_its_answers_acknowledged(offer: str) -> None:
    """4: each once, in order; RAck names RSeq, CSeq and method."""
    board, alice = world(SS_SIP_100REL_OFFER=offer)
    board.agent("bob", BOB, ring_after=0.1, progress_after=0.3, answer_after=0.6,
                reliable=True, endpoint=REL)  # fmt: skip
    leg = call(board, alice, ())
    (invite,) = sent(board, "switch", "bob", "INVITE")
    assert ("100rel" in (field(invite.data, "Supported") or "")) == (offer == "on")
    numbers = [field(entry.data, "RSeq") for entry in sent(board, "bob", "switch", "18")]
    assert [field(entry.data, "RAck") for entry in sent(board, "switch", "bob", "PRACK")] == [
        f"{number} 1 INVITE" for number in numbers
    ]
    assert [int(field(e.data, "CSeq").split()[0])  # type: ignore[union-attr]
            for e in sent(board, "switch", "bob", "PRACK")] == [2, 3]  # fmt: skip
    # the caller asked for nothing: it gets them as ever
    assert (leg.heard, leg.answered_at) == ([180, 183], pytest.approx(0.6, abs=0.01))
    assert all(field(e.data, "RSeq") is None for e in sent(board, "switch", "alice", "18"))
    alice.bye(leg)
    board.world.advance(40)
    assert board.empty()


def test_a_repeated_reliable_answer_is_acknowledged_once_and_rings_once() -> None:
    board, alice = world()
    board.agent("bob", BOB, ring_after=0.0, answer_after=3.0, reliable=True, endpoint=REL)
    board.world.between("switch", "bob", Link(drop=dropping("PRACK", times=1)), Link())
    leg = call(board, alice, ())
    board.world.advance(5)
    assert len(times(sent(board, "bob", "switch", "180"))) == 1
    assert len(times(sent(board, "switch", "bob", "PRACK"))) == 1
    assert leg.heard == [180]
    assert leg.answered_at == pytest.approx(3.0, abs=0.01)


def test_an_answer_out_of_order_is_neither_acknowledged_nor_passed_on() -> None:
    """4: RSeq must be one higher than the last."""
    board, alice = world()
    bob = board.agent("bob", BOB, ring_after=0.0, answer_after=None, reliable=True, endpoint=REL)
    leg = call(board, alice, ())
    dialog = bob.legs[0].dialog
    assert dialog.reliable is not None
    dialog.reliable.number += 1
    bob.endpoint.ring(dialog, 183, board.world.now, body=sdp(BOB), reliable=True)
    board.world.advance(1)
    assert len(times(sent(board, "switch", "bob", "PRACK"))) == 1
    assert leg.heard == [180]
