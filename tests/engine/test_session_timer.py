# SPDX-License-Identifier: GPL-2.0-or-later
"""Session timers through the whole switch in virtual time; expected times worked by hand.

Calls are answered at 0 s. With Session-Expires 600 and segment 2 the refresher speaks at 300, gives
up 32 s later (64*T1), and the other side gives up at 600 - min(32, 600/3) = 568.
"""

from __future__ import annotations

import pytest

from tests.engine.switchboard import ALICE, BOB, CAROL, EPOCH, Switchboard
from tests.engine.timers import (
    PLAIN,
    TIMER,
    call,
    capable,
    ended,
    expires,
    field,
    record,
    sent,
    switchboard,
    times,
)
from tests.sim.agents import Agent
from tests.sim.world import Link
from vosd.catalog.presets import PRESETS
from vosd.engine import evidence
from vosd.sip.events import Reinvited


def test_the_flow_of_a_refreshed_call() -> None:
    """FLW-01..06: the switch asks for 600 s, refreshes both sides with UPDATE each 300 s."""
    board = switchboard()
    alice = board.agent("alice", ALICE, endpoint={"extensions": ("timer",)},
                        inner_headers=expires(600, "uac"))  # fmt: skip
    capable(board, "bob", BOB, 600, "uac")
    leg = call(alice)
    board.world.advance(700)
    (invite,) = sent(board, "switch", "bob", "INVITE")
    assert field(invite.data, "Session-Expires") == "600"
    assert field(invite.data, "Min-SE") == "90"
    assert field(invite.data, "Supported") == "timer"
    (answer,) = sent(board, "switch", "alice", "200 INVITE")
    assert field(answer.data, "Session-Expires") == "600;refresher=uas"
    assert field(answer.data, "Require") == "timer"
    for peer in ("alice", "bob"):
        updates = sent(board, "switch", peer, "UPDATE")
        assert times(updates) == [300.0, 600.0]
        assert field(updates[0].data, "Session-Expires") == "600;refresher=uac"
        assert field(updates[0].data, "Supported") == "timer"
        assert not updates[0].data.partition(b"\r\n\r\n")[2]
    assert len(board.switch.calls) == 1
    alice.bye(leg)
    board.world.advance(40)
    assert ended(board) == (700.0, "caller_hangup", "caller")
    assert board.empty()


def test_without_update_a_refresh_repeats_the_description() -> None:
    """STM-18, D26: a re-INVITE whose SDP is to the octet what the peer was last told."""
    board = switchboard(SS_MEDIAPROXYMODE="must_on")
    capable(board, "alice", ALICE, 600, "uac", endpoint=PLAIN)
    capable(board, "bob", BOB, 600, "uac", endpoint=PLAIN)
    alice = board.world._nodes["alice"][0]
    assert isinstance(alice, Agent)
    call(alice)
    board.world.advance(610)
    told = {}
    for peer, first in (("bob", "INVITE 1 +"), ("alice", "200 INVITE 1 +")):
        (told[peer],) = sent(board, "switch", peer, first)
        again = sent(board, "switch", peer, "INVITE")[peer == "bob":]
        assert times(again) == [300.0, 600.0]
        assert {entry.data.partition(b"\r\n\r\n")[2] for entry in again} == {
            told[peer].data.partition(b"\r\n\r\n")[2]
        }
        assert field(again[0].data, "Session-Expires") == "600;refresher=uac"
    # neither side heard of the other's refresh, and the media ports are the same
    assert len(alice.of(Reinvited)) == 2
    assert len(board.switch.calls) == 1


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        ((), None),
        (TIMER, "600;refresher=uas"),
        ((*TIMER, ("Session-Expires", "300;refresher=uac")), "300;refresher=uac"),
        ((*TIMER, ("Session-Expires", "1800"), ("Min-SE", "900")), "900;refresher=uas"),
    ],
)
def test_each_leg_has_its_own_agreement(
    ask: tuple[tuple[str, str], ...], told: str | None
) -> None:
    """D23: leg b's 120 s never reach leg a, nor the other way round."""
    board = switchboard(SS_SIP_SESSION_TTL="600")
    alice = board.agent("alice", ALICE)
    capable(board, "bob", BOB, 120, "uac")
    call(alice, headers=ask)
    board.world.advance(70)
    (answer,) = sent(board, "switch", "alice", "200 INVITE")
    assert field(answer.data, "Session-Expires") == told
    (invite,) = sent(board, "switch", "bob", "INVITE")
    assert field(invite.data, "Session-Expires") == "600"
    assert times(sent(board, "switch", "bob", "UPDATE")) == [60.0]
    assert sent(board, "switch", "alice", "UPDATE") == []


def test_422_for_an_interval_that_is_too_short() -> None:
    """STM-13, TRB-03: refused with Min-SE; the caller that obeys gets through."""
    board = switchboard(SS_SIP_SESSION_MIN_SE="120")
    alice = board.agent("alice", ALICE)
    capable(board, "bob", BOB, 600, "uac")
    leg = call(alice, headers=(*TIMER, ("Session-Expires", "90")))
    board.world.advance(1)
    (refusal,) = sent(board, "switch", "alice", "422")
    assert field(refusal.data, "Min-SE") == "120"
    # RFC 4028 7.3: the endpoint repeats it with the interval asked for
    (_, again) = sent(board, "alice", "switch", "INVITE")
    assert (field(again.data, "Session-Expires"), field(again.data, "Min-SE")) == ("120", "120")
    assert leg.answered_at is not None


def test_422_of_a_vendor_is_obeyed_and_the_call_stays_with_him() -> None:
    """D20: same Call-ID, CSeq + 1, his Min-SE, and no other gateway."""
    board = switchboard()
    board.gateway("second", CAROL, priority=5)
    carol = board.agent("carol", CAROL)
    alice = board.agent("alice", ALICE)
    bob = capable(board, "bob", BOB, 1200, "uac", ring_after=None)
    bob.script.reject_with, bob.script.reject_headers = 422, (("Min-SE", "1200"),)
    board.world.link.delay = 0.05
    leg = call(alice)
    board.world.advance(0.12)
    assert sent(board, "bob", "switch", "422")
    bob.script.reject_with = 0
    board.world.advance(30)
    (first, again) = sent(board, "switch", "bob", "INVITE")
    assert field(first.data, "Call-ID") == field(again.data, "Call-ID")
    assert (field(first.data, "CSeq"), field(again.data, "CSeq")) == ("1 INVITE", "2 INVITE")
    assert (field(again.data, "Session-Expires"), field(again.data, "Min-SE")) == ("1200", "1200")
    assert field(first.data, "From") == field(again.data, "From")
    assert carol.legs == []
    assert leg.answered_at is not None
    board.world.advance(600)
    assert times(sent(board, "switch", "bob", "UPDATE")) == [600.3]


def test_a_vendor_that_refuses_every_interval_ends_the_call_and_not_the_hunt_elsewhere() -> None:
    """D20: a 422 never leads to the next gateway."""
    board = switchboard()
    board.gateway("second", CAROL, priority=5)
    carol = board.agent("carol", CAROL)
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, ring_after=None, reject_with=422, reject_headers=(("Min-SE", "900"),))
    leg = call(alice)
    board.world.advance(40)
    assert len(sent(board, "switch", "bob", "INVITE")) == 2
    assert (leg.end, carol.legs) == ("failed", [])
    assert record(board).end_reason == "session_interval"


DEATHS = {
    "power failure": lambda board, bob: setattr(bob.script, "silent", True),
    "network loss": lambda board, bob: board.world.between("switch", "bob", Link(loss=1.0)),
    "nat timeout": lambda board, bob: board.world.between(
        "switch", "bob", Link(loss=1.0), Link()),
}  # fmt: skip


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize("update", [True, False])
def test_zombies_end_when_a_refresh_of_ours_stays_unanswered(death: str, update: bool) -> None:
    """STM-03, 04, 06, 07: refresh at 300, given up at 332; the record ends there."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac")
    bob = capable(board, "bob", BOB, 600, "uac", endpoint={} if update else PLAIN)
    leg = call(alice)
    board.world.advance(100)
    DEATHS[death](board, bob)
    board.world.advance(300)
    assert ended(board) == (332.0, "session_timeout", "switch")
    # the record commits 2 ms after the answer, from then on times run
    assert record(board).duration_s == pytest.approx(332.0, abs=0.01)
    assert (leg.end, leg.ended_at) == ("bye received", pytest.approx(332.0, abs=0.01))
    assert times(sent(board, "switch", "bob", "BYE")) == [332.0]
    a, b = evidence.read(board.shelf.evidence[record(board).id]).legs
    method = "UPDATE" if update else "re-INVITE"
    assert a.timer is not None
    assert b.timer is not None
    assert (a.timer.interval_s, a.timer.refresher, a.timer.trouble) == (600, "switch", [])
    assert (b.timer.interval_s, b.timer.refresher) == (600, "switch")
    (trouble,) = b.timer.trouble
    assert round(trouble.at - EPOCH, 1) == 332.0
    assert (trouble.by, trouble.method, trouble.code, trouble.note) == (
        "switch", method, 0, "timeout",
    )  # fmt: skip
    board.world.advance(100)
    assert board.empty()


def test_a_device_that_restarted_does_not_know_the_call() -> None:
    """STM-05, D19, D76: 481 to the refresh ends both legs at once."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac")
    bob = capable(board, "bob", BOB, 600, "uac")
    leg = call(alice)
    board.world.advance(200)
    bob.endpoint.drop(bob.legs[0].dialog)
    board.world.advance(200)
    assert ended(board) == (300.0, "session_timeout", "switch")
    assert leg.end == "bye received"
    board.world.advance(40)
    assert board.empty()


def test_a_408_to_the_refresh_ends_the_call() -> None:
    """D19."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 600, "uac")
    capable(board, "bob", BOB, 600, "uac", codes={"UPDATE": 408})
    call(alice)
    board.world.advance(400)
    assert ended(board) == (300.0, "session_timeout", "switch")


@pytest.mark.parametrize(
    ("margin", "interval", "end"),
    [
        # D19, D28: 600 - 32; 90 - 30; exactly at expiry; as set; capped at a third
        ("rfc", 600, 568.0), ("rfc", 90, 60.0), ("0", 600, 600.0), ("10", 600, 590.0),
        ("3600", 600, 400.0),
    ],
)  # fmt: skip
def test_zombies_end_when_the_peer_that_has_to_refresh_does_not(
    margin: str, interval: int, end: float
) -> None:
    """STM-03, 04, 11, 15."""
    board = switchboard(SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP=margin)
    alice = capable(board, "alice", ALICE, 600, "uac", inner_headers=expires(600, "uac"))
    capable(board, "bob", BOB, interval, "uas")
    leg = call(alice)
    board.world.advance(end - 1)
    assert len(board.switch.calls) == 1
    board.world.advance(2)
    assert ended(board) == (end, "session_timeout", "switch")
    assert leg.end == "bye received"
    assert sent(board, "switch", "bob", "UPDATE") == []
    _, b = evidence.read(board.shelf.evidence[record(board).id]).legs
    assert b.timer is not None
    assert (b.timer.refresher, b.timer.trouble[-1].note) == ("party", f"no refresh in {interval} s")


def test_a_caller_that_has_to_refresh_and_died() -> None:
    """STM-03 on leg a: refresher uac is the caller; 300 - 32 = 268."""
    board = switchboard()
    alice = capable(board, "alice", ALICE, 300, "uac")
    bob = capable(board, "bob", BOB, 600, "uac")
    call(alice, headers=(*TIMER, ("Session-Expires", "300;refresher=uac")))
    board.world.advance(20)
    alice.script.silent = True
    board.world.advance(260)
    assert ended(board) == (268.0, "session_timeout", "switch")
    assert bob.legs[0].end == "bye received"


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
def test_a_peer_that_refreshes_keeps_the_call_and_the_other_side_hears_nothing(
    method: str,
) -> None:
    """STM-15: bob refreshes each 300 s and stops after 900: given up at 900 + 568 = 1468."""
    board = switchboard(SS_MEDIAPROXYMODE="must_on")
    alice = capable(board, "alice", ALICE, 600, "uac")
    bob = capable(board, "bob", BOB, 600, "uas")
    call(alice)
    board.world.advance(1)
    asking = (*TIMER, ("Session-Expires", "600;refresher=uac"))
    (leg,) = bob.legs
    for at in (300, 600, 900):
        if method == "UPDATE":
            board.world.at(at, lambda: bob.request(leg, "UPDATE", headers=asking))
        else:
            board.world.at(at, lambda: bob.reinvite(leg, "sendrecv", headers=asking))
    board.world.advance(1099)
    answers = sent(board, "switch", "bob", f"200 {method}")
    assert [field(entry.data, "Session-Expires") for entry in answers] == [
        "600;refresher=uac"] * 3
    assert alice.of(Reinvited) == []
    if method == "INVITE":
        # the answer is what bob was last told, o= version and all
        (offer,) = sent(board, "switch", "bob", "INVITE 1 +")
        assert {entry.data.partition(b"\r\n\r\n")[2] for entry in answers} == {
            offer.data.partition(b"\r\n\r\n")[2]
        }
    board.world.advance(400)
    assert ended(board) == (1468.0, "session_timeout", "switch")


@pytest.mark.parametrize(
    ("preset", "interval", "segment", "refresh"),
    [
        # PRE-02 to PRE-06: TTL / segment
        ("wholesale", 600, 2, 300.0), ("call-center", 900, 3, 300.0), ("mobile", 300, 2, 150.0),
        ("enterprise", 1200, 2, 600.0), ("high-security", 180, 2, 90.0),
    ],
)  # fmt: skip
def test_presets(preset: str, interval: int, segment: int, refresh: float) -> None:
    board = switchboard(**PRESETS[preset].values)
    alice = board.agent("alice", ALICE, inner_headers=expires(interval, "uac"))
    capable(board, "bob", BOB, interval, "uac")
    call(alice, headers=TIMER)
    board.world.advance(refresh + 1)
    assert field(sent(board, "switch", "bob", "INVITE")[0].data, "Session-Expires") == str(interval)
    assert times(sent(board, "switch", "alice", "UPDATE")) == [refresh]
    assert times(sent(board, "switch", "bob", "UPDATE")) == [refresh]


def test_a_change_holds_for_the_next_call() -> None:
    """STM-08: no restart; calls that stand keep what they agreed on."""
    board = switchboard()
    alice = board.agent("alice", ALICE)
    capable(board, "bob", BOB, 600, "uac")
    call(alice)
    board.world.advance(1)
    board.switch.sessions.reconfigure(
        Switchboard(SS_SIP_SESSION_TTL="1800").settings.snapshot)
    call(alice)
    board.world.advance(1)
    asked = [field(e.data, "Session-Expires") for e in sent(board, "switch", "bob", "INVITE")]
    assert asked == ["600", "1800"]
