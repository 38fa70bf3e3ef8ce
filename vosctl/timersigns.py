# SPDX-License-Identifier: GPL-2.0-or-later
"""What a trace shows of session timers (RFC 4028): the marks of a message, the verdict of a leg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vosd.sip.message import Message
from vosd.wire.traces import TraceMessage

HARD_CAP = "the hard cap applies (SS_SIP_NO_TIMER_REINVITE_INTERVAL)"


class Parsed(NamedTuple):
    """A message of a trace, as it crossed the wire and taken apart."""

    wire: TraceMessage
    sip: Message

    @property
    def sender(self) -> str:
        return self.wire.source if self.wire.direction == "in" else "the switch"

    @property
    def names_timer(self) -> bool:
        return _lists_timer(self.sip, "supported") or _lists_timer(self.sip, "require")


def marks(sip: Message) -> list[str]:
    """The header lines of a message that speak of session timers, in the RFC's spelling."""
    values = (("Session-Expires", sip.get("session-expires")), ("Min-SE", sip.get("min-se")))
    lists = (("Supported", "supported"), ("Require", "require"))
    found = [f"{title}: {value}" for title, value in values if value is not None]
    return found + [f"{title}: timer" for title, name in lists if _lists_timer(sip, name)]


def verdict(leg: Sequence[Parsed]) -> list[str]:
    """What was agreed on a leg and what is missing, as sentences (DBG-02 to DBG-05)."""
    invites = [each for each in leg if each.sip.method == "INVITE"]
    asked = next((each for each in invites if each.sip.is_request), None)
    if asked is None:
        return ["its INVITE is not in this trace"] if leg else []
    said = []
    if asked.sip.get("session-expires") and not _lists_timer(asked.sip, "supported"):
        said.append("its INVITE has Session-Expires without Supported: timer (RFC 4028 7.1)")
    for each in invites:
        if each.sip.code == 422:
            least = each.sip.get("min-se") or "more than it"
            said.append(f"422, the interval is too small: {least} s is the least {each.sender} "
                        "takes")  # fmt: skip
    answer = next((each for each in invites if 200 <= each.sip.code < 300), None)
    if answer is not None:
        said += _agreed(asked, answer)
        said += _refreshed(answer, leg)
    return said


def _agreed(asked: Parsed, answer: Parsed) -> list[str]:
    """The timer the 2xx confirms, and what RFC 4028 9 wants in it."""
    ok = answer.sip
    expires = ok.get("session-expires")
    if expires is None:
        return [_without(asked, answer)]
    seconds, refresher = ok.number("session-expires"), _refresher(expires)
    if seconds is None:
        return [f"cannot read Session-Expires {expires!r} in the {ok.code}"]
    who = {"uac": asked, "uas": answer}.get(refresher)
    lines = [f"session timer {seconds} s, refreshed by {who.sender if who else 'nobody named'}, "
             f"due after {seconds // 2} s"]  # fmt: skip
    if who is None:
        lines.append(f"no refresher in the {ok.code}: both sides may think the other one refreshes"
                     " (RFC 4028 9)")  # fmt: skip
    elif refresher == "uac" and not _lists_timer(ok, "require"):
        lines.append(f"no Require: timer in the {ok.code} although refresher=uac (RFC 4028 9)")
    return lines


def _without(asked: Parsed, answer: Parsed) -> str:
    """Why no timer runs: who of the two does not know RFC 4028 (DBG-05)."""
    code = answer.sip.code
    offered = asked.names_timer or asked.sip.get("session-expires") is not None
    if answer.wire.direction == "out":
        if offered:
            return f"no Session-Expires in our {code} although {asked.sender} offered: {HARD_CAP}"
        return f"{asked.sender} offers no session timer: peer lacks RFC 4028, {HARD_CAP}"
    why = "peer lacks RFC 4028" if offered else "our INVITE offered none"
    return f"no Session-Expires in the {code} of {answer.sender}: {why}, {HARD_CAP}"


def _refreshed(answer: Parsed, leg: Sequence[Parsed]) -> list[str]:
    """The refreshes after the answer, or that one is missing when it was due (DBG-04)."""
    later = [each for each in leg if each.wire.at > answer.wire.at]
    # by CSeq and direction: a retransmission is no second refresh
    refreshes = {
        (each.sip.cseq, each.wire.direction): each
        for each in later
        if each.sip.is_request and each.sip.method in ("UPDATE", "INVITE")
    }
    if refreshes:
        last = list(refreshes.values())[-1]
        after = last.wire.at - answer.wire.at
        return [f"{len(refreshes)} UPDATE or re-INVITE after the answer, the last "
                f"({last.sip.method} by {last.sender}) {after:.0f} s after it"]  # fmt: skip
    seconds = answer.sip.number("session-expires")
    span = later[-1].wire.at - answer.wire.at if later else 0.0
    if seconds is not None and span > seconds / 2:
        return [f"no refresh in {span:.0f} s after the answer: one was due after {seconds // 2} s"]
    return []


def _refresher(expires: str) -> str:
    for part in expires.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "refresher":
            return value.strip().lower()
    return ""


def _lists_timer(sip: Message, name: str) -> bool:
    return any(tag.strip().lower() == "timer" for tag in sip.all(name))
