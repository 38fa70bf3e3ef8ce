# SPDX-License-Identifier: GPL-2.0-or-later
"""One call on the screen: both legs and all four streams side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vosctl.console import Cell, Column, Text
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
from vosctl.sheet import BLANK, Facts, Line, Sheet, Table
from vosd.diagnose.trace import at
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
    if stream.lost is None or stream.expected is None:
        return UNKNOWN
    return f"{stream.lost} of {stream.expected}"


def _source(leg: LegView) -> str:
    got = leg.received
    if got is None or got.source or not got.wrong_from:
        return (got and got.source) or UNKNOWN
    return f"{got.wrong_from} (dropped)"


def _codec(leg: LegView) -> str:
    ptime = f"{leg.ptime_ms} ms" if leg.ptime_ms else ""
    return f"{leg.codec or ''} {ptime}".strip() or UNKNOWN


def _agreement(leg: LegView) -> str:
    """`600 s, by vosd (UPDATE)`, or what cuts a call without."""
    timer = leg.timer
    if timer is None:
        return UNKNOWN
    if timer.interval_s:
        by = "vosd" if timer.refresher == "switch" else "the party"
        return f"{timer.interval_s} s, by {by}" + f" ({timer.method})" * bool(timer.method)
    cap = f"hard cap {timer.cap_s:.0f} s" if timer.cap_s else "no hard cap"
    return f"none: peer lacks RFC 4028, {cap}"


def _next(leg: LegView) -> str:
    timer = leg.timer
    if timer is None or timer.next_at is None:
        return UNKNOWN
    return f"{timer.method} {moment(timer.next_at)}"


def _granted(leg: LegView) -> str:
    """How many were, and the last of them."""
    timer = leg.timer
    if timer is None or timer.last_at is None:
        return UNKNOWN
    return f"{timer.granted}, last {moment(timer.last_at)}"


def _trouble(leg: LegView) -> str:
    """How many were not, and the last of them."""
    timer = leg.timer
    if timer is None or not timer.trouble:
        return UNKNOWN
    last = timer.trouble[-1]
    said = f"{last.method} {last.code or 'unanswered'}" if last.method else last.note
    return f"{timer.troubles}, last {said}"


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
#: how each leg's session is kept
TIMER_ROWS: tuple[tuple[str, Callable[[LegView], str]], ...] = (
    ("session timer", _agreement),
    ("next refresh", _next),
    ("ends without", lambda leg: moment(leg.timer.ends_at) if leg.timer else UNKNOWN),
    ("refreshed", _granted),
    ("not granted", _trouble),
)
LEG_ROWS: tuple[tuple[str, Callable[[LegView], str]], ...] = (
    ("party", lambda leg: f"{leg.party} ({leg.kind})"),
    ("signalling", lambda leg: leg.signalling or UNKNOWN),
    ("SDP address", lambda leg: at(leg.sdp_address) if leg.sdp_address else UNKNOWN),
    ("our RTP address", lambda leg: leg.local_rtp or UNKNOWN),
    ("RTP from", _source),
    ("RTP to", lambda leg: (leg.sent and leg.sent.destination) or UNKNOWN),
    ("DSCP received", lambda leg: _marks(leg.received.dscp) if leg.received else UNKNOWN),
    ("DSCP sent", lambda leg: _sent_mark(leg.sent)),
    ("payload types", lambda leg: _counts(leg.received.payload_types) if leg.received else "-"),
    ("behind NAT", lambda leg: yes(leg.nat)),
    ("direction", lambda leg: leg.direction + " (on hold)" * leg.on_hold),
    *TIMER_ROWS,
    ("codec", _codec),
    ("codecs offered", lambda leg: words(leg.codecs_offered)),
    ("profile", lambda leg: leg.profile or UNKNOWN),
    ("user agent", lambda leg: leg.user_agent or UNKNOWN),
    ("Call-ID", lambda leg: leg.call_id or UNKNOWN),
)


def call_sheet(call: CallView) -> Sheet:
    """Everything known of one call."""
    return [Facts(_facts(call)), *_attempts(call), *_legs(call)]


def parties(call: CallView) -> str:
    """Who called whom, through which gateways."""
    via = [party or UNKNOWN for party in (call.mapping, call.routing)]
    return f"{_caller(call)} to {call.callee or UNKNOWN}, {' to '.join(via)}"


def _caller(call: CallView) -> str:
    name = f' "{call.display}"' if call.display else ""
    return f"{call.caller or UNKNOWN}{name}"


def record_sheet(record: list[tuple[str, Text]], call: CallView) -> Sheet:
    """A record's own facts, and what else is known of the call."""
    return [Facts([*record, *_media(call)]), *_attempts(call), *_legs(call)]


def streams_sheet(call: CallView) -> Sheet:
    """The four streams, or the words that say there is none to see."""
    if call.media != "relayed":
        return [Facts([("streams", _no_streams(call))])]
    legs = {leg.side: leg for leg in call.legs}
    streams = [
        ("A to vosd", legs.get("a"), True),
        ("vosd to A", legs.get("a"), False),
        ("B to vosd", legs.get("b"), True),
        ("vosd to B", legs.get("b"), False),
    ]
    table = Table(
        [Column("stream", keep=True), *(Column(title, right=True) for title, _, _ in streams)],
        [
            (row.title, *(_figure(row, leg, received) for _, leg, received in streams))
            for row in STREAM_ROWS
        ],
    )
    note = "Of what vosd sends, loss, jitter and round trip are by RTCP."
    return [table, Line(Cell(note, "dim"))]


def timers_sheet(call: CallView) -> Sheet:
    """How each leg's session is kept."""
    rows = TIMER_ROWS if any(leg.timer for leg in call.legs) else ()
    said = [("BYE reason", call.farewell)] * bool(call.farewell)
    if not rows:
        return [Facts([("session", "no session timer is known: the call was not answered"
                        if call.answered_at is None else "nothing was kept"), *said])]
    table = Table(_leg_columns(call), [_leg_row(call, *row) for row in rows])
    return [table, *([Facts(said)] if said else [])]


def _no_streams(call: CallView) -> str:
    if call.state == "ended" and not call.legs:
        return "unknown: the evidence is lost, only the record is left"
    if call.media == "direct":
        return f"{NOT_RELAYED}: the two sides send to each other, so the switch has no figures"
    return "none: no media was agreed" if call.state == "ended" else "none yet"


def _figure(row: Row, leg: LegView | None, received: bool) -> Text:
    stream = None if leg is None else leg.received if received else leg.sent
    if stream is None:
        return UNKNOWN
    return row.received(stream) if isinstance(stream, Received) else row.sent(stream)


def _facts(call: CallView) -> list[tuple[str, Text]]:
    facts: list[tuple[str, Text]] = [
        ("call", call.id),
        ("state", call.state),
        ("caller", _caller(call)),
        ("callee", call.callee),
        ("from, to", f"{call.mapping or UNKNOWN} to {call.routing or UNKNOWN}"),
        ("started", moment(call.started_at)),
        ("answered", moment(call.answered_at)),
        ("length", clock(call.duration_s)),
    ]
    return facts + _media(call)


def _media(call: CallView) -> list[tuple[str, Text]]:
    if call.media == "none":
        return [("media", "none" if call.state == "ended" else "none yet")]
    mode = f" (mode {call.media_mode})" if call.media_mode else ""
    relay = f" by {call.relay} relay" if call.relay else ""
    word = "relayed" if call.media == "relayed" else NOT_RELAYED
    facts: list[tuple[str, Text]] = [("media", f"{word}{relay}{mode}")]
    return facts + [("because", call.relay_reason)] * bool(call.relay_reason)


def _attempts(call: CallView) -> Sheet:
    if not call.attempts:
        return []
    columns: list[Column | str] = [
        "route tried", Column("SIP", right=True), "reason", Column("took ms", right=True),
    ]  # fmt: skip
    rows = [(a.party, str(a.code), a.reason, number(a.took_ms, 0)) for a in call.attempts]
    return [BLANK, Table(columns, rows)]


def _leg_columns(call: CallView) -> list[Column | str]:
    titles = {"a": "leg A, calling", "b": "leg B, called"}
    return [Column("", keep=True), *(titles[leg.side] for leg in _shown(call))]


def _leg_row(call: CallView, title: str, value: Callable[[LegView], str]) -> list[Text]:
    return [title, *(value(leg) for leg in _shown(call))]


def _shown(call: CallView) -> list[LegView]:
    return sorted(call.legs, key=lambda leg: leg.side)


def _legs(call: CallView) -> Sheet:
    if not call.legs:
        return []
    table = Table(_leg_columns(call), [_leg_row(call, *row) for row in LEG_ROWS])
    return [BLANK, table, BLANK, *streams_sheet(call)]
