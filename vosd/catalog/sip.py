# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP parameters: time-outs, retransmission, session timer, NAT keep-alive."""

from __future__ import annotations

from vosd.catalog.kinds import Duration, Durations, Integer, Switch
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
        group="session", takes_effect="next call", obeyed=True,
        summary="Session-Expires: a connected call not refreshed for this long is ended",
        detail="Refreshed every TTL / SS_SIP_SESSION_UPDATE_SEGMENT, 300 s by default. The side"
        " that refreshes ends the call when a refresh stays unanswered or gets 408 or 481; the"
        " other side ends it min(32 s, TTL/3) before expiry. Below"
        " SS_SIP_SESSION_MIN_SE it counts as that.",
        manual="4.1.3 p.213; 4.3.5.2 p.230",
        rows=("STM-01", "STM-09", "STM-14", "STM-15", "CMP-06", "D19", "D21"),
        corrected="The source allows 60 s; RFC 4028 4 and 5 forbid less than 90 s and recommend"
        " 1800 s (D21). It ends calls after TTL, RFC 4028 10 earlier (D19).",
    ),
    Param(
        name="SS_SIP_SESSION_UPDATE_SEGMENT", kind=Integer(low=2, high=10), default="2",
        group="session", takes_effect="next call", obeyed=True,
        summary="divisor: the session is refreshed every TTL / segment",
        detail="RFC 4028 7.2 recommends half the interval, that is 2.",
        manual="4.1.3 p.213; 4.3.5.2 p.230", rows=("STM-10", "STM-14", "D22"),
    ),
    Param(
        name="SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP",
        kind=Duration(low=0, high=3600, words={"rfc": -1.0}), default="rfc",
        group="session", takes_effect="next call", obeyed=True,
        summary="how long before expiry an unrefreshed call is ended",
        detail="rfc is min(32 s, TTL/3), as RFC 4028 10 asks of the side that does not refresh;"
        " 0 waits for the expiry itself. Never more than a third of the interval: the other side"
        " refreshes in the middle of it.",
        manual="4.1.3 p.213; 4.3.5.2 p.230", rows=("STM-11", "D28"),
        corrected="The source's default is 0, exactly at expiry (D28).", seed="0",
    ),
    Param(
        name="SS_SIP_NO_TIMER_REINVITE_INTERVAL",
        kind=Duration(low=1, high=86400, words={"off": 0.0}), default="7200",
        group="session", takes_effect="next call", obeyed=True,
        summary="longest conversation with a peer that knows no session timer",
        detail="Such a peer is also asked whether it lives, see SS_SIP_NO_TIMER_PROBE_INTERVAL;"
        " this cuts its calls however alive they are. Off never does.",
        manual="4.1.3 p.213; 4.3.5.2 p.230", rows=("STM-12", "TRB-06", "FQS-01", "D27", "D29"),
        corrected="The name says re-INVITE interval, the source's text maximum duration; it is"
        " the maximum here (D27). The timer works when only one side knows it (D29).",
    ),
    Param(
        name="SS_SIP_NO_TIMER_PROBE_INTERVAL",
        kind=Duration(low=30, high=86400, words={"off": 0.0}), default="300",
        group="session", takes_effect="next call", obeyed=True,
        summary="how often a peer that knows no session timer is asked whether it lives",
        detail="Asked with OPTIONS inside the call. The call ends when the peer does not know it"
        " any more, or says nothing for 32 s while no audio comes from it either. The parameter"
        " is our own.",
        rows=("D27", "STM-02"),
    ),
    Param(
        name="SS_SIP_SESSION_MIN_SE", kind=Duration(low=90, high=3600), default="90",
        group="session", takes_effect="next call", obeyed=True,
        summary="Min-SE: shortest Session-Expires accepted; less is answered 422",
        detail="Raising it makes 422 more frequent, not rarer. As caller the switch repeats the"
        " INVITE with at least the Min-SE of the 422 (RFC 4028 7.3).",
        manual="4.1.3 p.213; 4.3.5.2 p.231", rows=("STM-13", "TRB-03", "D20"),
        corrected="The source answers 422 by raising this; it has to be lowered (D20).",
    ),
)

ROWS = (*TIMEOUTS, *SESSION)
