# SPDX-License-Identifier: GPL-2.0-or-later
"""Refreshes that are refused, lost or cross something else; the call goes on (RFC 3261 14.1)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.engine.switchboard import ALICE, BOB, SWITCH
from tests.engine.timers import (
    PLAIN,
    TIMER,
    call,
    capable,
    ended,
    expires,
    field,
    sent,
    switchboard,
    times,
)
from tests.sim.agents import sdp
from tests.sim.world import Link
from vosd.sip.events import ReinviteAnswered, Reinvited, ReinviteFailed, Response


def test_a_lost_refresh_is_sent_again() -> None:
    """One UPDATE lost on the way is a matter of the transaction (timer E: 500 ms)."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac")
    capable(board, "bob", BOB, 600, "uac")
    call(alice)
    board.world.advance(299)
    board.world.between("switch", "bob", Link(loss=1.0), Link())
    board.world.advance(2)
    board.world.between("switch", "bob", Link())
    board.world.advance(600)
    assert len(board.switch.calls) == 1
    # lost at 300.0, 300.5; heard at 301.5, so the next is due 300 s after that
    assert times(sent(board, "switch", "bob", "UPDATE")) == [300.0, 601.5, 901.5][:2]


def test_491_is_tried_again_after_the_time_of_the_call_ids_owner() -> None:
    """D25, TRB-05: leg b's Call-ID is ours: 2.1 to 4 s; leg a's is not: 0 to 2 s."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac", codes={"UPDATE": 491})
    bob = capable(board, "bob", BOB, 600, "uac", codes={"UPDATE": 491})
    call(alice)
    board.world.advance(301)
    alice.script.codes = bob.script.codes = {}
    board.world.advance(200)
    first, second, *_ = times(sent(board, "switch", "bob", "UPDATE"))
    assert 2.1 <= second - first <= 4.05
    gaps = times(sent(board, "switch", "alice", "UPDATE"))
    assert len(gaps) >= 2
    assert all(0 <= b - a <= 2.05 for a, b in itertools.pairwise(gaps))
    assert len(board.switch.calls) == 1


def test_500_with_retry_after_is_tried_again_then() -> None:
    """RFC 3311 5.2, RFC 3261 14.1."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac")
    bob = capable(board, "bob", BOB, 600, "uac", codes={"UPDATE": 500},
                  inner_headers=(("Retry-After", "7"),))  # fmt: skip
    call(alice)
    board.world.advance(303)
    bob.script.codes, bob.script.inner_headers = {}, expires(600, "uac")
    board.world.advance(310)
    assert times(sent(board, "switch", "bob", "UPDATE")) == [300.0, 307.0, 607.0]


@pytest.mark.parametrize("code", [405, 501])
def test_a_peer_that_cannot_update_gets_a_reinvite_at_once(code: int) -> None:
    """STM-18: Allow said UPDATE, the peer does not have it."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac")
    capable(board, "bob", BOB, 600, "uac", codes={"UPDATE": code})
    call(alice)
    board.world.advance(310)
    assert times(sent(board, "switch", "bob", "UPDATE")) == [300.0]
    assert times(sent(board, "switch", "bob", "INVITE")) == [0.0, 300.0]
    assert len(board.switch.calls) == 1


def test_a_refresh_that_is_refused_all_the_time_ends_the_call_at_its_expiry() -> None:
    """RFC 4028 10: without a 2xx the session ends at 600."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac")
    capable(board, "bob", BOB, 600, "uac", endpoint=PLAIN, reinvite_code=503)
    call(alice)
    board.world.advance(599)
    assert len(board.switch.calls) == 1
    board.world.advance(2)
    assert ended(board) == (600.0, "session_timeout", "switch")


def test_422_to_a_refresh_raises_the_interval() -> None:
    """RFC 4028 7.4: obeyed at once, and in every later refresh."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac")
    bob = capable(board, "bob", BOB, 600, "uac", codes={"UPDATE": 422},
                  inner_headers=(("Min-SE", "900"),))  # fmt: skip
    call(alice)
    board.world.link.delay = 0.05
    board.world.advance(300.3)
    assert sent(board, "bob", "switch", "422")
    bob.script.codes, bob.script.inner_headers = {}, expires(900, "uac")
    board.world.advance(500)
    asked = [field(entry.data, "Session-Expires") for entry in sent(board, "switch", "bob", "UP")]
    assert asked[:2] == ["600;refresher=uac", "900;refresher=uac"]
    # 900 / 2 after the second
    assert times(sent(board, "switch", "bob", "UPDATE"))[-1] == pytest.approx(750, abs=2)


def test_a_refresh_waits_while_the_peer_holds() -> None:
    """A hold under way at 300 s refreshes the session itself; the refresh comes after it."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac", endpoint=PLAIN)
    bob = capable(board, "bob", BOB, 600, "uac", endpoint=PLAIN, reinvite_code=0)
    leg = call(alice)
    board.world.advance(299)
    alice.hold(leg)
    board.world.advance(3)
    (dialog,) = [each.dialog for each in bob.legs]
    bob.endpoint.accept(dialog, board.world.now, body=sdp(BOB, direction="recvonly"),
                        headers=expires(600, "uac"))  # fmt: skip
    bob.script.reinvite_code = 200
    board.world.advance(250)
    # the hold's INVITE, and the refresh 300 s after its answer at 302
    assert times(sent(board, "switch", "bob", "INVITE")) == [0.0, 299.0]
    assert times(sent(board, "switch", "alice", "INVITE")) == []
    assert len(alice.of(ReinviteAnswered)) == 1
    board.world.advance(60)
    assert times(sent(board, "switch", "bob", "INVITE")) == [0.0, 299.0, 602.0]
    # what is repeated is the hold, not what was before it
    assert b"a=sendonly" in sent(board, "switch", "bob", "INVITE")[-1].data
    assert len(board.switch.calls) == 1


def test_a_hold_waits_while_the_other_side_is_refreshed() -> None:
    """Alice's hold meets an open refresh towards bob and reaches him right after it."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac")
    bob = capable(board, "bob", BOB, 600, "uac", endpoint=PLAIN, reinvite_code=0)
    leg = call(alice)
    board.world.advance(301)
    alice.hold(leg)
    board.world.advance(2)
    assert len(bob.of(Reinvited)) == 1
    bob.script.reinvite_code = 200
    bob.endpoint.accept(bob.legs[0].dialog, board.world.now, body=sdp(BOB),
                        headers=expires(600, "uac"))  # fmt: skip
    board.world.advance(2)
    assert len(bob.of(Reinvited)) == 2
    assert b"a=sendonly" in bob.of(Reinvited)[1].message.body
    assert len(alice.of(ReinviteAnswered)) == 1
    assert len(board.switch.calls) == 1


def test_both_sides_refresh_at_the_same_moment() -> None:
    """Crossing re-INVITEs: 491 to each other, both try again, the call goes on (D25)."""
    board = switchboard()
    board.world.link.delay = 0.05
    alice = capable(board, "alice", ALICE, 600, "uac")
    bob = capable(board, "bob", BOB, 600, "uac", endpoint=PLAIN)
    call(alice)
    board.world.at(300.2, lambda: bob.reinvite(bob.legs[0], "sendrecv"))
    board.world.advance(320)
    crossed = [event.code for event in bob.of(ReinviteFailed)]
    assert crossed == [491]
    first, again = times(sent(board, "switch", "bob", "INVITE"))[1:]
    assert 2.1 <= again - first <= 4.2
    assert len(board.switch.calls) == 1
    assert bob.of(Response) == []


def test_a_hold_that_waits_for_a_refresh_can_be_taken_back() -> None:
    """CANCEL before bob's refresh is answered: he never hears of the hold."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac")
    bob = capable(board, "bob", BOB, 600, "uac", endpoint=PLAIN, reinvite_code=0)
    leg = call(alice)
    board.world.advance(301)
    alice.hold(leg)
    board.world.advance(1)
    cseq = field(sent(board, "alice", "switch", "INVITE")[-1].data, "CSeq")
    assert cseq is not None
    held = sent(board, "alice", "switch", "INVITE")[-1].data
    board.world.inject(
        held.partition(b"Content-Type")[0].replace(b"INVITE", b"CANCEL")
        + b"Content-Length: 0\r\n\r\n", ALICE, SWITCH,
    )  # fmt: skip
    board.world.advance(1)
    bob.script.reinvite_code = 200
    bob.endpoint.accept(bob.legs[0].dialog, board.world.now, body=sdp(BOB),
                        headers=expires(600, "uac"))  # fmt: skip
    board.world.advance(2)
    assert [event.code for event in alice.of(ReinviteFailed)] == [487]
    assert len(bob.of(Reinvited)) == 1
    (live,) = board.switch.calls
    assert (live.deferred, live.busy) == (None, False)


def test_a_peer_that_moves_its_media_in_answer_to_a_refresh() -> None:
    """The other side is told by a re-INVITE of its own."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac")
    bob = capable(board, "bob", BOB, 600, "uac", endpoint=PLAIN, reinvite_code=0)
    call(alice)
    board.world.advance(301)
    bob.endpoint.accept(bob.legs[0].dialog, board.world.now, body=sdp(BOB, port=4400),
                        headers=expires(600, "uac"))  # fmt: skip
    board.world.advance(1)
    (told,) = alice.of(Reinvited)
    assert b"m=audio 4400 " in told.message.body
    (live,) = board.switch.calls
    assert not live.busy
    # the next refresh shows alice nothing new
    bob.script.reinvite_code = 200
    board.world.advance(100)
    assert len(alice.of(Reinvited)) == 1


@pytest.mark.parametrize("endpoint", [{}, PLAIN])
@pytest.mark.parametrize("refresher", ["uac", "uas"])
def test_calls_outlive_a_bad_network(endpoint: dict[str, Any], refresher: str) -> None:
    """A fifth of all datagrams lost, some out of order: three hours, and nobody is cut off."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac", endpoint=endpoint)
    bob = capable(board, "bob", BOB, 600, refresher, endpoint=endpoint)
    leg = call(alice)
    board.world.advance(1)
    board.world.link = Link(delay=0.05, loss=0.2, swap=0.2)
    if refresher == "uas":
        asking = (*TIMER, ("Session-Expires", "600;refresher=uac"))
        for at in range(300, 10800, 300):
            board.world.at(at, lambda: bob.request(bob.legs[0], "UPDATE", headers=asking))
    board.world.advance(10800)
    assert (leg.end, len(board.switch.calls)) == ("", 1)


def test_a_second_offer_does_not_push_a_waiting_one_out() -> None:
    """Alice's UPDATE waits for the refresh of bob; her re-INVITE gets 491, the UPDATE its 200."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac")
    bob = capable(board, "bob", BOB, 600, "uac", endpoint=PLAIN, reinvite_code=0)
    leg = call(alice)
    board.world.advance(301)
    alice.request(leg, "UPDATE", body=sdp(ALICE, direction="sendonly"))
    board.world.advance(0.2)
    alice.hold(leg)
    board.world.advance(0.2)
    assert [event.code for event in alice.of(ReinviteFailed)] == [491]
    bob.script.reinvite_code = 200
    bob.endpoint.accept(bob.legs[0].dialog, board.world.now, body=sdp(BOB),
                        headers=expires(600, "uac"))  # fmt: skip
    board.world.advance(1)
    assert [event.code for event in alice.of(Response)] == [200]
    (live,) = board.switch.calls
    assert (live.deferred, live.busy) == (None, False)
