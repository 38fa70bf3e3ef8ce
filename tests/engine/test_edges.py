# SPDX-License-Identifier: GPL-2.0-or-later
"""Where calls went wrong once: hostile numbers, hunting, failed re-INVITEs, crossing answers."""

from __future__ import annotations

import pytest

from tests.engine.switchboard import ALICE, BOB, CAROL, SWITCH, Switchboard
from tests.sim.agents import Agent, Leg, sdp
from vosd.engine import evidence
from vosd.sip.events import Invited
from vosd.switch.tables import GatewayAddress


def call(alice: Agent, number: str = "200", caller: str = "100") -> Leg:
    return alice.call(f"sip:{number}@10.0.0.1", SWITCH, from_=f"<sip:{caller}@10.0.0.2>")


@pytest.mark.parametrize("number", ["200%3apw", "200%40evil", "200%3e", "200%20x", "200%00", ""])
def test_a_callee_that_is_no_number_goes_nowhere(number: str) -> None:
    """Escaped delimiters would read otherwise at the next hop and past the black list."""
    board = Switchboard()
    board.block("200")
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB)
    leg = alice.call(f"sip:{number}@10.0.0.1" if number else "sip:10.0.0.1", SWITCH)
    board.world.advance(40)
    assert (leg.code, bob.legs) == (404, [])
    assert board.empty()


def test_line_breaks_in_numbers_reach_nobody() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    assert call(alice, "200%0d%0aX-Evil:%201") is not None
    board.world.advance(1)
    assert bob.legs == []
    leg = call(alice, caller="100%0d%0aX-Evil:%201")
    board.world.advance(1)
    assert leg.answered_at is not None
    (invited,) = bob.of(Invited)
    assert invited.message.get("x-evil") is None
    assert "anonymous" in (invited.message.get("from") or "")


@pytest.mark.parametrize(("sent", "code"), [("0", 483), ("00", 483), ("²", 0), ("999999999", 0)])
def test_max_forwards(sent: str, code: int) -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    call(alice)
    board.world.advance(1)
    invite = next(e.data for e in board.world.ladder if e.data.startswith(b"INVITE"))
    changed = invite.replace(b"Max-Forwards: 70", f"Max-Forwards: {sent}".encode())
    changed = changed.replace(b"branch=z9hG4bK", b"branch=z9hG4bKx").replace(b";tag=", b";tag=x")
    changed = changed.replace(b"Call-ID: ", b"Call-ID: x")
    board.switch.receive(changed, ALICE, 0, board.world.now)
    board.world.advance(1)
    left = [e.message.get("max-forwards") for e in bob.of(Invited)]
    assert left == (["69"] if code else ["69", "69" if sent == "²" else "254"])


def test_a_mistake_of_ours_ends_one_call_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    first = call(alice)
    board.world.advance(1)
    lines = board.switch.calls.performer._lines
    kept, lines.line = lines.line, lambda route: 1 / 0  # type: ignore[assignment,method-assign]
    second = call(alice)
    board.world.advance(1)
    lines.line = kept  # type: ignore[method-assign]
    assert (second.end, second.code, first.end) == ("failed", 500, "")
    assert [row.end_reason for row in board.shelf.records] == ["internal_error"]
    assert len(board.switch.calls) == 1
    alice.bye(first)
    board.world.advance(60)
    assert board.empty()


def test_a_vendor_that_failed_no_longer_counts_the_call() -> None:
    board = Switchboard()
    board.gateway("vendor", BOB, capacity=1)
    board.gateway("second", CAROL, priority=5)
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, ring_after=None, reject_with=503)
    board.agent("carol", CAROL, answer_after=0.0)
    call(alice)
    board.world.advance(1)
    calls = board.switch.calls
    assert (calls.gateway_calls("vendor"), calls.gateway_calls("second")) == (0, 1)


def test_hunting_on_keeps_to_the_capacity_of_the_next_vendor() -> None:
    board = Switchboard()
    board.gateway("second", CAROL, priority=5, capacity=1)
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, ring_after=None, reject_with=503, reject_after=0.5)
    carol = board.agent("carol", CAROL, answer_after=0.0)
    legs = [call(alice) for _ in range(3)]
    board.world.advance(3)
    assert len(carol.legs) == 1
    assert sorted(leg.code for leg in legs) == [0, 503, 503]


def test_a_silent_vendor_is_shown_down() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, silent=True)
    call(alice)
    board.world.advance(15)
    assert board.switch.health.state("vendor") == (False, "no answer to INVITE")


def test_the_next_address_of_a_gateway_is_tried() -> None:
    board = Switchboard()
    board.gateway("vendor", BOB, addresses=(GatewayAddress(*BOB), GatewayAddress(*CAROL)))
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, silent=True)
    board.agent("carol", CAROL, answer_after=0.0)
    leg = call(alice)
    board.world.advance(12)
    assert leg.answered_at is not None


@pytest.mark.parametrize("who", ["caller", "operator"])
def test_a_call_that_ends_while_its_record_is_written_was_not_answered(who: str) -> None:
    board = Switchboard()
    board.shelf.commit_s = 5.0
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    leg = call(alice)
    board.world.advance(2)
    if who == "caller":
        alice.cancel(leg)
    else:
        board.switch.hangup(next(board.switch.calls.views()).id)
    board.world.advance(40)
    (row,) = board.shelf.records
    assert (row.answered_at, row.duration_s) == (None, 0.0)
    assert board.switch.counters.values["calls_answered"] == 0
    assert board.empty()


def test_a_refused_refresh_leaves_audio_where_the_last_accepted_offer_put_it() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    leg = call(alice)
    board.world.advance(2)
    moved = sdp(ALICE, port=5000)
    alice.endpoint.reinvite(leg.dialog, board.world.now, body=moved)
    board.world.advance(1)
    bob.script.reinvite_code = 500
    for body in (moved, b"", sdp(ALICE, port=6000)):
        alice.endpoint.reinvite(leg.dialog, board.world.now, body=body)
        board.world.advance(1)
        (live,) = board.switch.calls
        side = live.media.side("a")
        assert side is not None
        assert side.destination == (ALICE[0], 5000)


def test_an_offer_that_cannot_be_relayed_changes_nothing() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    leg = call(alice)
    board.world.advance(2)
    alice.endpoint.reinvite(leg.dialog, board.world.now, body=b"v=0\r\nnonsense\r\n")
    board.world.advance(1)
    (view,) = board.switch.calls.views()
    assert view.legs[0].sdp_address == f"{ALICE[0]}:4000"


def test_evidence_is_of_the_vendor_that_answered() -> None:
    board = Switchboard()
    board.gateway("second", CAROL, priority=5)
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, ring_after=None, progress_after=0.0, answer_after=None,
                reject_with=503, reject_after=0.5)
    board.agent("carol", CAROL, ring_after=None, answer_after=None)
    call(alice)
    board.world.advance(2)
    (view,) = board.switch.calls.views()
    assert (view.routing, view.legs[1].sdp_address) == ("second", None)


def test_a_leg_that_is_lost_leaves_no_dialog() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0, reinvite_code=481)
    leg = call(alice)
    board.world.advance(2)
    alice.hold(leg)
    board.world.advance(60)
    assert board.shelf.records[0].end_reason == "leg_lost"
    assert board.empty()


def test_an_answer_that_cannot_be_relayed_is_no_answer() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=None)
    leg = call(alice)
    board.world.advance(1)
    bob.endpoint.accept(bob.legs[0].dialog, board.world.now, body=b"v=0\r\nnonsense\r\n")
    board.world.advance(40)
    (row,) = board.shelf.records
    assert (leg.code, row.end_reason, row.answered_at) == (488, "codec_mismatch", None)
    assert board.empty()


def test_a_lost_ack_with_the_offer_in_the_answer_has_its_own_reason() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE, no_ack=True)
    board.agent("bob", BOB, answer_after=0.0)
    alice.call("sip:200@10.0.0.1", SWITCH, body=False)
    board.world.advance(120)
    assert [row.end_reason for row in board.shelf.records] == ["ack_timeout"]
    assert board.empty()


def test_a_cancelled_reinvite_that_is_accepted_late_is_taken_back() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0, reinvite_code=0)
    leg = call(alice)
    board.world.advance(2)
    alice.hold(leg)
    board.world.advance(1)
    (live,) = board.switch.calls
    assert live.renegotiation is not None
    live.renegotiation.asker = None
    bob.endpoint.accept(bob.legs[0].dialog, board.world.now, body=sdp(BOB, direction="recvonly"))
    bob.script.reinvite_code = 200
    board.world.advance(1)
    assert b"a=sendrecv" in bob.legs[0].bodies[-1]
    assert live.renegotiation is None


def test_what_is_kept_reads_back_as_it_was_shown() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    leg = call(alice)
    board.world.advance(2)
    (view,) = board.switch.calls.views()
    alice.bye(leg)
    board.world.advance(1)
    kept = evidence.read(board.shelf.evidence[view.id])
    assert kept.legs[0].codec == view.legs[0].codec == "PCMU"
    assert kept.legs[0].sdp_address == view.legs[0].sdp_address == f"{ALICE[0]}:4000"


def test_a_customer_that_calls_is_up_whatever_a_probe_said() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB)
    board.switch.health.silent("carrier", "no answer to OPTIONS for 5 s")
    call(alice)
    board.world.advance(1)
    assert board.switch.health.state("carrier") == (True, "answers")


@pytest.mark.parametrize("line", [b"o=", b"c=", b"m="])
def test_an_offer_that_cannot_be_rewritten_gets_488(
    line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Bad input is refused, never an exception in the log."""
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB)
    call(alice)
    invite = next(e.data for e in board.world.ladder if e.data.startswith(b"INVITE"))
    head, _, body = invite.partition(b"\r\n\r\n")
    cut = b"".join(row for row in body.splitlines(True) if not row.startswith(line))
    head = head.replace(b"branch=z9hG4bK", b"branch=z9hG4bKx").replace(b";tag=", b";tag=x")
    head = head.replace(b"Call-ID: ", b"Call-ID: x")
    head = head.replace(b"Content-Length: %d" % len(body), b"Content-Length: %d" % len(cut))
    board.switch.receive(head + b"\r\n\r\n" + cut, ALICE, 0, board.world.now)
    board.world.advance(1)
    assert board.shelf.records[0].end_reason == "codec_mismatch"
    assert caplog.records == []
