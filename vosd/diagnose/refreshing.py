# SPDX-License-Identifier: GPL-2.0-or-later
"""What the refreshes of a session prove: who stopped answering, refusing or refreshing (D19).

A leg is blamed for the end of a call by what it did after its last granted refresh: the switch
refreshed and heard nothing, or a refusal, or the party was to refresh and did not. Audio that still
comes tells a party that lives from one that died.
"""

from __future__ import annotations

from collections import Counter

from vosd.diagnose.trace import Evidence, Leg, Trace
from vosd.wire.timers import RefreshTrouble, TimerView

#: audio this shortly before counts as going on
_FRESH_S = 5.0
#: NAT bindings of UDP may be as short as this (NAT-01): keep-alives have to come faster
_SAFE_PERIOD_S = 15.0
KEEPALIVE_ASKS = "vosctl param set SS_SIP_NAT_KEEP_ALIVE_MESSAGE=OPTIONS"
KEEPALIVE_FASTER = "vosctl param set SS_SIP_NAT_KEEP_ALIVE_PERIOD=15"


def after(trace: Trace, at: float) -> str:
    """A moment as the call counts it."""
    return f"{at - (trace.view.answered_at or at):.0f} s after the answer"


def failed(leg: Leg) -> list[RefreshTrouble]:
    """What the switch asked of this leg in vain since the last refresh that was granted."""
    timer = leg.view.timer
    if timer is None:
        return []
    return [row for row in timer.trouble
            if row.by == "switch" and row.method and row.at > (timer.last_at or 0.0)]  # fmt: skip


def _blamed(trace: Trace, leg: Leg) -> RefreshTrouble | None:
    """The latest failure, where it ended the call or still threatens it."""
    reason = trace.reason.name if trace.reason is not None else ""
    rows = failed(leg)
    if rows and trace.lives and rows[-1].code == 491:
        return None  # asked again in a moment
    if not rows or not (trace.lives or reason in ("session_timeout", "leg_lost")):
        return None
    others = failed(leg.other)
    if not trace.lives and others and others[-1].at > rows[-1].at:
        return None
    return rows[-1]


def unanswered(trace: Trace, leg: Leg) -> Evidence | None:
    """A refresh of ours that nobody answered (RFC 4028 10: the refresher ends the call)."""
    row, timer = _blamed(trace, leg), leg.view.timer
    if row is None or timer is None or not timer.interval_s or row.code not in (0, 408):
        return None
    why = "could not be sent" if row.note == "transport" else "got no answer"
    found = Evidence(
        [f"{row.method} to {leg.who} {why}; given up {after(trace, row.at)}",
         *_history(trace, leg, timer)],
        {"method": row.method},
    )  # fmt: skip
    _life(found, trace, leg, row)
    return found


def _life(found: Evidence, trace: Trace, leg: Leg, row: RefreshTrouble) -> None:
    """Tell a party that died from one that only its signalling does not reach."""
    heard = leg.received.last_at if leg.received is not None else None
    if heard is None:
        found.lines.append(f"whether audio still came from {leg.letter} is unknown")
        found.confidence = "possible"
        return
    gap = row.at - heard
    if gap > _FRESH_S:
        found.lines.append(f"its last audio came {gap:.0f} s before that: it died, or its path did")
        return
    found.lines.append(f"its audio went on until {max(gap, 0.0):.0f} s before that: it lives")
    found.cause = f"{leg.who} lives and the switch's {row.method} does not get to it."
    if leg.view.nat:
        found.lines.append(f"{leg.letter} is behind NAT, seen at {leg.view.signalling}")
        found.cause += " Its NAT closed the way for signalling while audio kept its own way open."
    found.change = binding_change(trace, leg) if leg.view.nat else (
        f"Have {leg.party} answer {row.method} for Call-ID {leg.view.call_id}, as its Allow says."
    )


def binding_change(trace: Trace, leg: Leg) -> str:
    """What keeps the NAT before a party open; keep-alives go to registered phones only (D30)."""
    here = trace.here
    if leg.is_gateway:
        return f"Have {leg.party} switch SIP ALG off on its router and open its SIP port there."
    if here.keepalive.upper() != "OPTIONS":
        return KEEPALIVE_ASKS
    if here.keepalive_period > _SAFE_PERIOD_S:
        return KEEPALIVE_FASTER
    return f"On the router of {leg.party} switch SIP ALG off."


def refused(trace: Trace, leg: Leg) -> Evidence | None:
    """Refreshes of ours that were answered, and not with a 2xx."""
    row, timer = _blamed(trace, leg), leg.view.timer
    if row is None or timer is None or not timer.interval_s or row.code in (0, 408, 481):
        return None
    counted = Counter(f"{each.method} {each.code}" for each in failed(leg))
    said = ", ".join(f"{text} ({count} times)" if count > 1 else text
                     for text, count in counted.items())  # fmt: skip
    found = Evidence(
        [f"{leg.who} answered: {said}; the last {after(trace, row.at)}",
         *_history(trace, leg, timer)],
        {"method": row.method, "code": str(row.code)},
    )  # fmt: skip
    if row.code == 422 and timer.min_se:
        found.lines.append(f"its 422 asks for {timer.min_se} s at least")
        found.change = f"vosctl param set SS_SIP_SESSION_TTL={timer.min_se}"
    return found


def forgotten(trace: Trace, leg: Leg) -> Evidence | None:
    """481: the party does not know the call any more (RFC 3261 12.2.1.2)."""
    row = _blamed(trace, leg)
    if row is None or row.code != 481:
        return None
    lines = [f"{leg.who} answered {row.method} with 481 {after(trace, row.at)}"]
    timer = leg.view.timer
    return Evidence(lines + (_history(trace, leg, timer) if timer is not None else []))


def missing(trace: Trace, leg: Leg) -> Evidence | None:
    """The party had to refresh, and the session ran out (RFC 4028 10)."""
    timer = leg.view.timer
    if timer is None or timer.refresher != "party" or not timer.trouble:
        return None
    row = timer.trouble[-1]
    if row.method or trace.reason is None or trace.reason.name != "session_timeout":
        return None
    since = trace.view.answered_at if timer.last_at is None else timer.last_at
    lines = [
        f"{leg.who} was to refresh within {timer.interval_s} s and none came for "
        f"{row.at - (since or row.at):.0f} s; given up {after(trace, row.at)}",
        *_history(trace, leg, timer),
    ]
    found = Evidence(lines, {"contact": leg.view.our_contact or "the switch's Contact"})
    heard = leg.received.last_at if leg.received is not None else None
    if heard is not None and row.at - heard <= _FRESH_S:
        lines.append("its audio went on until the end: it lives")
        found.cause = f"{leg.who} agreed to refresh and does not, or its refresh gets lost."
        found.change = (
            f"Have {leg.party} send UPDATE or re-INVITE to {found.words['contact']} "
            f"each {timer.interval_s // 2} s."
        )
    elif heard is not None:
        lines.append(f"its last audio came {row.at - heard:.0f} s before: it died, or its path did")
    return found


def unproven(trace: Trace, leg: Leg) -> Evidence | None:
    """A party without session timer left the question whether it lives unanswered (D27)."""
    row, timer = _blamed(trace, leg), leg.view.timer
    if row is None or timer is None or timer.interval_s or row.code not in (0, 408):
        return None
    found = Evidence(
        [f"{row.method} to {leg.who} got no answer; given up {after(trace, row.at)}",
         *_history(trace, leg, timer)]
    )  # fmt: skip
    got = leg.received
    if got is not None:
        heard = "none came at all" if got.last_at is None else (
            f"the last came {row.at - got.last_at:.0f} s before"
        )
        found.lines.append(f"no audio of it came meanwhile: {heard}")
    if leg.view.nat:
        found.lines.append(f"{leg.letter} is behind NAT, seen at {leg.view.signalling}")
        found.change = binding_change(trace, leg)
    return found


def _history(trace: Trace, leg: Leg, timer: TimerView) -> list[str]:
    """The agreement, and how it went before."""
    lines, word = [agreement(timer)], "granted" if timer.interval_s else "answered"
    if timer.granted and timer.last_at is not None:
        lines.append(f"{word} before: {timer.granted}, the last {after(trace, timer.last_at)}")
    else:
        lines.append(f"none was {word} before")
    if trace.lives and timer.ends_at is not None and trace.now is not None:
        lines.append(f"the call ends in {timer.ends_at - trace.now:.0f} s unless one is granted")
    return lines


def agreement(timer: TimerView) -> str:
    """One line on what was agreed."""
    if not timer.interval_s:
        every = f"asked with OPTIONS each {timer.every_s:.0f} s" if timer.every_s else "not asked"
        return f"no session timer (RFC 4028); {every} whether it lives"
    if timer.refresher == "party":
        return f"session timer {timer.interval_s} s, refreshed by the party"
    return (
        f"session timer {timer.interval_s} s, refreshed by the switch each {timer.every_s:.0f} s "
        "(TTL / segment)"
    )


def glare(trace: Trace, leg: Leg) -> Evidence | None:
    """491: both sides asked at once; the switch tries again by itself (RFC 3261 14.1)."""
    timer = leg.view.timer
    rows = [row for row in timer.trouble if row.code == 491] if timer is not None else []
    if timer is None or not rows or _blamed(trace, leg) is not None:
        return None
    sent = sum(row.by == "party" for row in rows)
    lines = [
        f"491 by {leg.letter}: {len(rows) - sent}, by the switch: {sent}; "
        f"the last {after(trace, rows[-1].at)}"
    ]
    if timer.last_at is not None and timer.last_at > rows[-1].at:
        lines.append(f"granted {timer.last_at - rows[-1].at:.1f} s later")
    return Evidence(lines)


def raised(trace: Trace, leg: Leg) -> Evidence | None:
    """A 422 of the party that was obeyed (D20)."""
    timer = leg.view.timer
    if timer is None or not timer.refusals or not timer.min_se or not trace.answered:
        return None
    if _blamed(trace, leg) is not None:
        return None
    return Evidence(
        [f"{leg.who} answered 422 and asked for {timer.min_se} s at least; "
         f"the session timer is {timer.interval_s} s now"],
        {"min_se": str(timer.min_se)},
    )  # fmt: skip


def too_short(trace: Trace, leg: Leg) -> Evidence | None:
    """The switch answered 422: the party asked for less than SS_SIP_SESSION_MIN_SE (D20)."""
    timer = leg.view.timer
    rows = [row for row in timer.trouble if row.by == "party" and row.code == 422] if timer else []
    if not rows:
        return None
    found = Evidence([f"{leg.who}: {rows[-1].method} was answered 422: it {rows[-1].note}"])
    least = trace.here.min_se
    if least <= _LEAST_S:
        found.change = (
            f"Have {leg.party} ask for {_LEAST_S:.0f} s or more, or repeat it as the 422 says."
        )
    return found


#: RFC 4028 4: nobody may ask for less
_LEAST_S = 90.0


def _untimed(trace: Trace) -> list[Leg]:
    """Sides of an answered call that know no session timer."""
    if not trace.answered:
        return []
    return [leg for leg in trace.legs if leg.view.timer and not leg.view.timer.interval_s]


def _stays(trace: Trace, leg: Leg) -> bool:
    """Nothing would notice its death: no question, no greatest length, no watch over its audio."""
    timer = leg.view.timer
    if not trace.lives or timer is None or timer.every_s or timer.cap_s:
        return False
    watched = trace.view.media == "relayed" and trace.here.rtp_timeout > 0
    return not watched or leg.may_be_silent is not None


def _about(legs: list[Leg], lines: list[str]) -> Evidence:
    """Evidence on one side or on both."""
    who = " and ".join(leg.who for leg in legs)
    parties = " and ".join(leg.party for leg in legs)
    side = legs[0].side if len(legs) == 1 else "both"
    return Evidence(lines, {"untimed": who, "parties": parties}, side=side)


def unguarded(trace: Trace, _: Leg) -> Evidence | None:
    """A live call with a side that could die unnoticed: a zombie (STM-02, TRB-06)."""
    legs = [leg for leg in _untimed(trace) if _stays(trace, leg)]
    if not legs:
        return None
    lines = ["SS_SIP_NO_TIMER_REINVITE_INTERVAL and SS_SIP_NO_TIMER_PROBE_INTERVAL are off for it"]
    for leg in legs:
        heard = leg.received.last_at if leg.received is not None else None
        lines.append(f"{leg.who}: " + (
            "its audio does not pass the switch" if leg.received is None
            else "no audio of it came" if heard is None or trace.now is None
            else f"its last audio came {trace.now - heard:.0f} s ago"
        ))  # fmt: skip
    lines.append(f"connected for {trace.view.duration_s:.0f} s")
    return _about(legs, lines)


def without(trace: Trace, _: Leg) -> Evidence | None:
    """Sides that know no session timer: by what their death is noticed instead (FQS-01)."""
    legs = [leg for leg in _untimed(trace) if not _stays(trace, leg)]
    if not legs:
        return None
    lines = []
    for leg in legs:
        timer = leg.view.timer
        if timer is None:
            continue
        said = f"{leg.who}: {agreement(timer)}"
        if timer.granted and timer.last_at is not None:
            said += f", answered {timer.granted}, the last {after(trace, timer.last_at)}"
        lines.append(said)
    cap = next((leg.view.timer.cap_s for leg in legs if leg.view.timer), None)
    if cap is not None:
        lines.append(f"cut {cap:.0f} s after the answer whatever happens "
                     "(SS_SIP_NO_TIMER_REINVITE_INTERVAL)")  # fmt: skip
    return _about(legs, lines)


def limited(trace: Trace, _: Leg) -> Evidence | None:
    """Cut at the greatest length of calls with a side that knows no session timer (D27)."""
    if trace.reason is None or trace.reason.name != "session_limit":
        return None
    lines = [f"cut {trace.view.duration_s:.0f} s after the answer"]
    for leg in _untimed(trace):
        if leg.view.timer is not None:
            lines.append(f"{leg.who}: {agreement(leg.view.timer)}, "
                         f"answered {leg.view.timer.granted}")  # fmt: skip
    longer = min(86400, 2 * max(round(trace.view.duration_s), 1))
    return Evidence(lines, change=f"vosctl param set SS_SIP_NO_TIMER_REINVITE_INTERVAL={longer}")
