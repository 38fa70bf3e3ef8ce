# SPDX-License-Identifier: GPL-2.0-or-later
"""What is written down of a call: nothing is claimed that did not happen."""

from __future__ import annotations

from tests.engine.switchboard import ALICE, BOB, SWITCH, Switchboard
from vosd.engine import evidence
from vosd.wire.records import CallView


def last(board: Switchboard) -> CallView:
    return evidence.read(board.shelf.evidence[board.shelf.records[-1].id])


def test_an_invite_nobody_answered_carried_no_media() -> None:
    """Ports are open from the INVITE on; relayed is what has two ends."""
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, silent=True)
    alice.call("sip:4670001@switch", SWITCH)
    board.world.advance(1)
    (view,) = board.switch.calls.views()
    assert (view.media, view.relay) == ("none", None)
    board.world.advance(60)
    view = last(board)
    assert (view.answered_at, view.media, view.relay) == (None, "none", None)
    assert view.media_mode == "must_on"


def test_an_answered_call_is_relayed_and_names_its_caller() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    alice.call("sip:4670001@switch", SWITCH)
    board.world.advance(2)
    (live,) = board.switch.calls
    live.display = "Alice"
    (view,) = board.switch.calls.views()
    assert (view.media, view.relay, view.display) == ("relayed", "userspace", "Alice")


def test_whose_packets_were_dropped_is_kept() -> None:
    """D17: the source that was seen stands beside the address SDP names, after the call too."""
    board = Switchboard(SS_MEDIA_NAT_LEARN="off")
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    leg = alice.call("sip:4670001@switch", SWITCH)
    board.world.advance(2)
    (live,) = board.switch.calls
    side = live.media.side("a")
    assert side is not None
    packet = b"\x80\x00" + bytes(10) + bytes(160)
    for _ in range(5):
        side.strange(side.taps()[0], packet, ("203.0.113.77", 7000), 0, 0)
    alice.bye(leg)
    board.world.advance(1)
    a = last(board).legs[0]
    assert a.received is not None
    assert (a.received.wrong_source, a.received.wrong_from) == (5, "203.0.113.77:7000")
    assert a.nat_learn is False
