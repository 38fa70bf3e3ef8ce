# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole calls through the engine in virtual time; ladders compared with files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engine.switchboard import ALICE, BOB, CAROL, EPOCH, SWITCH, Switchboard
from tests.sim.agents import Agent, Leg
from tests.sim.world import Link
from vosd.engine import evidence as stored
from vosd.sip.events import ReinviteFailed
from vosd.wire.records import CallView, Cdr

LADDERS = Path(__file__).parent.parent / "data" / "ladders"


def call(board: Switchboard, alice: Agent, number: str = "200") -> Leg:
    return alice.call(f"sip:{number}@10.0.0.1", SWITCH, from_="<sip:100@10.0.0.2>")


def record(board: Switchboard) -> Cdr:
    assert len(board.shelf.records) == 1
    return board.shelf.records[0]


def evidence(board: Switchboard) -> CallView:
    return stored.read(board.shelf.evidence[record(board).id])


def same_ladder(board: Switchboard, name: str) -> None:
    """Compare the world's ladder with a file; VOSD_LADDERS=write writes it."""
    path = LADDERS / f"{name}.txt"
    text = "\n".join(str(entry) for entry in board.world.ladder) + "\n"
    if os.environ.get("VOSD_LADDERS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def test_a_call_is_answered_and_ended_by_the_caller() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, ring_after=0.1, answer_after=1.0)
    leg = call(board, alice)
    board.world.advance(10)
    alice.bye(leg)
    board.world.advance(40)
    same_ladder(board, "answered")
    row = record(board)
    assert (row.caller, row.callee, row.mapping, row.routing) == ("100", "200", "carrier", "vendor")
    # answered at 1.0 s by bob's 200, ended at 10 s by alice's BYE
    assert (row.answered_at, row.ended_at, row.duration_s) == (EPOCH + 1.0, EPOCH + 10.0, 9.0)
    assert (row.end_reason, row.ended_by, row.q850, row.state) == (
        "caller_hangup", "caller", 16, "closed",
    )
    assert board.empty()


def test_the_answer_waits_for_the_record() -> None:
    """Nobody is told of an answer before its row is on disk."""
    board = Switchboard()
    board.shelf.commit_s = 3.0
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    leg = call(board, alice)
    board.world.advance(2.9)
    assert leg.answered_at is None
    assert bob.legs[0].answered_at is None
    board.world.advance(0.2)
    assert leg.answered_at == 3.0
    assert bob.legs[0].answered_at is not None


def test_a_record_that_cannot_be_written_refuses_the_call() -> None:
    board = Switchboard()
    board.shelf.failing = "disk full"
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    leg = call(board, alice)
    board.world.advance(40)
    assert (leg.end, leg.code) == ("failed", 503)
    assert bob.legs[0].end == "bye received"
    assert record(board).end_reason == "record_unavailable"
    assert record(board).answered_at is None
    assert board.empty()


def test_new_calls_get_503_while_no_record_can_be_written() -> None:
    board = Switchboard()
    board.shelf.accepting = False
    alice = board.agent("alice", ALICE)
    leg = call(board, alice)
    board.world.advance(1)
    assert (leg.end, leg.code) == ("failed", 503)
    assert b"Retry-After: " in board.world.ladder[-2].data or any(
        b"Retry-After: " in entry.data for entry in board.world.ladder
    )


def test_the_caller_cancels_while_it_rings() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=None)
    leg = call(board, alice)
    board.world.advance(5)
    alice.cancel(leg)
    board.world.advance(40)
    same_ladder(board, "cancelled")
    assert bob.legs[0].end == "cancelled"
    assert (record(board).end_reason, record(board).sip_code) == ("cancelled", 487)
    assert board.empty()


def test_a_busy_callee_stops_the_hunt() -> None:
    board = Switchboard()
    board.gateway("second", CAROL, priority=5)
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, reject_with=486)
    carol = board.agent("carol", CAROL)
    leg = call(board, alice)
    board.world.advance(40)
    assert (leg.end, leg.code) == ("failed", 486)
    assert carol.legs == []
    assert (record(board).end_reason, record(board).q850) == ("busy", 17)
    assert board.empty()


def test_the_next_route_is_taken_on_failure() -> None:
    board = Switchboard()
    board.gateway("second", CAROL, priority=5)
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, ring_after=None, reject_with=503)
    board.agent("carol", CAROL, answer_after=0.5)
    leg = call(board, alice)
    board.world.advance(5)
    alice.bye(leg)
    board.world.advance(40)
    same_ladder(board, "next-route")
    view = evidence(board)
    assert view.routing == "second"
    assert [(a.party, a.code, a.reason) for a in view.attempts] == [("vendor", 503, "congestion")]
    assert board.empty()


def test_a_silent_vendor_gives_way_after_the_invite_time_out() -> None:
    """SS_SIP_TIMEOUT_INVITE: 10 s without any answer, then the next route."""
    board = Switchboard()
    board.gateway("second", CAROL, priority=5)
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, silent=True)
    board.agent("carol", CAROL, answer_after=0.0)
    leg = call(board, alice)
    board.world.advance(9.9)
    assert leg.answered_at is None
    board.world.advance(0.2)
    assert leg.answered_at is not None
    assert board.switch.health.state("vendor")[0] is not True


def test_a_longer_prefix_wins_over_priority() -> None:
    board = Switchboard()
    board.gateway("vendor", BOB, priority=0)
    board.gateway("exact", CAROL, priority=9, prefixes=("20",))
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB)
    carol = board.agent("carol", CAROL)
    call(board, alice)
    board.world.advance(1)
    assert (len(bob.legs), len(carol.legs)) == (0, 1)


@pytest.mark.parametrize("blocked", ["100", "200"])
def test_a_listed_number_is_refused_either_side(blocked: str) -> None:
    board = Switchboard()
    board.block(blocked)
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB)
    leg = call(board, alice)
    board.world.advance(5)
    assert (leg.end, leg.code, bob.legs) == ("failed", 403, [])
    assert record(board).end_reason == "blacklist"


def test_a_number_nobody_serves() -> None:
    board = Switchboard()
    board.gateway("vendor", BOB, prefixes=("7",))
    alice = board.agent("alice", ALICE)
    leg = call(board, alice)
    board.world.advance(5)
    assert (leg.code, record(board).end_reason) == (404, "route_not_found")


def test_a_stranger_is_challenged() -> None:
    board = Switchboard()
    mallory = board.agent("mallory", ("10.0.0.66", 5060))
    leg = call(board, mallory)
    board.world.advance(5)
    assert leg.code == 401
    assert board.shelf.records == []


def test_ip_port_authentication_tells_neighbours_apart() -> None:
    board = Switchboard()
    board.gateway("carrier", ALICE, kind="mapping", auth="ip_port")
    board.agent("bob", BOB)
    alice = board.agent("alice", ALICE)
    neighbour = board.agent("neighbour", (ALICE[0], 5999))
    assert call(board, alice).code == 0
    leg = call(board, neighbour)
    board.world.advance(3)
    assert leg.code == 401
    assert len(board.switch.calls) == 1


def test_a_lost_ack_ends_the_call_after_32_seconds() -> None:
    """D18: 64*T1 after the 200 (RFC 3261 13.3.1.4), with a reason of its own."""
    board = Switchboard()
    alice = board.agent("alice", ALICE, no_ack=True)
    bob = board.agent("bob", BOB, answer_after=0.0)
    call(board, alice)
    board.world.advance(31.9)
    assert len(board.switch.calls) == 1
    board.world.advance(0.2)
    assert len(board.switch.calls) == 0
    assert bob.legs[0].end == "bye received"
    assert (record(board).end_reason, round(record(board).duration_s)) == ("ack_timeout", 32)


def test_hold_and_resume_pass_through() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    leg = call(board, alice)
    board.world.advance(2)
    alice.hold(leg)
    board.world.advance(1)
    held = next(board.switch.calls.views())
    assert [(side.direction, side.on_hold) for side in held.legs] == [
        ("sendonly", True), ("recvonly", False),
    ]
    alice.resume(leg)
    board.world.advance(1)
    same_ladder(board, "hold-resume")
    assert b"a=sendonly" in bob.legs[0].bodies[0]
    assert b"a=sendrecv" in bob.legs[0].bodies[1]
    # the switch's address, never alice's, and o= with a growing version (RFC 3264 8)
    assert all(b"c=IN IP4 10.0.0.1" in body for body in bob.legs[0].bodies)
    versions = [body.split(b"o=")[1].split()[2] for body in bob.legs[0].bodies]
    assert versions == [b"1", b"2"]


def test_a_refused_reinvite_leaves_the_call_as_it_was() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0, reinvite_code=488)
    leg = call(board, alice)
    board.world.advance(2)
    alice.hold(leg)
    board.world.advance(2)
    assert [e.code for e in alice.of(type(alice.events[-1]))][-1] == 488
    assert len(board.switch.calls) == 1
    assert next(board.switch.calls.views()).legs[0].on_hold is False


def test_a_cancelled_reinvite_leaves_the_call_as_it_was() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0, reinvite_code=0)
    leg = call(board, alice)
    board.world.advance(2)
    alice.hold(leg)
    board.world.advance(1)
    # our own endpoint never cancels a re-INVITE, others do
    sent = "alice -> switch  INVITE 2 +"
    (invite,) = [e.data for e in board.world.ladder if str(e).endswith(sent)]
    head = invite.partition(b"\r\n\r\n")[0].split(b"\r\n")
    keep = (b"via", b"from", b"to:", b"call-id", b"max-forwards")
    lines = [head[0].replace(b"INVITE", b"CANCEL"), b"CSeq: 2 CANCEL", b"Content-Length: 0"]
    lines += [line for line in head if line.lower().startswith(keep)]
    board.switch.receive(b"\r\n".join(lines) + b"\r\n\r\n", ALICE, 0, board.world.now)
    board.world.advance(5)
    assert [e.code for e in alice.of(ReinviteFailed)] == [487]
    assert (leg.end, bob.legs[0].end) == ("", "")
    assert next(board.switch.calls.views()).legs[0].on_hold is False
    alice.bye(leg)
    board.world.advance(60)
    assert bob.legs[0].end == "bye received"
    assert board.empty()


def test_both_sides_reinvite_at_once() -> None:
    """Glare across the switch: each side hears 491 for one of the two (RFC 3261 14.1)."""
    board = Switchboard()
    board.world.link = Link(delay=0.05)
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    leg = call(board, alice)
    board.world.advance(2)
    alice.hold(leg)
    bob.hold(bob.legs[0])
    board.world.advance(5)
    assert (leg.end, bob.legs[0].end) == ("", "")
    codes = [e.code for a in (alice, bob) for e in a.of(ReinviteFailed)]
    assert 491 in codes
    alice.bye(leg)
    board.world.advance(60)
    assert board.empty()


def test_the_offer_in_the_answer_comes_back_in_the_ack() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    leg = alice.call("sip:200@10.0.0.1", SWITCH, body=False, from_="<sip:100@10.0.0.2>")
    board.world.advance(2)
    assert leg.answered_at is not None
    assert bob.legs[0].answered_at is not None
    assert b"c=IN IP4 10.0.0.1" in leg.bodies[0]


def test_calls_survive_a_lossy_network() -> None:
    """30 % loss each way: every call ends the same on all three sides, nothing is left over."""
    board = Switchboard(seed=7)
    board.world.link = Link(delay=0.02, loss=0.3, swap=0.2)
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, ring_after=0.2, answer_after=1.0)
    legs = []
    for _ in range(100):
        leg = call(board, alice)
        legs.append(leg)
        board.world.after(20.0, lambda leg=leg: alice.bye(leg))  # type: ignore[misc]
        board.world.advance(0.5)
    board.world.advance(200)
    assert board.empty()
    answered = [leg for leg in legs if leg.answered_at is not None]
    rows = [row for row in board.shelf.records if row.answered_at is not None]
    assert len(answered) > 60
    assert len(rows) >= len(answered)
    assert board.shelf.open == {}
    assert all(leg.end for leg in bob.legs)


def test_the_operator_hangs_up() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    leg = call(board, alice)
    board.world.advance(2)
    assert board.switch.hangup(next(board.switch.calls.views()).id)
    board.world.advance(2)
    assert (leg.end, bob.legs[0].end) == ("bye received", "bye received")
    assert (record(board).end_reason, record(board).ended_by) == ("forced", "operator")


def test_draining_refuses_new_calls_and_keeps_live_ones() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    first = call(board, alice)
    board.world.advance(2)
    board.switch.calls.refusing = "draining"
    second = call(board, alice)
    board.world.advance(2)
    assert (second.end, second.code) == ("failed", 503)
    assert first.end == ""
    alice.bye(first)
    board.world.advance(40)
    assert board.empty()


def test_the_heart_beat_of_open_calls() -> None:
    """An open row is proven alive each 30 s."""
    board = Switchboard(SS_MEDIAPROXYMODE="off")
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    call(board, alice)
    board.world.advance(95)
    (row,) = board.shelf.open.values()
    assert row.alive_at is not None
    assert 65 <= row.alive_at - EPOCH <= 95


def test_silence_ends_the_call_after_the_rtp_time_out() -> None:
    """MP-10: SS_RTP_TIMEOUT 30 s without RTP from a side that should send."""
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    call(board, alice)
    board.world.advance(40)
    row = record(board)
    assert row.end_reason == "media_timeout"
    assert 30 <= row.duration_s <= 32


def test_capacity_of_the_customer() -> None:
    board = Switchboard()
    board.gateway("carrier", ALICE, kind="mapping", capacity=1)
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    first = call(board, alice)
    board.world.advance(1)
    second = call(board, alice)
    board.world.advance(1)
    assert (second.code, first.end) == (503, "")
    alice.bye(first)
    board.world.advance(1)
    third = call(board, alice)
    board.world.advance(1)
    assert third.answered_at is not None


def test_a_disabled_customer_is_refused_and_recorded() -> None:
    board = Switchboard()
    board.gateway("carrier", ALICE, kind="mapping", enabled=False)
    alice = board.agent("alice", ALICE)
    leg = call(board, alice)
    board.world.advance(2)
    assert (leg.code, record(board).end_reason) == (403, "caller_disabled")
