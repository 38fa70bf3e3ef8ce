# SPDX-License-Identifier: GPL-2.0-or-later
"""What is written down of a call: nothing is claimed that did not happen."""

from __future__ import annotations

import pytest

from tests.engine.switchboard import ALICE, BOB, EPOCH, SWITCH, Switchboard
from vosd.engine import evidence
from vosd.engine.mediation import Mediation
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


@pytest.mark.parametrize(
    ("owner", "name"), [(evidence, "keep"), (Mediation, "close")], ids=["evidence", "media"]
)
def test_a_mistake_of_ours_at_the_end_costs_no_record(
    owner: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks once the call is over, its end and reason are written."""
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    leg = alice.call("sip:4670001@switch", SWITCH)
    board.world.advance(2)

    def broken(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(owner, name, broken)
    alice.bye(leg)
    board.world.advance(1)
    (row,) = board.shelf.records
    assert (row.state, row.end_reason, row.ended_by) == ("closed", "caller_hangup", "caller")
    assert row.ended_at is not None
    assert round(row.ended_at - EPOCH) == 2
    assert (board.shelf.evidence[row.id] is None) is (name == "keep")
    assert (len(board.switch.calls), board.shelf.open) == (0, {})
