# SPDX-License-Identifier: GPL-2.0-or-later
"""422, idle phones, glare and zombies (TRB-03 to TRB-06) through the whole switch, as found."""

from __future__ import annotations

import pytest

from tests.engine.switchboard import ALICE, BOB, EPOCH
from tests.engine.test_keepalive import natted, ring
from tests.engine.test_session_evidence import A, B, fault, kept, live, pair, timer
from tests.engine.timers import TIMER, call, capable, switchboard
from vosd.diagnose import Here, diagnose_session
from vosd.wire.diagnosis import Finding

# TRB-03 as D20 reads it


@pytest.mark.parametrize(
    ("headers", "line", "change"),
    [
        ((("Min-SE", "100000"),), "its 422 asks for 100000 s at least, 422 met: 1",
         "Have vendor lower its Min-SE of 100000 s, or correct its 422."),
        ((), "its 422 names no Min-SE, so nobody can know what it takes",
         "vosctl param set SS_SIP_SESSION_TTL=1800"),
    ],
)  # fmt: skip
def test_trb_03_a_422_that_cannot_be_met(
    headers: tuple[tuple[str, str], ...], line: str, change: str
) -> None:
    board = switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, reject_with=422, reject_headers=headers)
    call(alice)
    board.world.advance(2)
    found = fault(kept(board))
    assert (found.code, found.side, found.change) == ("interval_demanded", "b", change)
    assert found.evidence == [
        "tried vendor: 422 session interval too small for the vendor after 0.0 s",
        "SS_SIP_SESSION_TTL is 600 s now", line,
    ]  # fmt: skip


def test_trb_03_a_422_that_is_obeyed() -> None:
    board = switchboard()
    board.world.link.delay = 0.05
    alice = capable(board, "alice", ALICE, 600, "uac")
    bob = capable(board, "bob", BOB, 1200, "uac", ring_after=None)
    bob.script.reject_with, bob.script.reject_headers = 422, (("Min-SE", "1200"),)
    call(alice)
    board.world.advance(0.12)
    bob.script.reject_with = 0
    board.world.advance(3)
    (found,) = diagnose_session(live(board)).findings
    assert (found.code, found.severity, found.side) == ("interval_raised", "info", "b")
    assert found.evidence == [
        f"{B} answered 422 and asked for 1200 s at least; the session timer is 1200 s now"]
    assert found.change == "vosctl param set SS_SIP_SESSION_TTL=1200"


def test_trb_03_a_422_of_ours() -> None:
    """A caller that asks for 90 s where 120 s is the least: refused on record, then taken."""
    board = switchboard(SS_SIP_SESSION_MIN_SE="120")
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    call(alice, headers=(*TIMER, ("Session-Expires", "90")))
    board.world.advance(1)
    assert live(board).state == "connected"
    view = kept(board)
    assert (view.end_reason, view.sip_code, view.answered_at) == ("interval_too_small", 422, None)
    assert fault(view, Here(min_se=120)) == Finding(
        code="interval_too_small",
        title=f"{A} asks for a session interval under the minimum",
        severity="warning",
        confidence="certain",
        side="a",
        evidence=[f"{A}: INVITE was answered 422: it asked for 90 s, 120 s is the least here"],
        cause="The switch answers 422 with its Min-SE; a party that obeys RFC 4028 asks again at "
        "once. Raising SS_SIP_SESSION_MIN_SE makes it worse.",
        change="vosctl param set SS_SIP_SESSION_MIN_SE=90",
        disproof="A trace shows carrier repeating the request with the Min-SE of the 422.",
        rows=["TRB-03", "D20", "STM-13", "RFC 4028 9"],
    )


# TRB-04


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("HELLO", "vosctl param set SS_SIP_NAT_KEEP_ALIVE_MESSAGE=OPTIONS"),
        ("", "vosctl param set SS_SIP_NAT_KEEP_ALIVE_MESSAGE=OPTIONS"),
        ("OPTIONS", "vosctl param set SS_SIP_NAT_KEEP_ALIVE_PERIOD=15"),
    ],
)
def test_trb_04_a_phone_whose_binding_ran_out(message: str, change: str) -> None:
    """D30: a NAT that only outbound packets hold open, and forgets in 20 s."""
    parameters = {"SS_SIP_NAT_KEEP_ALIVE_MESSAGE": message}
    board, nat, phone = natted(life=20.0, parameters=parameters, refreshed_inward=False)
    board.world.advance(240)
    assert nat.public(phone) is None
    ring(board)
    board.world.advance(20)
    view = kept(board)
    assert view.end_reason == "invite_timeout"
    silent = board.switch.keepalive.unreachable(board.switch.configuration.bindings["300"][0])
    assert silent == (message == "OPTIONS")
    here = Here(keepalive=message, unreachable=frozenset({"300"} if silent else ()))
    found = fault(view, here)
    assert (found.code, found.confidence, found.change) == ("phone_unreachable", "likely", change)
    assert found.evidence[1] == "it had registered 240 s before, from 203.0.113.9:45678"


# TRB-05


def test_trb_05_glare_is_no_fault() -> None:
    board = switchboard()
    _, bob = pair(board, codes={"UPDATE": 491})
    board.world.advance(301)
    bob.script.codes = {}
    board.world.advance(10)
    view = live(board)
    diagnosis = diagnose_session(view)
    (found,) = diagnosis.findings
    assert (found.code, found.severity, diagnosis.severity) == ("glare", "info", "info")
    rows = timer(view, "b").trouble
    gap = (timer(view, "b").last_at or 0) - rows[-1].at
    assert found.evidence == [
        f"491 by B: {len(rows)}, by the switch: 0; the last {rows[-1].at - EPOCH:.0f} s after the "
        "answer",
        f"granted {gap:.1f} s later",
    ]
    assert 2.1 <= gap <= 4.05
    assert found.change == "Nothing: it is retried by itself."


# TRB-06


def test_trb_06_without_timer_and_unguarded() -> None:
    """D27: with both parameters off nothing ends a direct call whose sides died."""
    board = switchboard(SS_SIP_NO_TIMER_REINVITE_INTERVAL="off",
                        SS_SIP_NO_TIMER_PROBE_INTERVAL="off")  # fmt: skip
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    call(alice)
    board.world.advance(10)
    alice.script.silent = bob.script.silent = True
    board.world.advance(9990)
    (found,) = diagnose_session(live(board)).findings
    assert (found.code, found.severity, found.side) == ("unguarded", "warning", "both")
    assert found.evidence == [
        "SS_SIP_NO_TIMER_REINVITE_INTERVAL and SS_SIP_NO_TIMER_PROBE_INTERVAL are off for it",
        f"{A}: its audio does not pass the switch",
        f"{B}: its audio does not pass the switch",
        "connected for 10000 s",
    ]
    assert found.change == "vosctl param set SS_SIP_NO_TIMER_REINVITE_INTERVAL=7200"


def test_trb_06_the_same_call_with_the_defaults() -> None:
    """FQS-01: asked at 300, given up at 332; before that the cap is named."""
    board = switchboard()
    alice = board.agent("alice", ALICE)
    bob = board.agent("bob", BOB, answer_after=0.0)
    call(alice)
    board.world.advance(10)
    (found,) = diagnose_session(live(board)).findings
    asked = "no session timer (RFC 4028); asked with OPTIONS each 300 s whether it lives"
    assert (found.code, found.severity, found.side) == ("no_timer", "info", "both")
    assert found.evidence == [
        f"{A}: {asked}", f"{B}: {asked}",
        "cut 7200 s after the answer whatever happens (SS_SIP_NO_TIMER_REINVITE_INTERVAL)",
    ]  # fmt: skip
    bob.script.silent = True
    board.world.advance(400)
    found = fault(kept(board))
    assert (found.code, found.side) == ("peer_unproven", "b")
    assert found.evidence[0] == f"OPTIONS to {B} got no answer; given up 332 s after the answer"


def test_trb_06_the_greatest_length() -> None:
    board = switchboard(SS_SIP_NO_TIMER_REINVITE_INTERVAL="900")
    alice = board.agent("alice", ALICE)
    capable(board, "bob", BOB, 600, "uac")
    call(alice)
    board.world.advance(1000)
    found = fault(kept(board))
    assert (found.code, found.side) == ("session_limit", "switch")
    assert found.evidence == [
        "cut 900 s after the answer",
        f"{A}: no session timer (RFC 4028); asked with OPTIONS each 300 s whether it lives, "
        "answered 2",
    ]
    assert found.change == "vosctl param set SS_SIP_NO_TIMER_REINVITE_INTERVAL=1800"
