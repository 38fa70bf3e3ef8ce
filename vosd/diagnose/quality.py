# SPDX-License-Identifier: GPL-2.0-or-later
"""Audio that came, but badly: loss, jitter, delay, disorder, marking, codecs.

Each figure is held against the path it was measured on: inward ones by the switch itself
(RFC 3550 A.3, A.8), outward ones by the party's RTCP less what the first hop had already done.
"""

from __future__ import annotations

from vosd.diagnose.bands import Band
from vosd.diagnose.trace import ENOUGH_PACKETS, Evidence, Leg, Trace, host
from vosd.wire.records import Received

EF = 46
#: a handful of odd packets is no pattern
A_FEW = 20
ODD_PERCENT = 1.0
SSRC_CHANGES = 4
DROPPED = 50
#: jitter in ms up to which each jitter-buffer preset of the source is meant (JB-13 to JB-16)
_PRESETS = (
    (10.0, "lan", "10 to 80 ms"),
    (30.0, "wan", "20 to 200 ms"),
    (80.0, "internet", "40 to 300 ms"),
    (float("inf"), "satellite", "60 to 400 ms"),
)
#: RFC 3551 table 4; CN and dynamic types say nothing of the codec
_STATIC = {0: "PCMU", 3: "GSM", 4: "G723", 8: "PCMA", 9: "G722", 15: "G728", 18: "G729"}
_NOT_SPEECH = {"TELEPHONE-EVENT", "CN"}


def loss(trace: Trace, leg: Leg) -> Evidence | None:
    """Lost between the party and the switch."""
    got, figure = leg.received, leg.loss
    severity = trace.bands.loss.severity(figure)
    if not trace.relayed or severity == "ok" or got is None or figure is None:
        return None
    lost = round(figure * (got.expected or 0) / 100) if got.lost is None else got.lost
    lines = [f"{lost} of {got.expected} packets lost ({figure:.2f} %) from {leg.who} to the "
             "switch, by sequence numbers", _band(trace.bands.loss, "%")]  # fmt: skip
    if got.max_gap_ms is not None and got.max_gap_ms >= 200:
        lines.append(f"longest gap {got.max_gap_ms:.0f} ms")
    found = Evidence(lines, severity=severity, figure=figure)
    if _marked(got):
        found.change = f"Have the network between {leg.party} and the switch honour the EF mark."
        lines.append("the packets arrive marked EF, so the marking survived and did not help")
    return found


def loss_ahead(trace: Trace, leg: Leg) -> Evidence | None:
    """Lost between the switch and the party."""
    figure, sent = leg.loss_ahead, leg.sent
    severity = trace.bands.loss.severity(figure)
    if not trace.relayed or severity == "ok" or figure is None or sent is None or figure >= 90:
        return None
    lines = [f"{leg.letter} reports {sent.remote_loss_percent:.2f} % lost by RTCP, of which "
             f"{leg.other.loss:.2f} % were lost before the switch: about {figure:.2f} % on the way "
             f"from the switch to {leg.who}", _band(trace.bands.loss, "%")]  # fmt: skip
    return Evidence(lines, severity=severity, figure=figure, change=_mark_ours(leg))


def jitter(trace: Trace, leg: Leg) -> Evidence | None:
    """Uneven arrival at the switch."""
    figure, got = leg.jitter, leg.received
    severity = trace.bands.jitter.severity(figure)
    if not trace.relayed or severity == "ok" or figure is None or got is None:
        return None
    highest = got.jitter_max_ms or 0.0
    peak = f", at most {highest:.0f} ms" if highest > figure else ""
    lines = [f"interarrival jitter {figure:.0f} ms{peak} from {leg.who} at the switch",
             _band(trace.bands.jitter, "ms")]  # fmt: skip
    return Evidence(
        lines,
        severity=severity,
        figure=figure,
        change=_buffer(figure, leg.other, first_loss=loss(trace, leg) is not None),
    )


def jitter_ahead(trace: Trace, leg: Leg) -> Evidence | None:
    """Uneven arrival at the party that was not there at the switch."""
    figure, sent = leg.jitter_ahead, leg.sent
    severity = trace.bands.jitter.severity(figure)
    if not trace.relayed or severity == "ok" or figure is None or sent is None:
        return None
    lines = [f"{leg.letter} reports jitter of {sent.remote_jitter_ms:.0f} ms by RTCP, "
             f"{leg.other.jitter:.0f} ms of it stood before the switch: at least {figure:.0f} ms "
             f"come on the way from the switch to {leg.who}",
             _band(trace.bands.jitter, "ms")]  # fmt: skip
    marked = sent.dscp == EF
    return Evidence(
        lines,
        severity=severity,
        figure=figure,
        change=_buffer(figure, leg, first_loss=loss_ahead(trace, leg) is not None)
        if marked
        else _mark_ours(leg),
    )


def _band(band: Band, unit: str) -> str:
    critical = "" if band.critical is None else f", critical above {band.critical:g} {unit}"
    return f"the profile warns above {band.warning:g} {unit}{critical}"


def _mark_ours(leg: Leg) -> str:
    """Marking acts on what the switch sends, and only where the network looks at it (QOS-10)."""
    if leg.sent is not None and leg.sent.dscp not in (EF, None):
        return "vosctl param set SS_QOS_RTP=EF"
    return (
        f"Have the network between the switch and {leg.party} honour the mark the switch sets "
        "(EF, ToS 0xb8)."
    )


def _buffer(figure: float, listener: Leg, *, first_loss: bool) -> str:
    """D75: the switch relays without a buffer, so only the listening device's buffer can help."""
    name, sizes = next((n, sizes) for limit, n, sizes in _PRESETS if figure < limit)
    start = "Cure the loss first, then give" if first_loss else "Give"
    return (
        f"{start} {listener.party}'s own jitter buffer {sizes}, adaptive "
        f"(vosctl param preset show {name} has the set); SS_JITTERBUFFER_* does not act here, "
        "the switch relays without a buffer."
    )


def late(trace: Trace, leg: Leg) -> Evidence | None:
    """Came, but after so many later ones that any buffer has given it up."""
    got = leg.received
    if not trace.relayed or got is None or not leg.flows or got.late < A_FEW:
        return None
    figure = 100 * got.late / got.packets
    severity = trace.bands.loss.severity(figure)
    if severity == "ok":
        return None
    line = f"{got.late} of {got.packets} packets ({figure:.2f} %) from {leg.who} came too late"
    return Evidence([line, "to the listener they are lost"], severity=severity, figure=figure)


def reordered(trace: Trace, leg: Leg) -> Evidence | None:
    """Out of order by little: a buffer puts it right."""
    return _share(trace, leg, "out_of_order", "came out of order")


def duplicated(trace: Trace, leg: Leg) -> Evidence | None:
    """The same packet more than once."""
    return _share(trace, leg, "duplicate", "came twice")


def _share(trace: Trace, leg: Leg, field: str, what: str) -> Evidence | None:
    got = leg.received
    if not trace.relayed or got is None or not leg.flows:
        return None
    count: int = getattr(got, field)
    figure = 100 * count / got.packets
    if count < A_FEW or figure <= ODD_PERCENT:
        return None
    line = f"{count} of {got.packets} packets ({figure:.1f} %) from {leg.who} {what}"
    return Evidence([line], figure=figure)


def delay(trace: Trace, leg: Leg) -> Evidence | None:
    """Long way to one party."""
    figure = leg.rtt
    severity = trace.bands.rtt.severity(figure)
    if not trace.relayed or severity == "ok" or figure is None:
        return None
    lines = [f"RTT between the switch and {leg.who} is {figure:.0f} ms by RTCP; one way about "
             f"{figure / 2:.0f} ms (an estimate: half of it)",
             _band(trace.bands.rtt, "ms")]  # fmt: skip
    found = Evidence(lines, severity=severity, figure=figure)
    if leg.view.kind == "routing" and leg.is_gateway:
        found.change = (
            f"vosctl gateway set {leg.view.party} priority=N (a higher N than a nearer vendor's)"
        )
    return found


def delay_sum(trace: Trace, _: Leg) -> Evidence | None:
    """Neither way is long, both together are."""
    a, b = trace.a.rtt, trace.b.rtt
    if not trace.relayed or a is None or b is None:
        return None
    if any(delay(trace, leg) is not None for leg in trace.legs):
        return None
    figure = (a + b) / 2
    severity = trace.bands.one_way.severity(figure)
    if severity == "ok":
        return None
    lines = [f"RTT to A {a:.0f} ms and to B {b:.0f} ms: one way from mouth to ear about "
             f"{figure:.0f} ms (an estimate: half of both), buffers not counted",
             _band(trace.bands.one_way, "ms")]  # fmt: skip
    return Evidence(lines, severity=severity, figure=figure)


def unmarked(trace: Trace, leg: Leg) -> Evidence | None:
    """Audio that suffers on its way in arrives without the EF mark."""
    got = leg.received
    if got is None or not got.dscp or _marked(got):
        return None
    if not any(rule(trace, leg) for rule in (loss, jitter, late)):
        return None
    seen = ", ".join(f"DSCP {mark} on {count}" for mark, count in sorted(got.dscp.items()))
    return Evidence([f"packets from {leg.who} arrive with {seen}; EF is DSCP 46, ToS 0xb8"])


def _marked(got: Received) -> bool:
    return 2 * got.dscp.get(str(EF), 0) > sum(got.dscp.values())


def codec_mismatch(trace: Trace, _: Leg) -> Evidence | None:
    """The two sides have no codec in common and nothing in between translates."""
    a, b = (_codecs(leg) for leg in trace.legs)
    if not trace.answered or not a or not b or a & b:
        return None
    return Evidence([f"A names {_list(a)}, B names {_list(b)}", "the switch does not transcode"])


def payload_unexpected(trace: Trace, leg: Leg) -> Evidence | None:
    """It sends a codec that the other side did not name (RFC 3264 7)."""
    got, named = leg.received, _codecs(leg.other)
    if not trace.relayed or got is None or not leg.flows or not named:
        return None
    odd = {
        _STATIC[int(kind)]: count
        for kind, count in got.payload_types.items()
        if kind.isdigit() and _STATIC.get(int(kind), "") not in ("", *named)
    }
    total = sum(odd.values())
    if total < A_FEW or 100 * total <= 5 * got.packets:
        return None
    sent = ", ".join(f"{count} packets of {name}" for name, count in sorted(odd.items()))
    return Evidence([f"{leg.who} sent {sent}; {leg.other.letter} named {_list(named)} only"])


def _codecs(leg: Leg) -> set[str]:
    names = leg.view.codecs_offered or ([leg.view.codec] if leg.view.codec else [])
    return {name.partition("/")[0].upper() for name in names} - _NOT_SPEECH


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names))


def ptime_mismatch(trace: Trace, _: Leg) -> Evidence | None:
    """The sides wish for packets of different length; a preference, not a fault (D53)."""
    a, b = (leg.view.ptime_ms for leg in trace.legs)
    if not trace.relayed or a is None or b is None or a == b:
        return None
    return Evidence([f"A wishes for packets of {a} ms, B of {b} ms"])


def restarted(trace: Trace, leg: Leg) -> Evidence | None:
    """The stream began anew again and again."""
    got = leg.received
    if not trace.relayed or got is None or got.ssrc_changes < SSRC_CHANGES:
        return None
    line = f"{leg.who} changed its SSRC {got.ssrc_changes} times in {trace.view.duration_s:.0f} s"
    return Evidence([line])


def malformed(trace: Trace, leg: Leg) -> Evidence | None:
    """Something that is no RTP comes to the RTP port."""
    got = leg.received
    if not trace.relayed or got is None or got.malformed < A_FEW:
        return None
    return Evidence([f"{got.malformed} datagrams on the RTP port of {leg.who} were no RTP"])


def dropped(trace: Trace, leg: Leg) -> Evidence | None:
    """The switch itself did not get packets out: the difference between its counts (D16).

    To a side behind NAT it cannot before that side is heard: then its silence is the fault.
    """
    sent = leg.sent
    if not trace.relayed or sent is None or sent.dropped < DROPPED:
        return None
    nowhere = sent.destination is None or leg.view.sdp_private
    if nowhere and (leg.silent or leg.may_be_silent):
        return None
    total = sent.packets + sent.dropped
    figure = 100 * sent.dropped / total
    severity = trace.bands.loss.severity(figure)
    if total < ENOUGH_PACKETS or severity == "ok":
        return None
    line = f"{sent.dropped} of {total} packets ({figure:.1f} %) for {leg.who} were not sent"
    found = Evidence([line], {"target": host(sent.destination)}, severity=severity, figure=figure)
    if sent.destination is None:
        found.cause = f"{leg.who} names no address in its SDP that audio could be sent to."
        found.change = f"Have {leg.party} name a reachable address in its SDP."
    return found


def not_relayed(trace: Trace, _: Leg) -> Evidence | None:
    """Direct audio has no figures here, not zeros (CC-14)."""
    if not trace.answered or trace.view.media != "direct":
        return None
    why = trace.view.relay_reason or f"media proxy mode {trace.view.media_mode or 'unknown'}"
    return Evidence([f"audio goes direct between A and B: {why}"])


def no_audio(trace: Trace, _: Leg) -> Evidence | None:
    """Answered without an audio stream; a record without its legs does not say so."""
    if not trace.answered or trace.view.media != "none" or not trace.view.legs:
        return None
    return Evidence(["the call was answered and no audio stream was agreed"])


def evidence_lost(trace: Trace, _: Leg) -> Evidence | None:
    """Only the record is there: whether audio flowed, and how, nobody knows any more."""
    view = trace.view
    if not trace.evidence_lost:
        return None
    if trace.reason is not None and trace.reason.name == "node_lost":
        return Evidence([f"last known alive {view.duration_s:.0f} s after the answer"])
    reason = view.end_reason or "no end reason"
    return Evidence(
        [f"the record says: answered for {view.duration_s:.0f} s, {reason}"],
        cause="The evidence was not written, or was deleted since.",
    )


def short(trace: Trace, _: Leg) -> Evidence | None:
    """Too short to judge; said, so that an empty answer is not taken for a clean one."""
    if not trace.relayed or trace.long_enough:
        return None
    return Evidence([f"answered for {trace.view.duration_s:.1f} s", trace.streams()])
