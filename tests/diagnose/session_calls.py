# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions as rows: what became of a call, how the switch is set, and the codes found, in order."""

from __future__ import annotations

from typing import Any

from tests.diagnose.scenarios import NAT_A, NOTHING, PUBLIC_B, START, attempt, call, failed, leg
from tests.diagnose.scenarios import rx as heard
from vosd.diagnose import Here
from vosd.wire.records import CallView, LegView
from vosd.wire.timers import RefreshTrouble, TimerView

ANSWER = START + 5
HERE = Here()


def timer(*trouble: RefreshTrouble, **more: Any) -> TimerView:
    """600 s, refreshed by the switch each 300 s with UPDATE."""
    fields: dict[str, Any] = {
        "interval_s": 600, "refresher": "switch", "every_s": 300.0, "method": "UPDATE",
        "trouble": list(trouble), "troubles": len(trouble),
    }  # fmt: skip
    return TimerView(**(fields | more))


def untimed(*trouble: RefreshTrouble, **more: Any) -> TimerView:
    """A party without session timer, asked each 300 s, cut at 7200 s."""
    fields: dict[str, Any] = {
        "every_s": 300.0, "method": "OPTIONS", "cap_s": 7200.0, "trouble": list(trouble),
    }  # fmt: skip
    return TimerView(**(fields | more))


def trouble(after: float, method: str, code: int = 0, by: Any = "switch",
            note: str = "") -> RefreshTrouble:  # fmt: skip
    return RefreshTrouble(at=ANSWER + after, by=by, method=method, code=code, note=note)


def audio(last: float) -> Any:
    """Audio that came until so many seconds after the answer."""
    return heard(last_at=ANSWER + last)


def lost(seconds: float, b: LegView, reason: str = "session_timeout", **more: Any) -> CallView:
    """A call that its signalling ended, with a healthy timer on leg a."""
    a = more.pop("a", None) or leg("a", timer=timer(granted=1, last_at=ANSWER + 300))
    fields = {"end_reason": reason, "ended_by": "switch", "duration_s": seconds,
              "ended_at": ANSWER + seconds}  # fmt: skip
    return call(a, b, **(fields | more))


def live(a: LegView, b: LegView, seconds: float = 400.0) -> CallView:
    return call(a, b, state="connected", ended_at=None, end_reason=None, ended_by=None,
                duration_s=seconds)  # fmt: skip


def phone(**more: Any) -> CallView:
    """A phone that registered 1700 s ago and left the INVITE unanswered."""
    b = leg("b", party="100", kind="phone", registered_at=START - 1700, received=None, sent=None,
            signalling=f"{PUBLIC_B}:31337", **({"nat": True} | more))  # fmt: skip
    return failed("invite_timeout", attempt("100", 408, "invite_timeout", 10_000.0),
                  legs=[leg("a", received=None, sent=None), b], routing="100")  # fmt: skip


TIMED_OUT = trouble(332, "UPDATE", note="timeout")
AT_HOME = {"party": "100", "kind": "phone", "nat": True}

SESSIONS: dict[str, tuple[CallView, Here, list[str]]] = {
    "clean, timers on both legs": (
        call(leg("a", timer=timer()), leg("b", timer=timer(refresher="party", every_s=None))),
        HERE, [],
    ),
    "clean, nothing kept": (call(), HERE, []),
    # D18, in order: 32 s, 30 s, NAT
    "no ACK": (
        call(leg("a", our_contact="<sip:4930@192.0.2.1:5060>"), None, end_reason="ack_timeout",
             ended_by="switch", duration_s=32.0),
        HERE, ["lost_ack"],
    ),
    "no ACK: our Contact is private": (
        call(leg("a", our_contact="<sip:4930@10.0.0.1>"), None, end_reason="ack_timeout",
             ended_by="switch", duration_s=32.0),
        HERE, ["lost_ack"],
    ),
    "our ACK does not arrive": (
        call(None, leg("b", answers_repeated=10, target="10.1.2.3:5060",
                       contact="<sip:4930@10.1.2.3:5060>"),
             end_reason="callee_hangup", ended_by="callee", duration_s=32.0,
             farewell='Q.850;cause=102;text="recovery on timer expiry"'),
        HERE, ["ack_not_arriving"],
    ),
    "two crossing 200 are no fault": (call(None, leg("b", answers_repeated=2)), HERE, []),
    "no RTP at all": (
        call(leg("a", received=NOTHING), leg("b", received=NOTHING), end_reason="media_timeout",
             ended_by="switch", duration_s=30.0),
        HERE, ["no_media"],
    ),
    "no RTP from B": (
        call(None, leg("b", received=NOTHING), end_reason="media_timeout", ended_by="switch",
             duration_s=30.0),
        HERE, ["one_way"],
    ),
    "B hung up at 30 s, having heard nothing": (
        call(leg("a", received=NOTHING), None, end_reason="callee_hangup", ended_by="callee",
             duration_s=30.2),
        HERE, ["one_way"],
    ),
    "silence that ended nothing is no matter of the session": (
        call(leg("a", received=NOTHING), None, end_reason="callee_hangup", ended_by="callee"),
        HERE, [],
    ),
    "hung up at 30 s with audio both ways": (call(duration_s=30.0), HERE, []),
    # TRB-02
    "B died": (
        lost(332, leg("b", timer=timer(TIMED_OUT), received=audio(120))), HERE,
        ["refresh_unanswered"],
    ),
    "B lives and UPDATE does not get to it": (
        lost(332, leg("b", timer=timer(TIMED_OUT), received=audio(332))), HERE,
        ["refresh_unanswered"],
    ),
    "the NAT before a phone closed": (
        lost(332, leg("b", **AT_HOME, timer=timer(TIMED_OUT), received=audio(331))), HERE,
        ["refresh_unanswered"],
    ),
    "B refuses to refresh": (
        lost(600, leg("b", timer=timer(
            trouble(300, "UPDATE", 405), trouble(300.1, "re-INVITE", 488),
            trouble(310.1, "re-INVITE", 488), trouble(600, "")))),
        HERE, ["refresh_refused"],
    ),
    "B's 422 to a refresh": (
        lost(600, leg("b", timer=timer(trouble(300, "UPDATE", 422), refusals=1, min_se=3600))),
        HERE, ["refresh_refused"],
    ),
    "refreshing fails in a live call": (
        live(leg("a", timer=timer()),
             leg("b", timer=timer(trouble(300, "re-INVITE", 503), ends_at=ANSWER + 600))),
        HERE, ["refresh_refused"],
    ),
    "a failure before the last grant is past": (
        live(leg("a", timer=timer()),
             leg("b", timer=timer(trouble(300, "UPDATE", 503), granted=1, last_at=ANSWER + 310))),
        HERE, [],
    ),
    "B was to refresh and died": (
        lost(568, leg("b", timer=timer(trouble(568, ""), refresher="party", every_s=None),
                      received=audio(60))),
        HERE, ["refresh_missing"],
    ),
    "B was to refresh and lives": (
        lost(868, leg("b", timer=timer(trouble(868, ""), refresher="party", every_s=None,
                                       granted=1, last_at=ANSWER + 300),
                      received=audio(868), our_contact="<sip:4420@192.0.2.1:5060>")),
        HERE, ["refresh_missing"],
    ),
    "B restarted": (
        lost(300, leg("b", timer=timer(trouble(300, "UPDATE", 481)))), HERE, ["call_forgotten"]
    ),
    "signalling lost, nobody knows where": (
        lost(300, leg("b"), a=leg("a")), HERE, ["signalling_lost"]
    ),
    # TRB-03
    "a vendor demands more": (
        failed("session_interval", attempt("carrier", 422, "session_interval"),
               legs=[leg("a"), leg("b", timer=TimerView(refusals=4, min_se=900))]),
        HERE, ["interval_demanded"],
    ),
    "a vendor's 422 without Min-SE": (
        failed("session_interval", attempt("carrier", 422, "session_interval")), HERE,
        ["interval_demanded"],
    ),
    "the caller asks for too little": (
        failed("interval_too_small",
               legs=[leg("a", timer=TimerView(trouble=[trouble(
                   0, "INVITE", 422, "party", "asked for 90 s, 300 s is the least here")]))]),
        Here(min_se=300), ["interval_too_small"],
    ),
    "the caller asks for less than anybody may": (
        failed("interval_too_small",
               legs=[leg("a", timer=TimerView(trouble=[trouble(
                   0, "INVITE", 422, "party", "asked for 60 s, 90 s is the least here")]))]),
        HERE, ["interval_too_small"],
    ),
    "a 422 that was obeyed": (
        call(leg("a", timer=timer()),
             leg("b", timer=timer(interval_s=1200, every_s=600.0, refusals=1, min_se=1200))),
        HERE, ["interval_raised"],
    ),
    # TRB-04
    "NAT closed on a phone: keep-alive off": (
        phone(), Here(keepalive=""), ["phone_unreachable"]
    ),
    "NAT closed on a phone: HELLO draws no answer": (phone(), HERE, ["phone_unreachable"]),
    "NAT closed on a phone: OPTIONS come too seldom": (
        phone(), Here(keepalive="OPTIONS", unreachable=frozenset({"100"})), ["phone_unreachable"]
    ),
    "a phone that answers OPTIONS and no INVITE": (
        phone(), Here(keepalive="OPTIONS"), ["phone_unreachable"]
    ),
    "a phone that is not registered": (
        failed("callee_not_registered"), HERE, ["not_registered"]
    ),
    # TRB-05
    "491, then granted": (
        call(leg("a", timer=timer()),
             leg("b", timer=timer(trouble(300, "re-INVITE", 491),
                                  trouble(301, "re-INVITE", 491, "party"), granted=1,
                                  last_at=ANSWER + 303.2))),
        HERE, ["glare"],
    ),
    "491 just now, asked again in a moment": (
        live(leg("a", timer=timer()), leg("b", timer=timer(trouble(399, "UPDATE", 491)))),
        HERE, ["glare"],
    ),
    # TRB-06
    "no timer, a cap and a question": (
        live(leg("a", timer=untimed(granted=1, last_at=ANSWER + 300)), leg("b", timer=timer())),
        HERE, ["no_timer"],
    ),
    "a side without timer did not answer": (
        lost(332, leg("b", **NAT_A, timer=untimed(trouble(332, "OPTIONS", note="timeout")),
                      received=audio(30))),
        HERE, ["peer_unproven", "no_timer"],
    ),
    "the cap": (
        lost(7200, leg("b", timer=untimed(granted=23, last_at=ANSWER + 6900)), "session_limit"),
        HERE, ["session_limit", "no_timer"],
    ),
    "a zombie may stay: nobody asks, no cap, hold is not watched": (
        live(leg("a", timer=untimed(every_s=None, cap_s=None), on_hold=True),
             leg("b", timer=untimed(every_s=None, cap_s=None)), 9000),
        HERE, ["unguarded"],
    ),
    "no cap, no question: the RTP time-out still watches": (
        live(leg("a", timer=timer()), leg("b", timer=untimed(every_s=None, cap_s=None))),
        HERE, ["no_timer"],
    ),
    "no cap, no question, no RTP time-out": (
        live(leg("a", timer=timer()), leg("b", timer=untimed(every_s=None, cap_s=None),
                                          received=audio(100))),
        Here(rtp_timeout=0), ["unguarded"],
    ),
}  # fmt: skip
