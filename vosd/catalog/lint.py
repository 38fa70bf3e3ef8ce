# SPDX-License-Identifier: GPL-2.0-or-later
"""The known mistakes of a configuration: each row looks at the facts and says what it found.

A row is a function from Facts to findings, and its docstring is what the reference says of it.
A warning is a mistake; a note is a thing only the operator can verify. Facts hold typed values,
so a row compares numbers, never text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from vosd import catalog
from vosd.catalog import presets

Severity = Literal["warning", "note"]

#: two audible changes closer than this, with nothing measured between them, hide each other
MEASURE_WITHIN_S = 3600.0
#: media proxy modes in the order they decide (D12, `vosd.switch.media_policy`)
PROXY_RANK = ("must_on", "off", "on", "auto")


class LintFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake with its proof and the one change that ends it."""

    code: str
    severity: Severity
    sentence: str
    evidence: list[str]
    change: str
    #: parameters it speaks of
    names: tuple[str, ...] = ()


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A way calls come in: a mapping gateway or a phone, and whether any list screens callees."""

    kind: Literal["gateway", "phone"]
    name: str
    callees_screened: bool


class CodecPath(msgspec.Struct, frozen=True, kw_only=True):
    """What two parties of calls offered, and how many of their calls failed for want of a codec."""

    mapping: str
    routing: str
    mapping_codecs: tuple[str, ...] = ()
    routing_codecs: tuple[str, ...] = ()
    refused: int = 0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One audited act; a preset is one act. `values` holds old and new text by `NAME[@GATEWAY]`."""

    at: float
    values: Mapping[str, tuple[str, str]]
    preset: bool = False


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the rows may look at."""

    values: Mapping[str, Any]
    now: float = 0.0
    entries: Sequence[Entry] = ()
    paths: Sequence[CodecPath] = ()
    #: calls that can be transcoded at once; 0 in a switch that only relays
    transcoding: int = 0
    changes: Sequence[Change] = ()
    #: when a measurement was kept
    measured: Sequence[float] = ()
    #: the system's ephemeral ports, None unknown
    ephemeral: tuple[int, int] | None = None
    #: ranges the system keeps free of ephemeral use
    reserved: Sequence[tuple[int, int]] = ()
    #: gateway -> parameter -> text of its own value
    overrides: Mapping[str, Mapping[str, str]] = {}


Row = Callable[[Facts], Iterator[LintFinding]]


def echo_canceller_off(facts: Facts) -> Iterator[LintFinding]:
    """The echo canceller is off."""
    if not facts.values["SS_ECHOCANCEL"]:
        yield LintFinding(
            code="MIS-01", severity="warning", names=("SS_ECHOCANCEL",),
            sentence="the echo canceller is off: echo of the line reaches the callers in full",
            evidence=["SS_ECHOCANCEL is off"],
            change="vosctl param set SS_ECHOCANCEL=on",
        )


def oversized_buffer(facts: Facts) -> Iterator[LintFinding]:
    """The jitter buffer may hold more than 200 ms: DEFAULT in fixed mode, MAX in adaptive."""
    name, size = _buffer_limit(facts.values)
    if size > 200 and _jitter_preset(facts.values) is None:
        yield LintFinding(
            code="MIS-02", severity="warning", names=(name, "SS_JITTERBUFFER_MODE"),
            sentence=f"the jitter buffer may hold {size} ms: delay that callers hear as echo",
            evidence=[_shown(facts, "SS_JITTERBUFFER_MODE"), _shown(facts, name),
                      "at most 200 ms, or a preset made for the path's jitter"],
            change="vosctl param preset apply wan" if name.endswith("DEFAULT")
            else f"vosctl param set {name}=200",
        )


def marks_unverified(facts: Facts) -> Iterator[LintFinding]:
    """DSCP marks are set: only the wire shows whether routers honour them."""
    names = tuple(n for n in ("SS_QOS_SIGNAL", "SS_QOS_RTP") if facts.values[n])
    if names:
        mark = facts.values[names[-1]] << 2
        yield LintFinding(
            code="MIS-03", severity="note", names=names,
            sentence="marks set here do nothing where the network ignores or rewrites them:"
            " verify on the wire, at both ends",
            evidence=[_shown(facts, name) for name in names],
            change=f"tcpdump -ni any -v 'udp and ip[1] & 0xfc == {mark:#04x}' at the far end",
        )


def mixed_codecs(facts: Facts) -> Iterator[LintFinding]:
    """Two parties share no codec and nothing can transcode."""
    for path in facts.paths:
        disjoint = bool(path.mapping_codecs and path.routing_codecs) and not (
            set(path.mapping_codecs) & set(path.routing_codecs))
        if facts.transcoding or not (disjoint or path.refused):
            continue
        evidence = [f"{party} offers {' '.join(codecs)}" for party, codecs in (
            (path.mapping, path.mapping_codecs), (path.routing, path.routing_codecs)) if codecs]
        if path.refused:
            evidence.append(f"{path.refused} calls refused with 488 or 606")
        yield LintFinding(
            code="MIS-04", severity="warning",
            sentence=f"{path.mapping} and {path.routing} share no codec and the switch has no"
            " capacity to transcode: their calls fail",
            evidence=[*evidence, f"transcoding capacity {facts.transcoding}"],
            change=f"let {path.mapping} offer what {path.routing} takes, or route it elsewhere",
        )


def changed_at_once(facts: Facts) -> Iterator[LintFinding]:
    """Several parameters that change the sound were changed with no measurement between."""
    since = max([facts.now - MEASURE_WITHIN_S, *facts.measured])
    recent = sorted((act for act in facts.changes if act.at > since), key=lambda act: act.at)
    subjects = _still_changed(recent)
    acts = [act for act in recent if subjects & set(act.values)]
    if len(subjects) < 2 or (len(acts) == 1 and acts[0].preset):
        return
    yield LintFinding(
        code="MIS-05", severity="warning",
        names=tuple(sorted({subject.partition("@")[0] for subject in subjects})),
        sentence=f"{len(subjects)} parameters that change how calls sound were changed and"
        " nothing was measured in between: no one can tell which of them did what",
        evidence=[
            f"{subject} {old or 'unset'} -> {new or 'unset'} {_ago(facts.now - act.at)}"
            for act in acts for subject, (old, new) in act.values.items() if subject in subjects
        ],
        change="put all but one back (vosctl param history), place a call,"
        " vosctl diagnose call --last, then change the next",
    )


def _still_changed(acts: Sequence[Change]) -> set[str]:
    """Audible subjects whose value is not again what it was before the first of the acts."""
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    for act in acts:
        for subject, (old, new) in act.values.items():
            first.setdefault(subject, old)
            last[subject] = new
    return {subject for subject, old in first.items()
            if last[subject] != old and audible(subject)}


def buffer_outside_presets(facts: Facts) -> Iterator[LintFinding]:
    """A jitter buffer size lies outside every preset."""
    values = facts.values
    if _jitter_preset(values) is not None or values["SS_JITTERBUFFER_MODE"] == "fixed":
        return
    if values["SS_JITTERBUFFER_MIN"] < 0.020:
        yield _size("SS_JITTERBUFFER_MIN", "20", "preset lan alone goes below 20 ms", facts)
    if values["SS_JITTERBUFFER_MAX"] > 0.400:
        yield _size("SS_JITTERBUFFER_MAX", "200", "no preset exceeds 400 ms", facts)


def _size(name: str, better: str, why: str, facts: Facts) -> LintFinding:
    return LintFinding(
        code="D08", severity="warning", names=(name,),
        sentence=f"{name} lies outside every preset: {why}",
        evidence=[_shown(facts, name)],
        change=f"vosctl param set {name}={better}",
    )


def start_outside_bounds(facts: Facts) -> Iterator[LintFinding]:
    """The adaptive jitter buffer starts outside its own bounds."""
    low, start, high = (
        facts.values[f"SS_JITTERBUFFER_{end}"] for end in ("MIN", "DEFAULT", "MAX"))
    if facts.values["SS_JITTERBUFFER_MODE"] == "adaptive" and not low <= start <= high:
        within = low if start < low else high
        yield LintFinding(
            code="D09", severity="warning", names=("SS_JITTERBUFFER_DEFAULT",),
            sentence="an adaptive jitter buffer starts outside its own bounds",
            evidence=[_shown(facts, f"SS_JITTERBUFFER_{end}") for end in ("MIN", "DEFAULT", "MAX")],
            change=f"vosctl param set SS_JITTERBUFFER_DEFAULT={round(within * 1000)}",
        )


def ports_ephemeral(facts: Facts) -> Iterator[LintFinding]:
    """RTP ports overlap the ports the system hands out to any program."""
    if facts.ephemeral is None:
        return
    start, end = (facts.values[f"SS_MEDIAPROXYPORT_{n}"] for n in ("START", "END"))
    low, high = max(start, facts.ephemeral[0]), min(end, facts.ephemeral[1])
    if low > high or _covered(low, high, facts.reserved):
        return
    below = facts.ephemeral[0] - 1
    # the setting replaces what is reserved now
    spans = ",".join(f"{a}-{b}" for a, b in sorted({*facts.reserved, (low, high)}))
    change = f"sysctl -w net.ipv4.ip_local_reserved_ports={spans}"
    if below - start >= 3999:
        change = f"vosctl param set SS_MEDIAPROXYPORT_END={below}"
    yield LintFinding(
        code="D56", severity="warning",
        names=("SS_MEDIAPROXYPORT_START", "SS_MEDIAPROXYPORT_END"),
        sentence=f"RTP ports {low}-{high} are the system's ephemeral ports too: any program may"
        " hold one when a call needs it",
        evidence=[f"RTP ports {start}-{end}",
                  f"ephemeral ports {facts.ephemeral[0]}-{facts.ephemeral[1]}",
                  f"ports {start}-{below} carry {(below - start + 1) // 4} calls"
                  if below > start else "no RTP port lies below them"],
        change=change,
    )


def entry_unscreened(facts: Facts) -> Iterator[LintFinding]:
    """A way in has no black list of called numbers."""
    bare = [f"{entry.kind} {entry.name}" for entry in facts.entries if not entry.callees_screened]
    if bare:
        yield LintFinding(
            code="D78", severity="warning",
            sentence=f"no black list screens called numbers on {len(bare)} of"
            f" {len(facts.entries)} ways in: premium-rate fraud passes there",
            evidence=bare[:10] + ([f"and {len(bare) - 10} more"] if len(bare) > 10 else []),
            change="vosctl blacklist add PREFIX --prefix --side callee, which screens every way in",
        )


def override_outranked(facts: Facts) -> Iterator[LintFinding]:
    """A gateway's own media proxy mode decides nothing: the system's stands above it."""
    name = "SS_MEDIAPROXYMODE"
    system = facts.values[name]
    for gateway, own in facts.overrides.items():
        mode = own.get(name, system)
        if PROXY_RANK.index(mode) <= PROXY_RANK.index(system):
            continue
        # just below what the gateway has, so that others change as little as can be
        below = PROXY_RANK[PROXY_RANK.index(mode) :][1:2]
        change = f"vosctl param set {name}={below[0] if below else mode}"
        yield LintFinding(
            code="D12", severity="warning", names=(name,),
            sentence=f"{name}={mode} of gateway {gateway} has no effect: the value for all,"
            f" {system}, decides before it",
            evidence=[_shown(facts, name), f"gateway {gateway} has {mode}",
                      f"who decides first: {', '.join(PROXY_RANK)}"],
            change=change,
        )


#: code -> row, in the order they are reported
ROWS: dict[str, Row] = {
    "MIS-01": echo_canceller_off, "MIS-02": oversized_buffer, "MIS-03": marks_unverified,
    "MIS-04": mixed_codecs, "MIS-05": changed_at_once, "D08": buffer_outside_presets,
    "D09": start_outside_bounds, "D12": override_outranked, "D56": ports_ephemeral,
    "D78": entry_unscreened,
}


def lint(facts: Facts) -> list[LintFinding]:
    """Every finding, in the order of ROWS."""
    return [finding for row in ROWS.values() for finding in row(facts)]


def _buffer_limit(values: Mapping[str, Any]) -> tuple[str, int]:
    fixed = values["SS_JITTERBUFFER_MODE"] == "fixed"
    name = "SS_JITTERBUFFER_DEFAULT" if fixed else "SS_JITTERBUFFER_MAX"
    return name, round(values[name] * 1000)


def _jitter_preset(values: Mapping[str, Any]) -> str | None:
    texts = {name: catalog.ALL[name].kind.show(value) for name, value in values.items()}
    return presets.same_as(texts, "jitter")


def audible(subject: str) -> bool:
    """Whether a change of `NAME[@GATEWAY]` can be heard: what nothing obeys yet cannot."""
    row = catalog.ALL.get(subject.partition("@")[0])
    return row is not None and row.audible and row.obeyed


def _shown(facts: Facts, name: str) -> str:
    kind = catalog.ALL[name].kind
    unit = f" {kind.unit}" if kind.unit else ""
    return f"{name} is {kind.describe(facts.values[name])}{unit}"


def _ago(seconds: float) -> str:
    return f"{round(seconds)} s ago" if seconds < 120 else f"{round(seconds / 60)} min ago"


def _covered(low: int, high: int, reserved: Sequence[tuple[int, int]]) -> bool:
    for first, last in sorted(reserved):
        if first <= low <= last:
            low = last + 1
    return low > high
