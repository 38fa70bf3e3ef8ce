# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a call ended: one row per reason, what a final code of a vendor means, and when to hunt on.

A reason is a word; the number beside it is only for exports that want the vendor-style list
(1-16 where that list has the case, from 100 upward where it has none; 1 and 7-9 stay free for
plain "normal" and for money). Causes follow Q.850, their SIP codes RFC 3398 7.2.4.1 and 8.2.6.1.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Fault: TypeAlias = Literal["caller", "callee", "vendor", "network", "switch", "operator", "none"]
Hunt: TypeAlias = Literal["stop", "next"]


class Reason(msgspec.Struct, frozen=True):
    """One end reason.

    `sip` is what the caller is told while the call is unanswered; 200 marks reasons that come only
    after the answer. `q850` goes into the Reason header (RFC 3326) of BYE, CANCEL and refusals.
    """

    name: str
    fault: Fault
    sip: int
    q850: int
    text: str
    #: the one thing to do, "" when nothing is wrong
    advice: str
    number: int

    def header(self) -> str:
        """Value of the Reason header, for instance `Q.850;cause=16;text="caller hung up"`."""
        return f'Q.850;cause={self.q850};text="{self.text}"'


# fmt: off
_ROWS: tuple[Reason, ...] = (
    Reason("caller_hangup", "none", 200, 16, "caller hung up", "", 11),
    Reason("callee_hangup", "none", 200, 16, "callee hung up", "", 12),
    Reason("cancelled", "none", 487, 16, "caller gave up before the answer", "", 100),
    Reason("busy", "callee", 486, 17, "callee is busy", "", 2),
    Reason("no_answer", "callee", 480, 19, "callee rang and did not answer",
           "Where it rang too short, vosctl param set SS_SIP_TIMEOUT_RINGING=180s.", 3),
    Reason("unallocated_number", "caller", 404, 1, "number does not exist",
           "Compare the number sent with what the gateway serves: vosctl cdr show ID.", 4),
    Reason("address_incomplete", "caller", 484, 28, "number is too short or malformed",
           "Check the number the customer sends: vosctl cdr show ID.", 101),
    Reason("number_changed", "callee", 410, 22, "number has changed", "", 102),
    Reason("callee_unavailable", "callee", 480, 18, "callee cannot be reached now",
           "Try again later; where every call ends so, vosctl diagnose gateway NAME.", 103),
    Reason("callee_not_registered", "callee", 480, 20, "called phone is not registered",
           "See when it last registered: vosctl phone show NUMBER.", 104),
    Reason("declined", "callee", 603, 21, "callee refused the call", "", 105),
    # what a vendor answers
    Reason("congestion", "vendor", 503, 42, "vendor has no free capacity",
           "Lower its capacity here to what it grants: vosctl gateway set NAME capacity=N.", 5),
    Reason("vendor_failure", "vendor", 502, 41, "vendor failed",
           "Probe it and hold it out while it fails: vosctl gateway probe NAME.", 106),
    Reason("vendor_timeout", "vendor", 504, 102, "vendor reported a time-out of its own",
           "Probe it: vosctl gateway probe NAME.", 107),
    Reason("vendor_authentication", "vendor", 503, 21, "vendor asks for a log-in we do not have",
           "Store the vendor's user and password: "
           "vosctl gateway set NAME user=USER password-file=FILE.", 108),
    Reason("vendor_forbidden", "vendor", 503, 21, "vendor forbids the call",
           "Ask the vendor whether our address, number format and credit are accepted; "
           "until then vosctl gateway disable NAME.", 109),
    Reason("vendor_credit", "vendor", 503, 21, "vendor asks for payment",
           "Pay the vendor; until then vosctl gateway disable NAME.", 110),
    Reason("vendor_refused", "vendor", 502, 127, "vendor does not accept the form of the request",
           "Show the vendor what was refused: vosctl cdr show ID.", 111),
    Reason("vendor_redirected", "vendor", 502, 38, "vendor redirects, which is not followed",
           "Add the named target as a gateway of its own: vosctl gateway add NAME.", 112),
    Reason("vendor_terminated", "vendor", 480, 31, "vendor ended the call attempt by itself",
           "Probe it: vosctl gateway probe NAME.", 113),
    Reason("session_interval", "vendor", 422, 127, "session interval too small for the vendor",
           "Raise the interval, not the minimum: vosctl param set SS_SIP_SESSION_TTL=1800s.", 114),
    Reason("interval_too_small", "caller", 422, 127, "caller's session interval is too small",
           "Lower the minimum where it is above 90 s: vosctl param set SS_SIP_SESSION_MIN_SE=90.",
           138),
    # waiting in vain (vos3000.md 2.1)
    Reason("gateway_unreachable", "vendor", 502, 27, "gateway cannot be reached",
           "Probe it: vosctl gateway probe NAME.", 115),
    Reason("invite_timeout", "vendor", 504, 102, "gateway did not answer the INVITE at all",
           "Probe it: vosctl gateway probe NAME.", 116),
    Reason("trying_timeout", "vendor", 504, 102, "gateway said Trying and then nothing",
           "Probe it; a slow vendor may need vosctl param set SS_SIP_TIMEOUT_TRYING=30s.", 117),
    Reason("progress_timeout", "vendor", 504, 102, "gateway stayed in session progress",
           "A slow vendor may need vosctl param set SS_SIP_TIMEOUT_SESSION_PROGRESS=30s.", 118),
    Reason("ringing_timeout", "callee", 480, 19, "callee rang longer than we wait",
           "Where it rang too short, vosctl param set SS_SIP_TIMEOUT_RINGING=180s.", 119),
    # ours to decide
    Reason("route_not_found", "operator", 404, 3, "no gateway serves the number",
           "Give a gateway the prefix: vosctl gateway set NAME prefix=PREFIX.", 6),
    Reason("route_capacity", "operator", 503, 34, "every gateway for the number is full",
           "Raise a capacity or add a gateway: vosctl gateway set NAME capacity=N.", 120),
    Reason("limit_capacity", "caller", 503, 34, "customer has as many calls as allowed",
           "Raise the customer's capacity: vosctl gateway set NAME capacity=N.", 121),
    Reason("limit_cps", "caller", 503, 42, "more new calls a second than allowed",
           "Raise the limit where the machine bears it: vosctl param set SS_MAX_CPS=N.", 122),
    Reason("blacklist", "caller", 403, 21, "number is on the black list",
           "See the row that decides: vosctl blacklist check NUMBER.", 123),
    Reason("caller_unknown", "caller", 403, 21, "call comes from no known gateway or phone",
           "Add the sender's address if it is a customer: vosctl gateway add NAME "
           "--kind mapping --address ADDRESS.", 124),
    Reason("caller_disabled", "operator", 403, 21, "customer is disabled",
           "Enable it: vosctl gateway enable NAME.", 10),
    Reason("authentication_failed", "caller", 403, 21, "wrong user or password",
           "Give the customer a new password: vosctl gateway set NAME password-file=FILE.", 16),
    Reason("codec_mismatch", "none", 488, 65, "no codec or media profile in common",
           "Let both sides offer one codec in common: vosctl cdr show ID.", 125),
    Reason("loop_detected", "operator", 482, 25, "call came back to this switch",
           "Remove the gateway that points back here: vosctl gateway list.", 126),
    Reason("too_many_hops", "network", 483, 25, "call passed too many switches",
           "Look for two switches routing at each other: vosctl gateway list.", 127),
    Reason("bad_request", "caller", 400, 41, "request cannot be understood",
           "Show the sender what came: vosctl cdr show ID.", 128),
    # ended by the switch or the operator
    Reason("forced", "operator", 480, 31, "operator ended the call", "", 13),
    Reason("session_timeout", "network", 200, 102, "session was not refreshed (RFC 4028)",
           "See which side stopped: vosctl cdr show ID.", 14),
    Reason("session_limit", "network", 200, 102,
           "call without session timer reached its limit",
           "Allow longer calls: vosctl param set SS_SIP_NO_TIMER_REINVITE_INTERVAL=14400.", 137),
    Reason("media_timeout", "network", 200, 41, "no audio came for the RTP time-out",
           "See which side fell silent: vosctl diagnose call ID.", 15),
    Reason("ack_timeout", "network", 200, 102, "caller never confirmed the answer (lost ACK)",
           "See where the ACK should have come: vosctl diagnose call ID.", 129),
    Reason("leg_lost", "network", 200, 41, "one side no longer knows the call",
           "Compare both sides' clocks and restarts: vosctl cdr show ID.", 130),
    Reason("media_unavailable", "switch", 503, 47, "no RTP port is free",
           "Widen the range: vosctl param set SS_MEDIAPROXYPORT_END=PORT.", 131),
    Reason("record_unavailable", "switch", 503, 41, "call record cannot be stored",
           "Free the disk or repair the database: vosctl status.", 132),
    Reason("draining", "operator", 503, 38, "switch is going down and takes no new calls", "", 133),
    Reason("drained", "operator", 503, 38, "call outlasted the time to drain",
           "Give calls more time: vosctl param set SERVER_DRAIN_TIMEOUT=600s.", 134),
    Reason("node_lost", "switch", 200, 41, "switch stopped without closing the call",
           "Look for the crash: vosctl status, then journalctl -u vosd.", 135),
    Reason("internal_error", "switch", 500, 41, "switch made a mistake",
           "Report it with the log: journalctl -u vosd.", 136),
)
# fmt: on

REASONS: dict[str, Reason] = {row.name: row for row in _ROWS}

# A final code names its own reason here, its class does below.
_BY_CODE: dict[int, str] = {
    401: "vendor_authentication",
    402: "vendor_credit",
    403: "vendor_forbidden",
    404: "unallocated_number",
    407: "vendor_authentication",
    408: "vendor_timeout",
    410: "number_changed",
    422: "session_interval",
    480: "callee_unavailable",
    482: "loop_detected",
    483: "too_many_hops",
    484: "address_incomplete",
    485: "unallocated_number",
    486: "busy",
    487: "vendor_terminated",
    488: "codec_mismatch",
    503: "congestion",
    504: "vendor_timeout",
    600: "busy",
    604: "unallocated_number",
    606: "codec_mismatch",
}
_BY_CLASS: dict[int, str] = {
    3: "vendor_redirected",
    4: "vendor_refused",
    5: "vendor_failure",
    6: "declined",
}


def for_sip(code: int) -> Reason:
    """The reason behind a final code 300-699 that a gateway or phone sent unasked."""
    name = _BY_CODE.get(code) or _BY_CLASS.get(code // 100, "vendor_failure")
    return REASONS[name]


#: Codes that differ from their class, or that the issue names. "stop": the answer is about the
#: callee, so another vendor would hear the same, or hunting would do harm.
HUNT: dict[int, Hunt] = {
    404: "stop",
    408: "next",
    410: "stop",
    # another vendor gets the same interval: raising it is the cure (D20)
    422: "stop",
    433: "stop",
    # a wholesale vendor says 480 for "no route" too; a callee that rang is kept by the rule
    # that hunting ends with ringing (SS_GATEWAY_SWITCH_UNTIL_CONNECT)
    480: "next",
    # hunting on inside a loop multiplies calls (RFC 5393)
    482: "stop",
    483: "stop",
    484: "stop",
    485: "stop",
    486: "stop",
    487: "stop",
    # another vendor may share a codec; 606 is final for the callee as every 6xx
    488: "next",
    600: "stop",
    603: "stop",
    606: "stop",
}
#: 3xx: a vendor may not choose our next hop, so it counts as a refusal. Other 4xx (401, 403 and
#: 407 among them) and 5xx speak of that vendor alone. 6xx is final everywhere (RFC 3261 21.6).
_HUNT_CLASS: dict[int, Hunt] = {3: "next", 4: "next", 5: "next", 6: "stop"}


def hunts_on(code: int) -> bool:
    """Whether the next route is tried after this final code; unknown classes stop."""
    return (HUNT.get(code) or _HUNT_CLASS.get(code // 100, "stop")) == "next"


# RFC 3398 7.2.4.1. Cause 16 has no status: it is BYE or CANCEL.
_SIP_FOR_CAUSE: dict[int, int] = {
    1: 404, 2: 404, 3: 404, 17: 486, 18: 408, 19: 480, 20: 480, 21: 403, 22: 410, 23: 410,
    26: 404, 27: 502, 28: 484, 29: 501, 31: 480, 34: 503, 38: 503, 41: 503, 42: 503, 47: 503,
    55: 403, 57: 403, 58: 503, 65: 488, 70: 488, 79: 501, 87: 403, 88: 503, 102: 504, 111: 500,
    127: 500,
}  # fmt: skip
# RFC 3398 8.2.6.1. 487, 488 and 606 have no fixed cause there.
_CAUSE_FOR_SIP: dict[int, int] = {
    400: 41, 401: 21, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 407: 21, 408: 102, 410: 22,
    413: 127, 414: 127, 415: 79, 416: 127, 420: 127, 421: 127, 423: 127, 480: 18, 481: 41,
    482: 25, 483: 25, 484: 28, 485: 1, 486: 17, 500: 41, 501: 79, 502: 38, 503: 41, 504: 102,
    505: 127, 513: 127, 600: 17, 603: 21, 604: 1,
}  # fmt: skip


def sip_for_cause(cause: int) -> int:
    """SIP status for a Q.850 cause; 500 for a cause without a row (RFC 3398 7.2.4.1)."""
    return _SIP_FOR_CAUSE.get(cause, 500)


def cause_for_sip(code: int) -> int:
    """Q.850 cause for a SIP final code; 127, interworking, for a code without a row."""
    return _CAUSE_FOR_SIP.get(code, 127)
