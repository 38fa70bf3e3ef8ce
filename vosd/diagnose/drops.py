# SPDX-License-Identifier: GPL-2.0-or-later
"""Drops that NAT keep-alive is blamed for, told apart in the order of D18.

No ACK ends a call after 64*T1 = 32 s, no audio after SS_RTP_TIMEOUT (30 s by default); what a NAT
does comes last and shows where a phone leaves an INVITE or a refresh unanswered.
"""

from __future__ import annotations

import re

import msgspec

from vosd.diagnose.missing import MISSING
from vosd.diagnose.outcome import SILENT, advice, attempts
from vosd.diagnose.refreshing import KEEPALIVE_ASKS, after, binding_change
from vosd.diagnose.rule import Applies, Rule
from vosd.diagnose.trace import Evidence, Leg, Trace, at, standing
from vosd.switch.media_policy import same_network

#: 2xx repeated so often did not merely cross with our ACK: 0.5, 1.5 and 3.5 s after the first
_REPEATS = 3
_TELLING_S = 30.0
_NEAR_S = 0.7
_host = re.compile(r"sips?:(?:[^@>;]*@)?(\[[^\]]+\](?::\d+)?|[^:;>]+(?::\d+)?)").search
#: rows of missing audio that an RTP time-out rests on
_AUDIO = (
    "no_media", "wrong_source", "one_way", "audio_to_private_address", "audio_not_arriving",
    "audio_stopped", "rtp_timeout",
)  # fmt: skip


def lost_ack(trace: Trace, leg: Leg) -> Evidence | None:
    """The answer was never confirmed within 64*T1 (RFC 3261 13.3.1.4)."""
    if trace.reason is None or trace.reason.name != "ack_timeout":
        return None
    lines = [f"no ACK came for the answer; the call ended {trace.view.duration_s:.1f} s after it"]
    view, got = leg.view, leg.received
    if view.signalling:
        lines.append(f"the answer went to {view.signalling}")
    if view.our_contact:
        lines.append(f"the ACK should come to {view.our_contact}")
    if got is not None and got.packets:
        lines.append(f"{leg.letter} got the answer: {got.packets} packets of its audio came")
    if view.nat:
        lines.append(f"{leg.letter} is behind NAT")
    found = Evidence(lines)
    ours = contact_host(view.our_contact)
    if standing(ours) == "private" and not same_network(_bare(ours), _bare(view.signalling)):
        lines.append(f"the switch's Contact names {at(ours)}, out of {leg.letter}'s reach")
        found.confidence = "certain"
        found.cause = f"The switch names a private address in its Contact to {leg.who}."
        found.change = "Give [[listen]] in vosd.toml the address that the other side reaches."
    return found


def ack_not_arriving(trace: Trace, leg: Leg) -> Evidence | None:
    """The called side repeats its 2xx: the switch's ACK does not get to it."""
    view, repeats = trace.b.view, trace.b.view.answers_repeated
    if not trace.answered or repeats < _REPEATS:
        return None
    lines = [f"its 200 came {repeats + 1} times although each was acknowledged"]
    if view.target:
        lines.append(f"the ACK went to {at(view.target)}; its Contact says {view.contact}")
    hung_up = trace.reason is not None and trace.reason.name == "callee_hangup"
    if hung_up:
        lines.append(f"it hung up {trace.view.duration_s:.1f} s after the answer{_said(trace)}")
    return Evidence(
        lines,
        {"contact": at(contact_host(view.contact)) if view.contact else "no address"},
        severity="critical" if hung_up else "warning",
    )


def _said(trace: Trace) -> str:
    return f" and gave as reason {trace.view.farewell}" if trace.view.farewell else ""


def contact_host(contact: str) -> str:
    """host:port of a Contact value, "" where it has none; a missing port is 5060."""
    found = _host(contact)
    if found is None:
        return ""
    bare = found[1]
    return bare if re.search(r":\d+$", bare) else f"{bare}:5060"


def _bare(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")


def _cut(trace: Trace) -> str | None:
    """How missing audio ended the call, or None when it did not."""
    reason = trace.reason.name if trace.reason is not None else ""
    seconds = trace.view.duration_s
    if reason == "media_timeout":
        return f"SS_RTP_TIMEOUT is {trace.here.rtp_timeout:.0f} s"
    if reason in ("caller_hangup", "callee_hangup") and abs(seconds - _TELLING_S) < _NEAR_S:
        who = trace.a.who if reason == "caller_hangup" else trace.b.who
        return f"{who} hung up {seconds:.1f} s after the answer: its own RTP time-out{_said(trace)}"
    return None


def _ending(rule: Rule) -> Rule:
    """The same finding, only where it ended the call."""
    def applies(trace: Trace, leg: Leg) -> Evidence | None:
        how = _cut(trace)
        found = rule.applies(trace, leg) if how is not None else None
        if found is not None and how is not None:
            found.lines.append(f"{how}; the ACK had come, so this is no lost ACK (32 s)")
        return found

    return msgspec.structs.replace(rule, applies=applies, rows=(*rule.rows, *_ROWS))


_ROWS = ("TRB-01", "FQS-02")
SILENT_DROPS: tuple[Rule, ...] = tuple(_ending(rule) for rule in MISSING if rule.code in _AUDIO)


def phone_unreachable(trace: Trace, leg: Leg) -> Evidence | None:
    """A registered phone left the INVITE unanswered (TRB-04, D30)."""
    reason, view, here = trace.reason, trace.b.view, trace.here
    if not trace.failed or reason is None or reason.name not in SILENT or view.kind != "phone":
        return None
    lines = attempts(trace)
    if view.registered_at is not None:
        idle = trace.view.started_at - view.registered_at
        lines.append(f"it had registered {idle:.0f} s before, from {view.signalling}")
    off = not here.keepalive
    kind = "off" if off else f"{here.keepalive} each {here.keepalive_period:.0f} s"
    lines.append(f"behind NAT: {'yes' if view.nat else 'not by its Contact'}; keep-alive: {kind}")
    found = Evidence(lines, confidence="likely" if view.nat else "possible")
    if view.party in here.unreachable:
        lines.append("it leaves keep-alives unanswered, three in a row or more, to this day")
        found.confidence = "likely"
    if off:
        found.cause = "Its NAT binding ran out: no keep-alive holds it open between registrations."
        found.change = KEEPALIVE_ASKS
    elif here.keepalive.upper() == "OPTIONS" and view.party not in here.unreachable:
        found.cause = "It answers keep-alives and did not answer the INVITE: phone, not NAT."
        found.change = f"vosctl phone show {view.party}"
    else:
        found.change = binding_change(trace, trace.b)
    return found


def not_registered(trace: Trace, _: Leg) -> Evidence | None:
    """Nobody can be called who is not registered; keep-alive does not matter then."""
    if trace.reason is None or trace.reason.name != "callee_not_registered":
        return None
    return Evidence(
        [f"phone {trace.view.callee} had no registration when it was called"],
        {"callee": trace.view.callee},
    )


def but_phones(applies: Applies) -> Applies:
    """The same rule, not for phones that leave an INVITE unanswered: they have a row of their own.
    """

    def narrowed(trace: Trace, leg: Leg) -> Evidence | None:
        return None if phone_unreachable(trace, leg) is not None else applies(trace, leg)

    return narrowed


def demanded(trace: Trace, _: Leg) -> Evidence | None:
    """A vendor's 422 that could not be met, so that the call failed (D20)."""
    if not trace.failed or trace.reason is None or trace.reason.name != "session_interval":
        return None
    timer = trace.b.view.timer
    wanted = timer.min_se if timer is not None else 0
    lines = [*attempts(trace), f"SS_SIP_SESSION_TTL is {trace.here.ttl:.0f} s now"]
    found = Evidence(lines)
    if not wanted:
        lines.append("its 422 names no Min-SE, so nobody can know what it takes")
        return found
    lines.append(f"its 422 asks for {wanted} s at least, 422 met: {timer.refusals if timer else 0}")
    if trace.here.ttl < wanted <= _MOST_S:
        found.change = f"vosctl param set SS_SIP_SESSION_TTL={wanted}"
    else:
        found.change = f"Have {trace.b.party} lower its Min-SE of {wanted} s, or correct its 422."
    return found


#: longest Session-Expires there may be here
_MOST_S = 86400


def signalling_lost(trace: Trace, leg: Leg) -> Evidence | None:
    """Ended for its signalling, and the evidence does not show which side."""
    reason = trace.reason
    if not trace.answered or reason is None or reason.name not in ("session_timeout", "leg_lost"):
        return None
    if any(each.view.timer and each.view.timer.trouble for each in trace.legs):
        return None
    ended = trace.view.ended_at
    lines = [f"end reason {reason.name}: {reason.text}", *attempts(trace)]
    if ended is not None:
        lines.append(f"ended {after(trace, ended)}")
    return Evidence(lines, change=advice(trace) or None)
