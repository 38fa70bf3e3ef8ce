# SPDX-License-Identifier: GPL-2.0-or-later
"""One call on the screen: both legs and all four streams side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vosctl.console import Cell, Column, Console, Text
from vosctl.figures import (
    JITTER_MS,
    LOSS_PERCENT,
    NOT_RELAYED,
    RTT_MS,
    UNKNOWN,
    clock,
    graded,
    moment,
    number,
    words,
    yes,
)
from vosd.wire.records import CallView, LegView, Received, Sent


class Row(NamedTuple):
    """A figure and how it reads on a received and on a sent stream."""

    title: str
    received: Callable[[Received], Text]
    sent: Callable[[Sent], Text]


def _nothing(stream: object) -> Text:
    return ""


def _counts(values: dict[str, int]) -> str:
    """`46:1200 0:3`, most frequent first."""
    ordered = sorted(values.items(), key=lambda item: -item[1])
    return words([f"{key}:{count}" for key, count in ordered])


def _marks(values: dict[str, int]) -> str:
    """`EF/46:1200 CS0/0:3`, most frequent first."""
    return _counts({f"{_mark(int(mark))}/{mark}": count for mark, count in values.items()})


def _mark(dscp: int) -> str:
    from vosd.catalog.kinds import DSCP_NAMES

    return DSCP_NAMES.get(dscp, "dscp")


def _sent_mark(stream: Sent | None) -> str:
    """`EF 46 0xb8`: name, decimal, ToS byte."""
    if stream is None or stream.dscp is None:
        return UNKNOWN
    return f"{_mark(stream.dscp)} {stream.dscp} {stream.dscp << 2:#04x}"


def _lost(stream: Received) -> Text:
    return f"{number(stream.lost)} of {number(stream.expected)}"


def _codec(leg: LegView) -> str:
    name = leg.codec or UNKNOWN
    return name if leg.ptime_ms is None else f"{name} {leg.ptime_ms} ms"



#: sent streams: loss, jitter and round trip are what the party's RTCP says
STREAM_ROWS = (
    Row("packets", lambda r: str(r.packets), lambda s: str(s.packets)),
    Row("lost", _lost, lambda s: number(s.remote_lost)),
    Row(
        "loss %",
        lambda r: graded(r.loss_percent, LOSS_PERCENT),
        lambda s: graded(s.remote_loss_percent, LOSS_PERCENT),
    ),
    Row(
        "jitter ms",
        lambda r: graded(r.jitter_ms, JITTER_MS),
        lambda s: graded(s.remote_jitter_ms, JITTER_MS),
    ),
    Row("jitter max ms", lambda r: number(r.jitter_max_ms, 1), _nothing),
    Row("round trip ms", _nothing, lambda s: graded(s.rtt_ms, RTT_MS)),
    Row("max gap ms", lambda r: number(r.max_gap_ms, 0), _nothing),
    Row("late", lambda r: str(r.late), _nothing),
    Row("duplicate", lambda r: str(r.duplicate), _nothing),
    Row("out of order", lambda r: str(r.out_of_order), _nothing),
    Row("SSRC changes", lambda r: str(r.ssrc_changes), _nothing),
    Row("wrong source", lambda r: str(r.wrong_source), _nothing),
    Row("malformed", lambda r: str(r.malformed), _nothing),
    Row("unsendable", _nothing, lambda s: str(s.dropped)),
    Row("RTCP packets", lambda r: str(r.rtcp_packets), _nothing),
)
LEG_ROWS: tuple[tuple[str, Callable[[LegView], str]], ...] = (
    ("party", lambda leg: f"{leg.party} ({leg.kind})"),
    ("signalling", lambda leg: leg.signalling or UNKNOWN),
    ("SDP address", lambda leg: (leg.sdp_address or UNKNOWN) + " private" * leg.sdp_private),
    ("our RTP address", lambda leg: leg.local_rtp or NOT_RELAYED),
    ("RTP from", lambda leg: (leg.received and leg.received.source) or UNKNOWN),
    ("RTP to", lambda leg: (leg.sent and leg.sent.destination) or UNKNOWN),
    ("DSCP received", lambda leg: _marks(leg.received.dscp) if leg.received else UNKNOWN),
    ("DSCP sent", lambda leg: _sent_mark(leg.sent)),
    ("payload types", lambda leg: _counts(leg.received.payload_types) if leg.received else "-"),
    ("behind NAT", lambda leg: yes(leg.nat)),
    ("direction", lambda leg: leg.direction + " (on hold)" * leg.on_hold),
    ("codec", _codec),
    ("codecs offered", lambda leg: words(leg.codecs_offered)),
    ("profile", lambda leg: leg.profile or UNKNOWN),
    ("user agent", lambda leg: leg.user_agent or UNKNOWN),
    ("Call-ID", lambda leg: leg.call_id or UNKNOWN),
)


def show_call(console: Console, call: CallView) -> None:
    """Everything known of one call."""
    console.facts(_facts(call))
    if call.attempts:
        console.say()
        console.table(
            ["route tried", Column("SIP", right=True), "reason", Column("took ms", right=True)],
            [(a.party, str(a.code), a.reason, number(a.took_ms, 0)) for a in call.attempts],
        )
    if call.legs:
        console.say()
        _show_legs(console, call)


def show_streams(console: Console, call: CallView) -> None:
    """The four streams, or the words that say there is none to see."""
    if call.media != "relayed":
        why = "the two sides send to each other" if call.media == "direct" else "no media yet"
        console.say(f"streams  {NOT_RELAYED}: {why}, so the switch has no figures")
        return
    legs = {leg.side: leg for leg in call.legs}
    streams = [
        ("A to vosd", legs.get("a"), True),
        ("vosd to A", legs.get("a"), False),
        ("B to vosd", legs.get("b"), True),
        ("vosd to B", legs.get("b"), False),
    ]
    console.table(
        [Column("stream", keep=True), *(Column(title, right=True) for title, _, _ in streams)],
        [
            (row.title, *(_figure(row, leg, received) for _, leg, received in streams))
            for row in STREAM_ROWS
        ],
    )
    console.say(Cell("Of what vosd sends, loss, jitter and round trip are by RTCP.", "dim"))


def _figure(row: Row, leg: LegView | None, received: bool) -> Text:
    stream = None if leg is None else leg.received if received else leg.sent
    if stream is None:
        return UNKNOWN
    return row.received(stream) if isinstance(stream, Received) else row.sent(stream)


def _facts(call: CallView) -> list[tuple[str, Text]]:
    end = f"{call.end_reason} by {call.ended_by or UNKNOWN}" if call.end_reason else ""
    relay = f" by {call.relay} relay" if call.relay else ""
    facts: list[tuple[str, Text]] = [
        ("call", call.id),
        ("state", call.state),
        ("caller", call.caller),
        ("callee", call.callee),
        ("from, to", f"{call.mapping or UNKNOWN} to {call.routing or UNKNOWN}"),
        ("started", moment(call.started_at)),
        ("answered", moment(call.answered_at)),
        ("ended", moment(call.ended_at)),
        ("length", clock(call.duration_s)),
        ("media", f"{MEDIA[call.media]}{relay} (mode {call.media_mode or UNKNOWN})"),
        ("because", call.relay_reason),
        ("end reason", f"{end} (SIP {number(call.sip_code)})" if end else ""),
    ]
    return [(name, value) for name, value in facts if value]


MEDIA = {"relayed": "relayed", "direct": NOT_RELAYED, "none": "none yet"}


def _show_legs(console: Console, call: CallView) -> None:
    legs = {leg.side: leg for leg in call.legs}
    shown = [legs[side] for side in ("a", "b") if side in legs]
    titles = {"a": "leg A, calling", "b": "leg B, called"}
    console.table(
        [Column("", keep=True), *(titles[leg.side] for leg in shown)],
        [(title, *(value(leg) for leg in shown)) for title, value in LEG_ROWS],
    )
    console.say()
    show_streams(console, call)
