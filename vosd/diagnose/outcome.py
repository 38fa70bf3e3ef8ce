# SPDX-License-Identifier: GPL-2.0-or-later
"""What the end of a call proves: its reason, and the gateways tried."""

from __future__ import annotations

import re

from vosd.diagnose.rule import Applies
from vosd.diagnose.trace import Evidence, Leg, Trace
from vosd.switch.reasons import REASONS
from vosd.wire.records import Attempt

#: nobody answered, so the code beside the attempt is the switch's own
SILENT = frozenset({"gateway_unreachable", "invite_timeout", "trying_timeout", "progress_timeout"})
_PLACEHOLDER = re.compile(r"\b(?:NAME|NUMBER|ID)\b")


def ended(*names: str, answered: bool = False) -> Applies:
    """A rule that applies when the call ended for one of these reasons of `switch.reasons`."""

    def applies(trace: Trace, _: Leg) -> Evidence | None:
        reason = trace.reason
        if reason is None or reason.name not in names or trace.answered is not answered:
            return None
        return Evidence(
            [f"end reason {reason.name}: {reason.text}", *attempts(trace)],
            {"reason": reason.text[:1].upper() + reason.text[1:]},
            change=advice(trace) or None,
        )

    return applies


def advice(trace: Trace) -> str:
    """What the reason's row advises, with the call's own names in place."""
    reason = trace.reason
    if reason is None:
        return ""
    vendor = trace.view.attempts[-1].party if trace.view.attempts else trace.view.routing
    words = {
        "NAME": vendor if reason.fault == "vendor" else trace.view.mapping,
        "NUMBER": trace.view.callee,
        "ID": trace.view.id,
    }
    if reason.fault == "operator" and reason.name != "caller_disabled":
        words["NAME"] = ""
    return _PLACEHOLDER.sub(lambda found: words[found[0]] or found[0], reason.advice)


def attempts(trace: Trace) -> list[str]:
    """One line per gateway or phone tried."""
    return [f"tried {row.party}: {_outcome(row)} after {row.took_ms / 1000:.1f} s"
            for row in trace.view.attempts]  # fmt: skip


def _outcome(row: Attempt) -> str:
    known = REASONS.get(row.reason)
    text = known.text if known is not None else row.reason
    return text if row.reason in SILENT else f"{row.code} {text}".rstrip()


def blacklisted(trace: Trace, _: Leg) -> Evidence | None:
    """One of the two numbers is listed; the row that decides is the list's to show."""
    if trace.reason is None or trace.reason.name != "blacklist":
        return None
    caller, callee = trace.view.caller, trace.view.callee
    return Evidence(
        [f"a row of the black list covers caller {caller} or callee {callee}"],
        change=f"vosctl blacklist check {caller}; vosctl blacklist check {callee}",
    )


def hunted(trace: Trace, _: Leg) -> Evidence | None:
    """Answered, but not by the gateway tried first."""
    if not trace.answered or not trace.view.attempts:
        return None
    first = trace.view.attempts[0]
    return Evidence(
        [*attempts(trace), f"answered by {trace.view.routing}"],
        {"first": first.party},
    )


def operator_ended(trace: Trace, _: Leg) -> Evidence | None:
    """Ended by hand, or because the switch went down in good order."""
    reason = trace.reason
    if reason is None or reason.name not in ("forced", "drained", "draining"):
        return None
    change = advice(trace) if reason.name == "drained" else "Nothing: this was meant."
    return Evidence([f"end reason {reason.name}: {reason.text}"], change=change)
