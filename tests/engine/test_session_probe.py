# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers without session timers: asked whether they live, and cut at a greatest length (D27)."""

from __future__ import annotations

import pytest

from tests.engine.switchboard import ALICE, BOB
from tests.engine.timers import (
    TIMER,
    call,
    capable,
    ended,
    field,
    sent,
    switchboard,
    times,
)
from vosd.sip.events import DialogRequest
from vosd.switch.call import INFINITE


def test_a_peer_without_timer_is_asked_whether_it_lives() -> None:
    """D27: OPTIONS inside the call each SS_SIP_NO_TIMER_PROBE_INTERVAL, on both legs."""
    board = switchboard(SS_SIP_NO_TIMER_PROBE_INTERVAL="100")
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    call(alice)
    board.world.advance(350)
    assert times(sent(board, "switch", "alice", "OPTIONS")) == [100.0, 200.0, 300.0]
    assert times(sent(board, "switch", "bob", "OPTIONS")) == [100.0, 200.0, 300.0]
    assert len(bob.of(DialogRequest)) == 3
    (answer,) = sent(board, "switch", "alice", "200 INVITE")
    assert field(answer.data, "Session-Expires") is None


@pytest.mark.parametrize("code", [403, 404, 405, 500, 501])
def test_any_answer_of_a_peer_without_timer_is_life(code: int) -> None:
    board = switchboard(SS_SIP_NO_TIMER_PROBE_INTERVAL="100")
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0, codes={"OPTIONS": code})
    call(alice)
    board.world.advance(250)
    assert len(board.switch.calls) == 1
    assert times(sent(board, "switch", "bob", "OPTIONS")) == [100.0, 200.0]


def test_both_ends_dead_and_media_direct() -> None:
    """STM-02: nothing but the probe can tell; asked at 300, given up at 332."""
    board = switchboard(SS_MEDIAPROXYMODE="off")
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    call(alice)
    board.world.advance(10)
    alice.script.silent = bob.script.silent = True
    board.world.advance(400)
    assert ended(board) == (332.0, "session_timeout", "switch")
    board.world.advance(100)
    assert board.empty()


def test_a_peer_without_timer_that_restarted() -> None:
    board = switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    call(alice)
    board.world.advance(10)
    bob.endpoint.drop(bob.legs[0].dialog)
    board.world.advance(300)
    assert ended(board) == (300.0, "leg_lost", "switch")


def test_audio_is_life_where_options_gets_no_answer() -> None:
    """A peer that ignores OPTIONS and talks is not cut off."""
    board = switchboard(SS_MEDIAPROXYMODE="must_on")
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0, codes={"OPTIONS": 0})
    call(alice)
    board.world.advance(310)
    (live,) = board.switch.calls
    assert live.media.session is not None
    live.media.session.b._rtp.counters.fold(0, 1, 160, 7, 0, 172, 0)
    board.world.advance(100)
    assert len(board.switch.calls) == 1
    # asked again at 632, silent since: given up 32 s later
    board.world.advance(300)
    assert ended(board) == (664.0, "session_timeout", "switch")


@pytest.mark.parametrize(("longest", "end"), [("7200", 7200.0), ("off", None)])
def test_the_greatest_length_without_timer(longest: str, end: float | None) -> None:
    """STM-12, FQS-01: both live and answer, the cap cuts the call; off never does."""
    board = switchboard(SS_SIP_NO_TIMER_REINVITE_INTERVAL=longest)
    alice = board.agent("alice", ALICE)
    capable(board, "bob", BOB, 600, "uac")
    leg = call(alice)
    board.world.advance(7300)
    if end is None:
        assert len(board.switch.calls) == 1
    else:
        assert ended(board) == (end, "session_limit", "switch")
        assert leg.end == "bye received"


def test_calls_with_timers_on_both_legs_have_no_greatest_length() -> None:
    board = switchboard(SS_SIP_NO_TIMER_REINVITE_INTERVAL="900")
    alice = capable(board, "alice", ALICE, 600, "uac")
    capable(board, "bob", BOB, 600, "uac")
    call(alice)
    board.world.advance(2000)
    assert len(board.switch.calls) == 1


def test_the_greatest_length_once_a_side_drops_the_timer() -> None:
    """D27: alice's re-INVITE at 100 s knows no timer any more: 7200 s are left from there."""
    board = switchboard(SS_SIP_NO_TIMER_REINVITE_INTERVAL="7200")
    alice = board.agent("alice", ALICE)
    capable(board, "bob", BOB, 600, "uac")
    leg = call(alice, headers=TIMER)
    board.world.advance(100)
    (live,) = board.switch.calls
    assert live.cut_at == INFINITE
    alice.hold(leg)
    board.world.advance(7300)
    assert ended(board) == (7300.0, "session_limit", "switch")
