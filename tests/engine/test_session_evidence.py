# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls with a known fault, driven through the whole switch: what is kept of them and found.

Calls are answered at 0 s; with Session-Expires 600 and segment 2 the switch refreshes at 300 and
gives up 64*T1 = 32 s later, a party that has to refresh is given up at 600 - 32 = 568.
"""

from __future__ import annotations

import pytest

from tests.engine.switchboard import ALICE, BOB, EPOCH, Switchboard
from tests.engine.timers import PLAIN, TIMER, call, capable, switchboard
from tests.sim.agents import Agent
from tests.sim.world import Link, dropping
from vosd.diagnose import Here, diagnose_call, diagnose_session
from vosd.engine import evidence
from vosd.wire.diagnosis import Finding
from vosd.wire.records import CallView
from vosd.wire.timers import TimerView

A, B = "A (gateway carrier)", "B (gateway vendor)"
TIMED = "session timer 600 s, refreshed by the switch each 300 s (TTL / segment)"


def kept(board: Switchboard) -> CallView:
    """The latest finished call as it was stored."""
    return evidence.read(board.shelf.evidence[board.shelf.records[-1].id])


def live(board: Switchboard) -> CallView:
    (view,) = board.switch.calls.views()
    return view


def fault(view: CallView, here: Here | None = None) -> Finding:
    """The only fault of a session; a call's own diagnosis names it too."""
    (found,) = [row for row in diagnose_session(view, here).findings if row.severity != "info"]
    assert found.code in [row.code for row in diagnose_call(view, here=here).findings]
    return found


def timer(view: CallView, side: str) -> TimerView:
    (found,) = [leg.timer for leg in view.legs if leg.side == side]
    assert found is not None
    return found


def pair(board: Switchboard, **bob: object) -> tuple[Agent, Agent]:
    """Alice and bob with timers the switch refreshes, in a call."""
    alice = capable(board, "alice", ALICE, 600, "uac")
    bob.setdefault("refresher", "uac")
    refresher = str(bob.pop("refresher"))
    called = capable(board, "bob", BOB, 600, refresher, **bob)
    call(alice)
    return alice, called


def talk(board: Switchboard, until: float) -> None:
    """Bob sends a packet each second, up to and with `until`."""
    while board.world.now < until:
        board.world.advance(1)
        for each in board.switch.calls:
            side = each.media.side("b")
            assert side is not None
            second = round(board.world.now)
            at = round((EPOCH + board.world.now) * 1e9)
            side.taps()[0].counters.fold(at, second, 8000 * second, 7, 0, 172, 0)


# TRB-01 as D18 reads it


def test_trb_01_no_ack_from_the_caller() -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE, no_ack=True)
    board.agent("bob", BOB, answer_after=0.0)
    call(alice)
    board.world.advance(40)
    assert diagnose_session(kept(board)).findings[0] == Finding(
        code="lost_ack",
        title="The caller never confirmed the answer",
        severity="critical",
        confidence="likely",
        side="a",
        evidence=[
            "no ACK came for the answer; the call ended 32.0 s after it",
            "the answer went to 10.0.0.2:5060",
            "the ACK should come to <sip:200@10.0.0.1:5060>",
        ],
        cause=f"The ACK of {A} does not reach the address in the switch's Contact, most often for "
        "a SIP ALG or NAT before it. This is the drop at 32 s (64*T1); no keep-alive cures it.",
        change="Have carrier switch SIP ALG off and send its ACK to the Contact of the answer.",
        disproof="A capture at the switch shows the ACK, with the Call-ID and CSeq of the INVITE.",
        rows=["D18", "TRB-01", "FQS-02", "RFC 3261 13.3.1.4"],
    )


def test_trb_01_our_ack_does_not_reach_the_callee() -> None:
    """Bob repeats his 200 at 0.5, 1.5, 3.5 s and then each 4 s, ten times, and hangs up at 32."""
    board = switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    board.world.between("switch", "bob", Link(drop=dropping("ACK")), Link())
    call(alice)
    board.world.advance(40)
    found = fault(kept(board))
    assert (found.code, found.severity, found.confidence, found.side) == (
        "ack_not_arriving", "critical", "certain", "b",
    )  # fmt: skip
    assert found.evidence == [
        "its 200 came 11 times although each was acknowledged",
        "the ACK went to 10.0.0.3:5060 (private); its Contact says <sip:200@10.0.0.3:5060>",
        "it hung up 32.0 s after the answer",
    ]
    assert found.change == "Have vendor name in its Contact an address that the switch reaches."


def test_trb_01_one_ack_lost_is_no_fault() -> None:
    board = switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    board.world.between("switch", "bob", Link(drop=dropping("ACK", times=1)), Link())
    call(alice)
    board.world.advance(40)
    assert [leg.answers_repeated for leg in live(board).legs] == [0, 1]
    assert diagnose_session(live(board)).severity == "info"


def test_trb_01_no_audio() -> None:
    """MP-10: not one packet, SS_RTP_TIMEOUT 30 s; the ACK came."""
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, answer_after=0.0)
    call(alice)
    board.world.advance(40)
    found = fault(kept(board))
    assert (found.code, found.severity, found.side) == ("no_media", "critical", "both")
    assert found.evidence[-1] == (
        "SS_RTP_TIMEOUT is 30 s; the ACK had come, so this is no lost ACK (32 s)"
    )


# TRB-02


@pytest.mark.parametrize("method", ["UPDATE", "re-INVITE"])
def test_trb_02_a_refresh_without_answer(method: str) -> None:
    """D19: refreshed at 300, lost at 600, so 600 + 32."""
    board = switchboard()
    _, bob = pair(board, **({} if method == "UPDATE" else {"endpoint": PLAIN}))
    board.world.advance(400)
    bob.script.silent = True
    board.world.advance(300)
    view = kept(board)
    assert fault(view) == Finding(
        code="refresh_unanswered",
        title=f"{B} does not answer session refreshes",
        severity="warning",
        confidence="possible",
        side="b",
        evidence=[
            f"{method} to {B} got no answer; given up 632 s after the answer",
            TIMED,
            "granted before: 1, the last 300 s after the answer",
            "whether audio still came from B is unknown",
        ],
        cause=f"{B} died or lost its network, and the timer ended the call as it has to.",
        change="Have vendor look for a restart or a lost connection at that moment.",
        disproof=f"A capture at vendor shows {method} coming in and a 200 going out.",
        rows=["TRB-02", "D19", "STM-03", "STM-04", "STM-06", "RFC 4028 10"],
    )
    assert (timer(view, "a").granted, timer(view, "a").troubles) == (2, 0)


@pytest.mark.parametrize(
    ("until", "line", "change"),
    [
        (100, "its last audio came 232 s before that: it died, or its path did",
         "Have vendor look for a restart or a lost connection at that moment."),
        (332, "its audio went on until 0 s before that: it lives", "Have vendor answer UPDATE for "
         "Call-ID {}, as its Allow says."),
    ],
)  # fmt: skip
def test_trb_02_audio_tells_death_from_a_lost_way(until: int, line: str, change: str) -> None:
    board = switchboard(SS_MEDIAPROXYMODE="must_on")
    _, bob = pair(board)
    board.world.advance(1)
    bob.script.silent = True
    talk(board, until)
    board.world.advance(400 - until)
    view = kept(board)
    found = fault(view)
    assert (found.code, found.evidence[-1]) == ("refresh_unanswered", line)
    assert found.change == change.format(view.legs[1].call_id)


def test_trb_02_a_refresh_refused_until_the_end() -> None:
    """At 300 and each 10 s after it until 600, while the call still lives and when it is over."""
    board = switchboard()
    pair(board, endpoint=PLAIN, reinvite_code=503)
    board.world.advance(315)
    assert fault(live(board)).evidence == [
        f"{B} answered: re-INVITE 503 (2 times); the last 310 s after the answer",
        TIMED, "none was granted before", "the call ends in 285 s unless one is granted",
    ]  # fmt: skip
    board.world.advance(300)
    view = kept(board)
    assert fault(view) == Finding(
        code="refresh_refused",
        title=f"{B} refuses session refreshes",
        severity="warning",
        confidence="certain",
        side="b",
        evidence=[
            f"{B} answered: re-INVITE 503 (7 times); the last 590 s after the answer",
            TIMED, "none was granted before",
        ],
        cause=f"{B} answers re-INVITE with 503; without a 2xx a session ends at its expiry.",
        change="Have vendor accept re-INVITE with an unchanged session inside a call; it answers "
        "503.",
        disproof="A trace of a longer call shows a 2xx to a refresh.",
        rows=["TRB-02", "TRB-03", "D19", "D20", "STM-18", "RFC 4028 10"],
    )  # fmt: skip
    # 300, 310 .. 590 and the expiry: all counted, the latest eight kept
    assert (timer(view, "b").troubles, len(timer(view, "b").trouble)) == (31, 8)


def test_trb_02_a_party_that_stopped_refreshing() -> None:
    board = switchboard()
    _, bob = pair(board, refresher="uas")
    board.world.advance(1)
    asking = (*TIMER, ("Session-Expires", "600;refresher=uac"))
    board.world.at(300, lambda: bob.request(bob.legs[0], "UPDATE", headers=asking))
    board.world.advance(900)
    view = kept(board)
    assert timer(view, "b").method == "UPDATE"
    found = fault(view)
    assert (found.code, found.side, found.confidence) == ("refresh_missing", "b", "likely")
    assert found.evidence == [
        f"{B} was to refresh within 600 s and none came for 568 s; given up 868 s after the answer",
        "session timer 600 s, refreshed by the party",
        "granted before: 1, the last 300 s after the answer",
    ]
    assert found.disproof == (
        "A capture at the switch shows UPDATE or re-INVITE of vendor to <sip:100@10.0.0.1:5060>."
    )


@pytest.mark.parametrize("timed", [True, False])
def test_trb_02_a_party_that_restarted(timed: bool) -> None:
    """STM-05: 481 to UPDATE, or to OPTIONS where there is no timer."""
    board = switchboard()
    if timed:
        _, bob = pair(board)
    else:
        alice = board.agent("alice", ALICE)
        bob = board.agent("bob", BOB, answer_after=0.0)
        call(alice)
    board.world.advance(10)
    bob.endpoint.drop(bob.legs[0].dialog)
    board.world.advance(400)
    found = fault(kept(board))
    assert (found.code, found.side) == ("call_forgotten", "b")
    method = "UPDATE" if timed else "OPTIONS"
    assert found.evidence[0] == f"{B} answered {method} with 481 300 s after the answer"


# what is kept


def test_what_is_shown_of_a_live_session() -> None:
    """Last and next refresh in wall time; the cap where there is no timer."""
    board = switchboard()
    alice = board.agent("alice", ALICE)
    capable(board, "bob", BOB, 600, "uac")
    leg = call(alice)
    board.world.advance(310)
    a, b = (timer(live(board), side) for side in "ab")
    commit = board.shelf.commit_s
    assert a == TimerView(
        every_s=300.0, method="OPTIONS", granted=1, last_at=round(EPOCH + 300 + commit, 3),
        next_at=round(EPOCH + 600 + commit, 3), cap_s=7200.0,
    )  # fmt: skip
    assert b == TimerView(
        interval_s=600, refresher="switch", every_s=300.0, method="UPDATE", granted=1,
        last_at=round(EPOCH + 300 + commit, 3), next_at=round(EPOCH + 600 + commit, 3),
        ends_at=round(EPOCH + 900 + commit, 3),
    )  # fmt: skip
    alice.bye(leg)
    board.world.advance(1)
    after = timer(kept(board), "b")
    assert (after.granted, after.next_at, after.ends_at) == (1, None, None)
