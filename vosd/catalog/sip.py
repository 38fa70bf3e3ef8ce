# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP parameters: time-outs, retransmission, session timer, NAT keep-alive."""

from __future__ import annotations

from vosd.catalog.kinds import Duration, Durations, Integer, Switch, Text
from vosd.catalog.param import Param

TIMEOUTS = (
    Param(
        name="SS_SIP_TIMEOUT_INVITE", kind=Duration(low=1, high=600), default="10",
        group="timeouts", takes_effect="next call", obeyed=True, overridable=True,
        summary="how long a gateway may leave an INVITE without any answer",
        detail="When it passes, the attempt is given up and the next route is tried. SIP itself"
        " would wait 32 s (timer B, RFC 3261 17.1.1.2). The range is our own.",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_SIP_TIMEOUT_TRYING", kind=Duration(low=1, high=600), default="20",
        group="timeouts", takes_effect="next call", obeyed=True, overridable=True,
        summary="how long a gateway may stay at 100 Trying",
        detail="When it passes, the attempt is cancelled and the next route is tried."
        " The range is our own.",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_SIP_TIMEOUT_SESSION_PROGRESS", kind=Duration(low=1, high=3600), default="20",
        group="timeouts", takes_effect="next call", obeyed=True, overridable=True,
        summary="how long a gateway may stay at 183 without SDP",
        detail="When it passes, the attempt is cancelled and the next route is tried."
        " The range is our own.",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP", kind=Duration(low=1, high=3600),
        default="120", group="timeouts", takes_effect="next call", obeyed=True, overridable=True,
        summary="how long a gateway may stay at 183 with SDP, that is in early media",
        detail="When it passes, the attempt is cancelled. The range is our own.",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_SIP_TIMEOUT_RINGING", kind=Duration(low=1, high=3600), default="120",
        group="timeouts", takes_effect="next call", obeyed=True, overridable=True,
        summary="how long a called party may ring",
        detail="When it passes, the call ends as not answered. The range is our own.",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_SIP_RESEND_INTERVAL", kind=Durations(low=50, high=32000, longest=12),
        default="", group="timeouts", takes_effect="next call", obeyed=True,
        summary="gaps between the retransmissions of a request over UDP",
        detail="Empty means RFC 3261: 500 ms, doubled each time, up to 4 s for anything but"
        " INVITE (T1, T2). Gaps shorter than the round-trip time only double the traffic.",
        manual="4.3.5.2",
    ),
    Param(
        name="SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT", kind=Switch(), default="off",
        group="timeouts", takes_effect="next call",
        summary="write the gateway's Contact into Request-URI and To of an INVITE to it",
        manual="4.3.5.2",
    ),
)

SESSION = (
    Param(
        name="SS_SIP_SESSION_TTL", kind=Duration(low=90, high=86400), default="600",
        group="session", takes_effect="next call",
        summary="Session-Expires: a connected call not refreshed for this long is ended",
        detail="Refreshed every TTL / SS_SIP_SESSION_UPDATE_SEGMENT, 300 s by default. The side"
        " that refreshes ends the call when a refresh stays unanswered or gets 408 or 481; the"
        " other side ends it min(32 s, TTL/3) before expiry. Must not lie below"
        " SS_SIP_SESSION_MIN_SE.",
        manual="4.1.3 p.213; 4.3.5.2 p.230",
        rows=("STM-01", "STM-09", "STM-14", "STM-15", "CMP-06", "D19", "D21"),
        corrected="The source allows 60 s; RFC 4028 4 and 5 forbid less than 90 s and recommend"
        " 1800 s (D21). It ends calls after TTL, RFC 4028 10 earlier (D19).",
    ),
    Param(
        name="SS_SIP_SESSION_UPDATE_SEGMENT", kind=Integer(low=2, high=10), default="2",
        group="session", takes_effect="next call",
        summary="divisor: the session is refreshed every TTL / segment",
        detail="RFC 4028 7.2 recommends half the interval, that is 2.",
        manual="4.1.3 p.213; 4.3.5.2 p.230", rows=("STM-10", "STM-14", "D22"),
    ),
    Param(
        name="SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP",
        kind=Duration(low=0, high=3600, words={"rfc": -1.0}), default="rfc",
        group="session", takes_effect="next call",
        summary="how long before expiry an unrefreshed call is ended",
        detail="rfc is min(32 s, TTL/3), as RFC 4028 10 asks of the side that does not refresh;"
        " 0 waits for the expiry itself.",
        manual="4.1.3 p.213; 4.3.5.2 p.230", rows=("STM-11", "D28"),
        corrected="The source's default is 0, exactly at expiry (D28).", seed="0",
    ),
    Param(
        name="SS_SIP_NO_TIMER_REINVITE_INTERVAL",
        kind=Duration(low=1, high=86400, words={"off": 0.0}), default="7200",
        group="session", takes_effect="next call",
        summary="longest conversation with a peer that knows no session timer",
        detail="Off leaves a call whose peer vanished without any end but the RTP time-out.",
        manual="4.1.3 p.213; 4.3.5.2 p.230", rows=("STM-12", "TRB-06", "FQS-01", "D27", "D29"),
        corrected="The name says re-INVITE interval, the source's text maximum duration; it is"
        " the maximum here (D27). The timer works when only one side knows it (D29).",
    ),
    Param(
        name="SS_SIP_SESSION_MIN_SE", kind=Duration(low=90, high=3600), default="90",
        group="session", takes_effect="next call",
        summary="Min-SE: shortest Session-Expires accepted; less is answered 422",
        detail="Raising it makes 422 more frequent, not rarer. As caller the switch repeats the"
        " INVITE with at least the Min-SE of the 422 (RFC 4028 7.3).",
        manual="4.1.3 p.213; 4.3.5.2 p.231", rows=("STM-13", "TRB-03", "D20"),
        corrected="The source answers 422 by raising this; it has to be lowered (D20).",
    ),
)

NAT = (
    Param(
        name="SS_SIP_NAT_KEEP_ALIVE_MESSAGE", kind=Text(longest=64), default="HELLO",
        group="nat", takes_effect="now",
        summary="payload of the UDP packet that keeps a phone's NAT binding; empty sends none",
        detail="On by default. One-way packets need not refresh a binding: RFC 4787 REQ-6 asks"
        " that of outbound traffic only, which OPTIONS draws from the phone.",
        manual="4.1.2 p.212", rows=("NAT-02", "NAT-06", "CMP-05", "D30", "D63"),
        corrected="The source tells to enable it by setting HELLO, which is its default (D63),"
        " and trusts inbound packets to refresh the binding (D30).",
    ),
    Param(
        name="SS_SIP_NAT_KEEP_ALIVE_PERIOD", kind=Duration(low=10, high=86400), default="30",
        group="nat", takes_effect="now",
        summary="time between two keep-alives to one phone",
        detail="Bindings of home routers live 30 to 300 s. A connected call that drops after"
        " exactly 30 s is a missing RTP stream, after 32 s a missing ACK: neither is cured here.",
        manual="4.1.2 p.212", rows=("NAT-03", "TRB-01", "TRB-04", "CMP-06", "FQS-02", "D18"),
        corrected="The source cures drops at 30 s with this (D18).",
    ),
    Param(
        name="SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL", kind=Duration(low=1, high=10000, unit="ms"),
        default="500", group="nat", takes_effect="now",
        summary="pause between two batches of keep-alives",
        detail="A batch holds up to SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME packets.",
        manual="4.1.2 p.212", rows=("NAT-04", "D31"),
        corrected="The source pauses between packets: 3000 of them would take 1500 s of a 30 s"
        " period (D31).",
    ),
    Param(
        name="SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME", kind=Integer(low=1, high=10000,
                                                                 unit="packets"),
        default="3000", group="nat", takes_effect="now",
        summary="keep-alives sent in one batch",
        manual="4.1.2 p.212", rows=("NAT-05", "D31"),
    ),
)

ROWS = (*TIMEOUTS, *SESSION, *NAT)
