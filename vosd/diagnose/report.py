# SPDX-License-Identifier: GPL-2.0-or-later
"""One call's diagnosis: every rule asked, the findings in the order to act on them, a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from vosd.diagnose import bands
from vosd.diagnose.refreshing import agreement
from vosd.diagnose.rule import Rule
from vosd.diagnose.rules import RULES
from vosd.diagnose.session import RULES as SESSION_RULES
from vosd.diagnose.trace import Evidence, Here, Leg, Trace
from vosd.wire.diagnosis import Diagnosis, Finding, Severity
from vosd.wire.records import CallView

WEIGHT: dict[Severity, int] = {"ok": 0, "info": 1, "warning": 2, "critical": 3}


class Found(msgspec.Struct):
    """A finding before it is written out, with what the gateway report compares."""

    rule: Rule
    evidence: Evidence
    leg: Leg | None
    finding: Finding


def diagnose_call(view: CallView, profile: str = "source", here: Here | None = None) -> Diagnosis:
    """Judge one call, live or finished, by the bands of `profile`.

    Raises ValueError for a profile that does not exist. Severity is "ok" when nothing was found.
    """
    trace = Trace(view, bands.profile(profile), here)
    found = [row.finding for row in examine(trace)]
    return Diagnosis(
        subject=f"call {view.id}",
        verdict=_verdict(trace, found),
        severity=worst(found),
        profile=profile,
        findings=found,
        call=view,
    )


def diagnose_session(view: CallView, here: Here | None = None) -> Diagnosis:
    """Judge what kept or ended one call's session, live or finished (TRB-01 to TRB-06)."""
    trace = Trace(view, bands.profile("source"), here)
    found = [row.finding for row in examine(trace, SESSION_RULES)]
    faults = [row for row in found if row.severity != "info"]
    more = f"; {len(faults) - 1} more below" if len(faults) > 1 else ""
    return Diagnosis(
        subject=f"session {view.id}",
        verdict=f"{faults[0].title}{more}." if faults else _kept(trace),
        severity=worst(found),
        profile="",
        findings=found,
        call=view,
    )


def examine(trace: Trace, rules: Sequence[Rule] = RULES) -> list[Found]:
    """Everything that applies, faults in the order of the table, then what merely explains."""
    found = list(_apply(trace, rules))
    found.sort(key=lambda row: row.finding.severity == "info")
    return found


def worst(findings: list[Finding]) -> Severity:
    """The gravest severity; "ok" for none."""
    return max((row.severity for row in findings), key=WEIGHT.__getitem__, default="ok")


def _apply(trace: Trace, rules: Sequence[Rule]) -> Iterator[Found]:
    for rule in rules:
        for leg in trace.legs if rule.legs == "each" else trace.legs[:1]:
            evidence = rule.applies(trace, leg)
            if evidence is not None:
                about = leg if rule.legs == "each" else None
                yield Found(rule, evidence, about, _write(trace, rule, evidence, about))


def _write(trace: Trace, rule: Rule, evidence: Evidence, leg: Leg | None) -> Finding:
    words = _words(trace, leg) | evidence.words
    return Finding(
        code=rule.code,
        title=evidence.title or rule.title.format_map(words),
        severity=evidence.severity or rule.severity,
        confidence=evidence.confidence or rule.confidence,
        side=leg.side if leg is not None else evidence.side or rule.side,
        evidence=evidence.lines,
        cause=evidence.cause or rule.cause.format_map(words),
        change=evidence.change or rule.change.format_map(words),
        disproof=evidence.disproof or rule.disproof.format_map(words),
        rows=list(rule.rows),
    )


def _words(trace: Trace, leg: Leg | None) -> dict[str, str]:
    words = {
        "a": trace.a.who,
        "a_party": trace.a.party,
        "a_scope": trace.a.scope,
        "b": trace.b.who,
        "b_party": trace.b.party,
        "call": trace.view.id,
        "callee": trace.view.callee,
    }
    if leg is not None:
        words |= {
            "who": leg.who,
            "party": leg.party,
            "scope": leg.scope,
            "other": leg.other.who,
            "local": leg.view.local_rtp or "the RTP address in the switch's SDP",
        }
    return words


def _verdict(trace: Trace, findings: list[Finding]) -> str:
    faults = [row for row in findings if row.severity != "info"]
    if faults and trace.evidence_lost:
        return f"{faults[0].title}; nothing is known of its audio."
    if faults:
        more = f"; {len(faults) - 1} more below" if len(faults) > 1 else ""
        return f"{faults[0].title}{more}."
    if trace.evidence_lost:
        return f"{findings[0].title}: nothing can be said of its audio."
    if findings:
        return f"{findings[0].title}; no fault found."
    return _clean(trace)


def _kept(trace: Trace) -> str:
    """No fault of the session: how it is watched, or how the call ended."""
    if not trace.answered:
        return "Not answered: there was no session." if trace.failed else "Not answered yet."
    how = [f"{leg.letter}: {agreement(leg.view.timer)}" for leg in trace.legs if leg.view.timer]
    ended = trace.reason.text if trace.reason is not None else "the call lives"
    known = "; ".join(how) or "nothing is known of session timers"
    return f"No fault of the session found ({ended}). {known}."


def _clean(trace: Trace) -> str:
    """No finding: say what that rests on, and what nobody knows."""
    view = trace.view
    if trace.failed:
        return f"Not answered: {trace.reason.text if trace.reason else view.end_reason}."
    if not trace.answered:
        return f"The call is in state {view.state}; there is nothing to judge yet."
    if all(leg.received is None for leg in trace.legs):
        return "No fault found, but no stream figures were kept: the audio is unknown."
    unknown = [leg.who for leg in trace.legs if leg.loss_ahead is None]
    said = f"No fault found: both directions within the bands of profile {trace.bands.name}"
    if unknown:
        return f"{said}; what {' and '.join(unknown)} received is unknown (no RTCP report)."
    return f"{said}, at the switch and by both sides' RTCP."
