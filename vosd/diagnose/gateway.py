# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway's recent calls together: what is wrong again and again, and how many get through.

One bad call may be chance, a share of bad calls is the gateway: what struck fewer than two calls
or one in twenty is still said, as a possible fault. The figures of this module are vosd's own
choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from vosd.diagnose import bands
from vosd.diagnose.endings import ENDINGS
from vosd.diagnose.report import WEIGHT, Found, examine, worst
from vosd.diagnose.session import SESSION
from vosd.diagnose.trace import Trace
from vosd.switch.reasons import REASONS, Reason, for_sip
from vosd.wire.diagnosis import Diagnosis, Finding, Severity
from vosd.wire.records import CallView

LEAST_CALLS = 2
LEAST_SHARE = 5.0
#: explaining rows are only worth saying when most calls show them
NOTE_SHARE = 50.0
GRAVE_SHARE = 20.0
FAILING_SHARE = 10.0
CHANCE = "so few calls may be chance: look again after more of them"
#: below this many attempts a ratio says nothing
ENOUGH_SEIZURES = 20
LOW_ASR = 30.0
#: counted from the attempts instead, so that a call saved by the next gateway counts too
_BY_ATTEMPTS = frozenset({"vendor_refused", "vendor_silent", "second_gateway"})
_OF_THE_END = frozenset(rule.code for rule in (*ENDINGS, *SESSION))
#: seconds after the answer at which hang-ups of the far side betray its timers (D18)
_TELLING = (
    (
        32.0,
        "The switch's ACK does not reach {name}, so it gives up after 64*T1 (RFC 3261 13.3.1.4).",
        "Have {name} name in its Contact an address that the switch reaches.",
    ),
    (
        30.0,
        "{name} hears no audio and its own RTP time-out ends the call.",
        "Have {name} allow UDP from the switch's RTP ports.",
    ),
)


class _Tally(msgspec.Struct):
    """What a gateway was asked and how it did."""

    seizures: int = 0
    answered: int = 0
    #: attempts that failed by the gateway's own fault, per reason
    faults: Counter[str] = msgspec.field(default_factory=Counter)
    #: calls nobody answered, per reason
    unanswered: Counter[str] = msgspec.field(default_factory=Counter)


def diagnose_gateway(name: str, views: Iterable[CallView], profile: str = "source") -> Diagnosis:
    """Judge a mapping or routing gateway by its recent calls; same findings, counted.

    Raises ValueError for a profile that does not exist.
    """
    chosen = bands.profile(profile)
    traces = [Trace(view, chosen) for view in views if _concerns(view, name)]
    tally = _tally(name, traces)
    findings = [*_failing(name, tally), *_timed(name, traces)]
    findings += _repeated(name, traces)
    findings += _rarely(name, tally)
    findings.sort(key=lambda row: (row.severity == "info", row.confidence == "possible"))
    return Diagnosis(
        subject=f"gateway {name}",
        verdict=_verdict(name, len(traces), tally, findings),
        severity=worst(findings),
        profile=profile,
        findings=findings,
    )


def _concerns(view: CallView, name: str) -> bool:
    return name in (view.mapping, view.routing) or any(row.party == name for row in view.attempts)


def _tally(name: str, traces: list[Trace]) -> _Tally:
    tally = _Tally()
    for trace in traces:
        view = trace.view
        if trace.failed:
            known = trace.reason
            tally.unanswered[known.text if known else view.end_reason or "unknown"] += 1
        for attempt in view.attempts:
            if attempt.party == name:
                tally.seizures += 1
                reason = REASONS.get(attempt.reason) or for_sip(attempt.code)
                _blame(tally, reason)
        took_it = trace.answered and name == view.routing
        # a caller that asked for too short an interval asks again at once: no attempt of its own
        asks_again = view.end_reason == "interval_too_small"
        brought_it = name == view.mapping and (trace.answered or trace.failed) and not asks_again
        if took_it or brought_it:
            tally.seizures += 1
            tally.answered += trace.answered
    return tally


def _blame(tally: _Tally, reason: Reason) -> None:
    if reason.fault in ("vendor", "network"):
        tally.faults[reason.name] += 1


def _repeated(name: str, traces: list[Trace]) -> list[Finding]:
    groups: dict[str, list[tuple[Trace, Found]]] = {}
    for trace in traces:
        for found in examine(trace):
            if found.rule.code not in _BY_ATTEMPTS and _its_own(name, trace, found):
                groups.setdefault(found.rule.code, []).append((trace, found))
    answered = sum(trace.answered for trace in traces)
    findings = []
    for code, rows in groups.items():
        calls = {trace.view.id for trace, _ in rows}
        of = len(traces) if code in _OF_THE_END else answered
        finding = _together(rows, len(calls), of, "calls" if code in _OF_THE_END else "answered")
        if finding is not None:
            findings.append(finding)
    return findings


def _its_own(name: str, trace: Trace, found: Found) -> bool:
    """Whether a finding is about this gateway and not about the other party of the call."""
    if found.leg is not None:
        return found.leg.view.party == name
    side = found.finding.side
    if side == "a":
        return trace.view.mapping == name
    if side == "b":
        return trace.view.routing == name
    return side == "both"


def _together(rows: list[tuple[Trace, Found]], count: int, of: int, what: str) -> Finding | None:
    trace, sample = max(
        rows, key=lambda row: (WEIGHT[row[1].finding.severity], row[1].evidence.figure)
    )
    share = 100 * count / of
    found, rare = sample.finding, share < LEAST_SHARE or (count < LEAST_CALLS and of > 1)
    if found.severity == "info" and (rare or share < NOTE_SHARE):
        return None
    words = f"{count} of {of} {'calls' if what == 'calls' else 'answered calls'} ({share:.0f} %)"
    lines = [words, f"worst: call {trace.view.id}: {sample.finding.evidence[0]}"]
    return msgspec.structs.replace(
        found,
        severity=_weighed(found.severity, share, rare),
        confidence="possible" if rare else found.confidence,
        evidence=[*lines, CHANCE] if rare else lines,
    )


def _weighed(severity: Severity, share: float, rare: bool) -> Severity:
    """What strikes few calls is no emergency of the gateway."""
    few = rare or share < GRAVE_SHARE
    return "warning" if severity == "critical" and few else severity


def _failing(name: str, tally: _Tally) -> list[Finding]:
    failed = tally.faults.total()
    if not failed:
        return []
    rare = failed < LEAST_CALLS or 100 * failed < FAILING_SHARE * tally.seizures
    common, _ = tally.faults.most_common(1)[0]
    lines = [f"{failed} of {tally.seizures} attempts failed by its fault"]
    lines += [f"{_times(count)}: {REASONS[row].text}" for row, count in tally.faults.most_common()]
    if rare:
        lines.append(CHANCE)
    return [
        Finding(
            code="vendor_failing",
            title=f"{name} fails calls",
            severity="critical" if 2 * failed > tally.seizures and not rare else "warning",
            confidence="possible" if rare else "certain",
            side="b",
            evidence=lines,
            cause=f"Most often: {REASONS[common].text}.",
            change=REASONS[common].advice.replace("NAME", name),
            disproof=f"{name}'s own records show other outcomes for these calls.",
            rows=["TTL-01", "ITU-T E.425"],
        )
    ]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _timed(name: str, traces: list[Trace]) -> list[Finding]:
    """Many hang-ups of the far side at one telling second."""
    answered = [row.view for row in traces if row.answered and row.view.routing == name]
    findings = []
    for seconds, cause, change in _TELLING:
        hits = [
            view
            for view in answered
            if view.end_reason == "callee_hangup" and abs(view.duration_s - seconds) < 0.7
        ]
        if len(hits) < 3 or 100 * len(hits) < GRAVE_SHARE * len(answered):
            continue
        findings.append(
            Finding(
                code="same_length",
                title=f"{name} ends calls {seconds:.0f} s after the answer",
                severity="critical",
                confidence="likely",
                side="b",
                evidence=[
                    f"{len(hits)} of {len(answered)} answered calls",
                    *(f"call {view.id}: {view.duration_s:.1f} s" for view in hits[:5]),
                ],
                cause=cause.format(name=name),
                change=change.format(name=name),
                disproof="The callees hung up by themselves.",
                rows=["D18", "TRB-01"],
            )
        )
    return findings


def _rarely(name: str, tally: _Tally) -> list[Finding]:
    if tally.seizures < ENOUGH_SEIZURES or _percent(tally) >= LOW_ASR:
        return []
    return [
        Finding(
            code="low_asr",
            title=f"Few calls of {name} are answered",
            severity="info",
            confidence="certain",
            side="both",
            evidence=[f"{tally.answered} of {tally.seizures} attempts answered"],
            cause="Numbers that do not exist, callees that do not answer, or a vendor that fails.",
            change=f"vosctl cdr list --gateway {name}",
            disproof="The traffic is of a kind that is seldom answered, such as a dialler's.",
            rows=["ITU-T E.411"],
        )
    ]


def _percent(tally: _Tally) -> float:
    return 100 * tally.answered / tally.seizures


def _verdict(name: str, calls: int, tally: _Tally, findings: list[Finding]) -> str:
    if not calls:
        return f"No recent call of gateway {name}: nothing to judge."
    said = f"Gateway {name}: {calls} call{'s' * (calls != 1)}"
    if tally.seizures:
        said += f", ASR {_percent(tally):.0f} % ({tally.answered} of {tally.seizures})"
    faults = [row for row in findings if row.severity != "info"]
    if not faults:
        failed = ", ".join(f"{text} ({count})" for text, count in tally.unanswered.most_common())
        return f"{said}; not answered: {failed}; no fault of it found." if failed else (
            f"{said}; no fault found."
        )
    perhaps = "perhaps " if faults[0].confidence == "possible" else ""
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    return f"{said}; {perhaps}{faults[0].title}{more}."
