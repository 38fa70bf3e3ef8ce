# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call's streams were like: counters folded per packet, figures drawn from them.

`Counters.fold` runs for every packet of a userspace relay; a kernel relay fills the same
counters from its maps. Counts per payload type and per DSCP are kept as runs: the run is
booked when the value changes, so an unchanging stream pays one comparison for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from vosd.rtp.jitter import Jitter
from vosd.rtp.packet import COMFORT_NOISE, STATIC_CLOCK_RATES
from vosd.rtp.rtcp import Compound, ReportBlock
from vosd.rtp.sequence import ADOPTED, ALIEN, FRESH, RESTARTED, TRIAL, Sequence

NS = 1_000_000_000
#: sender reports a party may still refer to (LSR); one is sent every 5 s or so
REPORTS_KEPT = 8
#: an echo cannot come back before it went out; a little is forgiven for the 1/65536 s of DLSR
RTT_SLACK_NS = 1_000_000


class Figures(msgspec.Struct, kw_only=True):
    """One received stream; fields as `wire.records.Received`, unknown is None, never 0.

    packets, octets     RTP from the party, RTP header included, duplicates included
    expected, lost      by sequence numbers, over all SSRCs; lost = expected - distinct packets
    out_of_order, late  came after a higher number; late: by more than REORDER_WINDOW places
    jitter_ms           of the current SSRC, without telephone events (their timestamp stands
                        still, RFC 4733 2.5.1.2); None for a payload of unknown clock rate
    max_gap_ms          longest time between two packets, holds left out
    first_at, last_at   Unix seconds, as the kernel stamped them
    """

    packets: int = 0
    octets: int = 0
    expected: int | None = None
    lost: int | None = None
    loss_percent: float | None = None
    late: int = 0
    duplicate: int = 0
    out_of_order: int = 0
    jitter_ms: float | None = None
    jitter_max_ms: float | None = None
    max_gap_ms: float | None = None
    ssrc: int | None = None
    ssrc_changes: int = 0
    payload_types: dict[str, int] = {}
    dscp: dict[str, int] = {}
    wrong_source: int = 0
    wrong_from: str | None = None
    malformed: int = 0
    comfort_noise: int = 0
    telephone_events: int = 0
    rtcp_packets: int = 0
    first_at: float | None = None
    last_at: float | None = None
    source: str | None = None


class SentFigures(msgspec.Struct, kw_only=True):
    """One stream sent to a party; fields as `wire.records.Sent`.

    The remote_ figures are the party's own receiver reports. The relay changes neither SSRC nor
    sequence numbers, so they cover the whole path from the other party to this one: what was
    lost before it reached the switch (the other side's received `lost`) is in them, and their
    jitter includes the first hop's. What got lost between switch and party is
    remote_lost - the other side's lost. rtt_ms is switch to party and back alone.
    """

    packets: int = 0
    octets: int = 0
    dropped: int = 0
    dscp: int | None = None
    destination: str | None = None
    remote_lost: int | None = None
    remote_loss_percent: float | None = None
    remote_jitter_ms: float | None = None
    rtt_ms: float | None = None
    last_at: float | None = None


class Counters:
    """One received stream of a party."""

    __slots__ = (
        "_jitter_max",
        "_marked",
        "_marks",
        "_trial_jitter",
        "_typed",
        "_types",
        "before",
        "comfort_noise",
        "events",
        "first",
        "jitter",
        "last",
        "malformed",
        "max_gap",
        "octets",
        "packets",
        "payload_type",
        "rates",
        "rtcp_packets",
        "sequence",
        "telephone_events",
        "timed",
        "tos",
        "wrong_source",
    )

    def __init__(self) -> None:
        self.packets = self.octets = 0
        self.sequence = Sequence()
        self.jitter = Jitter(0.0)
        self._jitter_max: float | None = None
        self._trial_jitter: Jitter | None = None
        #: whether packets of the current payload type have a jitter
        self.timed = False
        #: arrivals in ns of the wall clock; last is 0 where the next gap has no beginning, and
        #: before then keeps what it was
        self.first = self.last = self.before = 0
        self.max_gap = -1
        #: current run of payload type and of ToS octet, and `packets` when it began
        self.payload_type = self.tos = -1
        self._typed = self._marked = 0
        self._types: dict[int, int] | None = None
        self._marks: dict[int, int] | None = None
        self.comfort_noise = self.telephone_events = 0
        self.wrong_source = self.malformed = self.rtcp_packets = 0
        #: clock rates of dynamic payload types, and which are telephone events, by SDP
        self.rates: Mapping[int, int] = STATIC_CLOCK_RATES
        self.events: frozenset[int] = frozenset()

    def fold(
        self,
        arrival: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        payload_type: int,
        octets: int,
        tos: int,
    ) -> None:
        """Take one RTP packet: arrival in ns, `tos` the whole ToS or traffic class octet."""
        if payload_type != self.payload_type:
            self._turn_payload(payload_type)
        if tos != self.tos:
            self._turn_mark(tos)
        self.packets += 1
        self.octets += octets
        if self.last:
            gap = arrival - self.last
            if gap > self.max_gap:
                self.max_gap = gap
        self.last = arrival
        run = self.sequence.run
        if ssrc == run.ssrc and (sequence - run.highest) & 0xFFFF == 1:
            run.highest += 1
            if self.timed:
                self.jitter.feed(arrival, timestamp)
        else:
            self._place(arrival, sequence, timestamp, ssrc)

    def _place(self, arrival: int, sequence: int, timestamp: int, ssrc: int) -> None:
        if not self.first:
            self.first = arrival
        what = self.sequence.receive(sequence, ssrc)
        if what == ALIEN:
            return
        jitter: Jitter | None = self.jitter
        if what == FRESH:
            jitter = self._trial_jitter = Jitter(self.jitter.tick)
        elif what in (TRIAL, ADOPTED):
            jitter = self._trial_jitter
            if what == ADOPTED and jitter:
                self._jitter_max = self._peak()
                self.jitter, self._trial_jitter = jitter, None
        elif what == RESTARTED:
            self.jitter.resync()
        if self.timed and jitter:
            jitter.feed(arrival, timestamp)

    def _turn_payload(self, payload_type: int) -> None:
        self._book_payload()
        self.payload_type = payload_type
        rate = self.rate
        self.timed = rate is not None and payload_type not in self.events
        if self.timed and rate:
            self.jitter.retune(NS / rate)
            if self._trial_jitter:
                self._trial_jitter.retune(NS / rate)

    def _book_payload(self) -> None:
        run = self.packets - self._typed
        if run:
            self._types = self._types or {}
            self._types[self.payload_type] = self._types.get(self.payload_type, 0) + run
            if self.payload_type == COMFORT_NOISE:
                self.comfort_noise += run
            elif self.payload_type in self.events:
                self.telephone_events += run
        self._typed = self.packets

    def _turn_mark(self, tos: int) -> None:
        self._book_mark()
        self.tos = tos

    def _book_mark(self) -> None:
        run = self.packets - self._marked
        if run and self.tos >= 0:
            self._marks = self._marks or {}
            # The octet is DSCP and two ECN bits (RFC 2474, RFC 3168).
            dscp = self.tos >> 2
            self._marks[dscp] = self._marks.get(dscp, 0) + run
        self._marked = self.packets

    def _peak(self) -> float | None:
        """Largest jitter of every source so far, in ns."""
        if not self.jitter.samples:
            return self._jitter_max
        return max(self.jitter.maximum, self._jitter_max or 0.0)

    @property
    def rate(self) -> int | None:
        """Clock rate of the payload type last seen, None when neither SDP nor RFC 3551 says."""
        known = self.rates.get(self.payload_type) or STATIC_CLOCK_RATES.get(self.payload_type)
        return known or None

    def agree(self, rates: Mapping[int, int], events: Iterable[int]) -> None:
        """Take what new SDP says of payload types; gaps and jitter do not reach across it."""
        self._book_payload()
        self.rates = rates
        self.events = frozenset(events)
        self.payload_type = -1
        self.resync()

    def resync(self) -> None:
        """The stream paused or the clock was set: compare the next packet with none before."""
        self.before = self.last or self.before
        self.last = 0
        self.jitter.resync()
        if self._trial_jitter:
            self._trial_jitter.resync()

    def figures(self, source: str | None = None) -> Figures:
        """The stream so far; `source` as latched."""
        last = self.last or self.before
        self._book_payload()
        self._book_mark()
        order, peak = self.sequence, self._peak()
        expected = order.expected
        lost = None if expected is None else max(0, expected - order.unique(self.packets))
        percent = 100 * lost / expected if expected and lost is not None else None
        return Figures(
            packets=self.packets,
            octets=self.octets,
            expected=expected,
            lost=lost,
            loss_percent=percent,
            late=order.late,
            duplicate=order.duplicate,
            out_of_order=order.out_of_order,
            jitter_ms=self.jitter.value / 1e6 if self.jitter.samples else None,
            jitter_max_ms=None if peak is None else peak / 1e6,
            max_gap_ms=self.max_gap / 1e6 if self.max_gap >= 0 else None,
            ssrc=order.run.ssrc if order.run.ssrc >= 0 else None,
            ssrc_changes=order.ssrc_changes,
            payload_types=_by_text(self._types),
            dscp=_by_text(self._marks),
            wrong_source=self.wrong_source,
            malformed=self.malformed,
            comfort_noise=self.comfort_noise,
            telephone_events=self.telephone_events,
            rtcp_packets=self.rtcp_packets,
            first_at=self.first / 1e9 if self.first else None,
            last_at=last / 1e9 if last else None,
            source=source,
        )


def _by_text(counts: dict[int, int] | None) -> dict[str, int]:
    return {str(key): counts[key] for key in sorted(counts)} if counts else {}


class RemoteView:
    """What a party's RTCP says of the stream we send it, and the time it takes to say so."""

    __slots__ = ("_relayed", "block", "rtt")

    def __init__(self) -> None:
        #: (sender's SSRC, middle 32 bits of its NTP time) to when we relayed it, ns
        self._relayed: dict[tuple[int, int], int] | None = None
        self.block: ReportBlock | None = None
        #: ns, of the last report that told
        self.rtt: int | None = None

    def relayed(self, compound: Compound, at: int) -> None:
        """Sender reports of `compound` went out to the party at `at` (ns)."""
        for sender in compound.senders:
            self._relayed = self._relayed or {}
            self._relayed.setdefault((sender.ssrc, sender.middle), at)
            if len(self._relayed) > REPORTS_KEPT:
                del self._relayed[next(iter(self._relayed))]

    def reported(self, compound: Compound, ssrc: int, at: int) -> None:
        """The party's report arrived at `at` (ns); `ssrc` is the stream we send it, -1 unknown.

        RTT (RFC 3550 6.4.1) = arrival - when the echoed report left us - DLSR.
        """
        for block in compound.blocks:
            sent = (self._relayed or {}).get((block.ssrc, block.last_sr))
            if sent is not None:
                rtt = at - sent - block.delay_since_last_sr * NS // 65536
                if rtt >= -RTT_SLACK_NS:
                    self.rtt = max(0, rtt)
            if block.ssrc == ssrc:
                self.block = block

    def describe(self, figures: SentFigures, stream: Counters) -> None:
        """Fill the remote figures; `stream` is the other party's stream that we relay."""
        block, run = self.block, stream.sequence.run
        if self.rtt is not None:
            figures.rtt_ms = self.rtt / 1e6
        if block is None:
            return
        figures.remote_lost = max(0, block.cumulative_lost)
        rate = stream.rate
        if rate:
            figures.remote_jitter_ms = 1000 * block.jitter / rate
        # The party's count begins where ours does unless it missed the very first packets.
        expected = block.extended_highest - (run.base & 0xFFFF) + 1
        if block.ssrc == run.ssrc and expected > figures.remote_lost:
            figures.remote_loss_percent = 100 * figures.remote_lost / expected
        else:
            figures.remote_loss_percent = 100 * block.fraction_lost / 256
