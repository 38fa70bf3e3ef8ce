# SPDX-License-Identifier: GPL-2.0-or-later
"""diagnose_session: causes that look alike are told apart by evidence (TRB-01 to TRB-06)."""

from __future__ import annotations

from functools import partial

import pytest

from tests.diagnose.scenarios import attempt, failed, of
from tests.diagnose.session_calls import HERE, SESSIONS
from vosd.diagnose import bad_calls, diagnose_call, diagnose_session
from vosd.diagnose.session import NOTES, RULES, SESSION
from vosd.wire.diagnosis import Finding


@pytest.mark.parametrize("name", SESSIONS)
def test_findings_of_a_session(name: str) -> None:
    view, here, codes = SESSIONS[name]
    assert [row.code for row in diagnose_session(view, here).findings] == codes


def test_every_rule_of_a_session_is_reached() -> None:
    reached = {code for _, _, codes in SESSIONS.values() for code in codes}
    assert {row.code for row in (*SESSION, *NOTES)} <= reached <= {row.code for row in RULES}


def first(name: str) -> Finding:
    view, here, _ = SESSIONS[name]
    return diagnose_session(view, here).findings[0]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        # D18: each drop its own cure, none of them the keep-alive
        ("no ACK",
         "Have acme switch SIP ALG off and send its ACK to the Contact of the answer."),
        ("no ACK: our Contact is private",
         "Give [[listen]] in vosd.toml the address that the other side reaches."),
        ("our ACK does not arrive",
         "Have carrier name in its Contact an address that the switch reaches."),
        ("no RTP from B", "Have carrier check that UDP leaves it for 192.0.2.1:10002."),
        # TRB-02: who died needs no setting; NAT before a phone does (D30)
        ("B died", "Have carrier look for a restart or a lost connection at that moment."),
        ("B lives and UPDATE does not get to it",
         "Have carrier answer UPDATE for Call-ID id-b@x, as its Allow says."),
        ("the NAT before a phone closed",
         "vosctl param set SS_SIP_NAT_KEEP_ALIVE_MESSAGE=OPTIONS"),
        ("B refuses to refresh",
         "Have carrier accept re-INVITE with an unchanged session inside a call; it answers 488."),
        ("B's 422 to a refresh", "vosctl param set SS_SIP_SESSION_TTL=3600"),
        ("B was to refresh and lives",
         "Have carrier send UPDATE or re-INVITE to <sip:4420@192.0.2.1:5060> each 300 s."),
        # TRB-03, D20: raise the interval as caller, lower the minimum as callee
        ("a vendor demands more", "vosctl param set SS_SIP_SESSION_TTL=900"),
        ("a vendor's 422 without Min-SE", "vosctl param set SS_SIP_SESSION_TTL=1800"),
        ("the caller asks for too little", "vosctl param set SS_SIP_SESSION_MIN_SE=90"),
        ("the caller asks for less than anybody may",
         "Have acme ask for 90 s or more, or repeat it as the 422 says."),
        ("a 422 that was obeyed", "vosctl param set SS_SIP_SESSION_TTL=1200"),
        # TRB-04
        ("NAT closed on a phone: keep-alive off",
         "vosctl param set SS_SIP_NAT_KEEP_ALIVE_MESSAGE=OPTIONS"),
        ("NAT closed on a phone: HELLO draws no answer",
         "vosctl param set SS_SIP_NAT_KEEP_ALIVE_MESSAGE=OPTIONS"),
        ("NAT closed on a phone: OPTIONS come too seldom",
         "vosctl param set SS_SIP_NAT_KEEP_ALIVE_PERIOD=15"),
        ("a phone that answers OPTIONS and no INVITE", "vosctl phone show 100"),
        ("a phone that is not registered", "vosctl phone show 4930"),
        ("491, then granted", "Nothing: it is retried by itself."),
        ("the cap", "vosctl param set SS_SIP_NO_TIMER_REINVITE_INTERVAL=14400"),
        ("no cap, no question, no RTP time-out",
         "vosctl param set SS_SIP_NO_TIMER_REINVITE_INTERVAL=7200"),
    ],
)  # fmt: skip
def test_the_one_change_of_a_session(name: str, change: str) -> None:
    assert first(name).change == change


def test_audio_tells_who_died_from_who_is_not_reached() -> None:
    """STM-03, STM-06: the same time-out of UPDATE, two causes."""
    died, cut_off = first("B died"), first("the NAT before a phone closed")
    agreed = "session timer 600 s, refreshed by the switch each 300 s (TTL / segment)"
    assert died.evidence == [
        "UPDATE to B (gateway carrier) got no answer; given up 332 s after the answer",
        agreed, "none was granted before",
        "its last audio came 212 s before that: it died, or its path did",
    ]  # fmt: skip
    assert cut_off.evidence == [
        "UPDATE to B (phone 100) got no answer; given up 332 s after the answer",
        agreed, "none was granted before",
        "its audio went on until 1 s before that: it lives",
        "B is behind NAT, seen at 198.51.100.7:5060",
    ]  # fmt: skip
    assert cut_off.cause == (
        "B (phone 100) lives and the switch's UPDATE does not get to it. Its NAT closed the way "
        "for signalling while audio kept its own way open."
    )


def test_our_ack_lost_whole() -> None:
    """D18, TRB-01: the callee's BYE at 32 s."""
    assert first("our ACK does not arrive") == Finding(
        code="ack_not_arriving",
        title="The ACK of the switch does not reach B (gateway carrier)",
        severity="critical",
        confidence="certain",
        side="b",
        evidence=[
            "its 200 came 11 times although each was acknowledged",
            "the ACK went to 10.1.2.3:5060 (private); its Contact says <sip:4930@10.1.2.3:5060>",
            "it hung up 32.0 s after the answer and gave as reason "
            'Q.850;cause=102;text="recovery on timer expiry"',
        ],
        cause="B (gateway carrier) names 10.1.2.3:5060 (private) in its Contact, and the ACK sent "
        "there does not arrive. It gives up after 64*T1 = 32 s; no keep-alive cures it.",
        change="Have carrier name in its Contact an address that the switch reaches.",
        disproof="A capture at carrier shows the ACK coming in.",
        rows=["D18", "TRB-01", "FQS-02", "RFC 3261 13.3.1.4"],
    )


def test_rtp_time_out_is_told_from_a_lost_ack() -> None:
    assert first("no RTP from B").evidence[-2:] == [
        "the switch ended the call for it after 30 s (media_timeout)",
        "SS_RTP_TIMEOUT is 30 s; the ACK had come, so this is no lost ACK (32 s)",
    ]
    assert first("B hung up at 30 s, having heard nothing").evidence[-1] == (
        "B (gateway carrier) hung up 30.2 s after the answer: its own RTP time-out; "
        "the ACK had come, so this is no lost ACK (32 s)"
    )


def test_an_idle_phone_whole() -> None:
    """TRB-04, D30: one-way packets need not hold a binding."""
    found = first("NAT closed on a phone: HELLO draws no answer")
    assert found.title == "B (phone 100) does not get incoming calls"
    assert (found.severity, found.confidence, found.side) == ("warning", "likely", "b")
    assert found.evidence == [
        "tried 100: gateway did not answer the INVITE at all after 10.0 s",
        "it had registered 1700 s before, from 198.51.100.7:31337",
        "behind NAT: yes; keep-alive: HELLO each 30 s",
    ]
    assert found.cause == (
        "Its registration stands and its NAT binding ran out: packets that nobody answers need "
        "not keep one (RFC 4787 REQ-6)."
    )


def test_a_gateway_that_is_silent_is_no_phone() -> None:
    """A silent phone has its own row in both diagnoses, a silent gateway keeps the vendor's."""
    assert [row.code for row in diagnose_call(SESSIONS["NAT closed on a phone: HELLO draws no "
                                                        "answer"][0]).findings] == [
        "phone_unreachable"]
    silent = failed("invite_timeout", attempt("carrier", 408, "invite_timeout"))
    assert [row.code for row in diagnose_call(silent).findings] == ["vendor_silent"]
    assert diagnose_session(silent).findings == []


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("clean, timers on both legs",
         "No fault of the session found (caller hung up). A: session timer 600 s, refreshed by "
         "the switch each 300 s (TTL / segment); B: session timer 600 s, refreshed by the party."),
        ("clean, nothing kept",
         "No fault of the session found (caller hung up). nothing is known of session timers."),
        ("refreshing fails in a live call", "B (gateway carrier) refuses session refreshes."),
        ("a side without timer did not answer",
         "B (gateway carrier) did not answer whether it lives."),
    ],
)  # fmt: skip
def test_verdict_of_a_session(name: str, verdict: str) -> None:
    view, here, _ = SESSIONS[name]
    assert diagnose_session(view, here).verdict == verdict


def test_recent_sessions_rank_only_what_failed() -> None:
    views = [SESSIONS[name][0] for name in ("491, then granted", "no ACK", "B died")]
    views.append(of("loss and jitter: loss first even if it is the lesser (CC-12)"))
    for i, view in enumerate(views):
        view.id = f"c{i}"
    rows = bad_calls(views, partial(diagnose_session, here=HERE))
    assert [(row.id, row.severity, row.code, row.side) for row in rows] == [
        ("c1", "critical", "lost_ack", "a"), ("c2", "warning", "refresh_unanswered", "b"),
    ]  # fmt: skip
