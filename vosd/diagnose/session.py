# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings about a call's session: why it dropped, and what keeps it (TRB-01 to TRB-06)."""

from __future__ import annotations

from vosd.diagnose import drops, refreshing
from vosd.diagnose.drops import SILENT_DROPS
from vosd.diagnose.rule import Rule

#: what ends a call or keeps it from beginning; also among the findings of a call
SESSION: tuple[Rule, ...] = (
    Rule(
        code="lost_ack",
        title="The caller never confirmed the answer",
        applies=drops.lost_ack,
        side="a",
        severity="critical",
        confidence="likely",
        cause="The ACK of {a} does not reach the address in the switch's Contact, most often "
        "for a SIP ALG or NAT before it. This is the drop at 32 s (64*T1); no keep-alive cures it.",
        change="Have {a_party} switch SIP ALG off and send its ACK to the Contact of the answer.",
        disproof="A capture at the switch shows the ACK, with the Call-ID and CSeq of the INVITE.",
        rows=("D18", "TRB-01", "FQS-02", "RFC 3261 13.3.1.4"),
    ),
    Rule(
        code="ack_not_arriving",
        title="The ACK of the switch does not reach {b}",
        applies=drops.ack_not_arriving,
        side="b",
        cause="{b} names {contact} in its Contact, and the ACK sent there does not arrive. It "
        "gives up after 64*T1 = 32 s; no keep-alive cures it.",
        change="Have {b_party} name in its Contact an address that the switch reaches.",
        disproof="A capture at {b_party} shows the ACK coming in.",
        rows=("D18", "TRB-01", "FQS-02", "RFC 3261 13.3.1.4"),
    ),
    Rule(
        code="refresh_unanswered",
        title="{who} does not answer session refreshes",
        applies=refreshing.unanswered,
        legs="each",
        confidence="likely",
        cause="{who} died or lost its network, and the timer ended the call as it has to.",
        change="Have {party} look for a restart or a lost connection at that moment.",
        disproof="A capture at {party} shows {method} coming in and a 200 going out.",
        rows=("TRB-02", "D19", "STM-03", "STM-04", "STM-06", "RFC 4028 10"),
    ),
    Rule(
        code="refresh_refused",
        title="{who} refuses session refreshes",
        applies=refreshing.refused,
        legs="each",
        cause="{who} answers {method} with {code}; without a 2xx a session ends at its expiry.",
        change="Have {party} accept {method} with an unchanged session inside a call; it answers "
        "{code}.",
        disproof="A trace of a longer call shows a 2xx to a refresh.",
        rows=("TRB-02", "TRB-03", "D19", "D20", "STM-18", "RFC 4028 10"),
    ),
    Rule(
        code="refresh_missing",
        title="{who} did not refresh the session as agreed",
        applies=refreshing.missing,
        legs="each",
        confidence="likely",
        cause="{who} died or lost its network, and the timer ended the call as it has to.",
        change="Have {party} look for a restart or a lost connection at that moment.",
        disproof="A capture at the switch shows UPDATE or re-INVITE of {party} to {contact}.",
        rows=("TRB-02", "D19", "STM-15", "RFC 4028 10"),
    ),
    Rule(
        code="call_forgotten",
        title="{who} does not know the call any more",
        applies=refreshing.forgotten,
        legs="each",
        cause="{who} restarted, or ended the call and its BYE was lost.",
        change="Have {party} look for a restart, or for a BYE it sent, at that moment.",
        disproof="{party}'s own record shows the call connected then.",
        rows=("TRB-02", "STM-05", "D19", "RFC 3261 12.2.1.2"),
    ),
    Rule(
        code="peer_unproven",
        title="{who} did not answer whether it lives",
        applies=refreshing.unproven,
        legs="each",
        confidence="likely",
        cause="{who} died or lost its network; it knows no session timer, so it was asked.",
        change="Have {party} look for a restart or a lost connection at that moment.",
        disproof="A capture at {party} shows OPTIONS coming in and any answer going out.",
        rows=("TRB-06", "D27", "STM-02"),
    ),
    Rule(
        code="session_limit",
        title="The call reached the greatest length without session timer",
        applies=refreshing.limited,
        side="switch",
        cause="A side knows no session timer (RFC 4028), so the call is cut however alive it is.",
        change="vosctl param set SS_SIP_NO_TIMER_REINVITE_INTERVAL=14400",
        disproof="Both sides agreed on a session timer.",
        rows=("TRB-06", "FQS-01", "STM-12", "D27"),
    ),
    Rule(
        code="interval_demanded",
        title="{b} wants a longer session interval",
        applies=drops.demanded,
        side="b",
        cause="{b} answered 422. The INVITE is repeated with what a 422 asks for; raising "
        "SS_SIP_SESSION_MIN_SE makes it worse.",
        change="vosctl param set SS_SIP_SESSION_TTL=1800",
        disproof="A trace shows a 2xx to an INVITE with the same Session-Expires.",
        rows=("TRB-03", "D20", "RFC 4028 7.3"),
    ),
    Rule(
        code="interval_too_small",
        title="{who} asks for a session interval under the minimum",
        applies=refreshing.too_short,
        legs="each",
        cause="The switch answers 422 with its Min-SE; a party that obeys RFC 4028 asks again at "
        "once. Raising SS_SIP_SESSION_MIN_SE makes it worse.",
        change="vosctl param set SS_SIP_SESSION_MIN_SE=90",
        disproof="A trace shows {party} repeating the request with the Min-SE of the 422.",
        rows=("TRB-03", "D20", "STM-13", "RFC 4028 9"),
    ),
    Rule(
        code="phone_unreachable",
        title="{b} does not get incoming calls",
        applies=drops.phone_unreachable,
        side="b",
        cause="Its registration stands and its NAT binding ran out: packets that nobody answers "
        "need not keep one (RFC 4787 REQ-6).",
        change="vosctl phone show {callee}",
        disproof="A capture at the phone shows the INVITE coming in.",
        rows=("TRB-04", "NAT-01", "D30", "FQS-02"),
    ),
    Rule(
        code="signalling_lost",
        title="One side's signalling was lost during the call",
        applies=drops.signalling_lost,
        cause="The session was not refreshed or a side forgot the call; which one is not kept.",
        change="vosctl status",
        disproof="That side's own record shows it hung up.",
        rows=("STM-04", "D19"),
    ),
)
#: the rest of a session's own diagnosis
NOTES: tuple[Rule, ...] = (
    Rule(
        code="not_registered",
        title="Phone {callee} is not registered",
        applies=drops.not_registered,
        side="b",
        cause="Its registration ran out or never was: keep-alive is not asked for yet.",
        change="vosctl phone show {callee}",
        disproof="The phone was shown as registered at that moment.",
        rows=("TRB-04", "NAT-01"),
    ),
    Rule(
        code="unguarded",
        title="Nothing would end this call if {untimed} died",
        applies=refreshing.unguarded,
        cause="No session timer was agreed on, the party is not asked whether it lives, there is "
        "no greatest length, and its audio is not watched: it can stay for ever.",
        change="vosctl param set SS_SIP_NO_TIMER_REINVITE_INTERVAL=7200",
        disproof="The call ends by itself when that side is unplugged.",
        rows=("TRB-06", "STM-02", "D27"),
    ),
    Rule(
        code="no_timer",
        title="No session timer with {untimed}",
        applies=refreshing.without,
        severity="info",
        cause="INVITE or answer named none: the peer lacks RFC 4028, or has it off.",
        change="Have {parties} switch on session timers (RFC 4028).",
        disproof="A trace shows Session-Expires in what came from there.",
        rows=("TRB-06", "FQS-01", "DBG-05", "D27", "D29"),
    ),
    Rule(
        code="interval_raised",
        title="The session interval was raised for {who}",
        applies=refreshing.raised,
        legs="each",
        severity="info",
        cause="Its 422 was obeyed as RFC 4028 7.3 says; the call cost one more round trip.",
        change="vosctl param set SS_SIP_SESSION_TTL={min_se}",
        disproof="A trace shows no 422.",
        rows=("TRB-03", "D20"),
    ),
    Rule(
        code="glare",
        title="Both sides asked at once, and {who} was asked again",
        applies=refreshing.glare,
        legs="each",
        severity="info",
        cause="491 is normal: each side waits a random time and asks again (RFC 3261 14.1).",
        change="Nothing: it is retried by itself.",
        disproof="The same request is refused with 491 again and again.",
        rows=("TRB-05", "D25"),
    ),
)
#: in the order of D18: no ACK, no audio, then the session timers and NAT
RULES: tuple[Rule, ...] = (*SESSION[:2], *SILENT_DROPS, *SESSION[2:], *NOTES)
