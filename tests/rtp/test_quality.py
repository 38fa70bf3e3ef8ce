# SPDX-License-Identifier: GPL-2.0-or-later
"""CC-02, CC-13: figures of a stream, worked by hand; unknown is None, never 0."""

from __future__ import annotations

import msgspec
import pytest

from vosd.rtp.quality import Counters, Figures, RemoteView, SentFigures
from vosd.rtp.rtcp import Compound, ReportBlock, SenderInfo
from vosd.wire import records

MS = 1_000_000
START = 1_700_000_000 * 1_000_000_000
EF = 0xB8


def stream(
    packets: list[tuple[float, int, int]], counters: Counters | None = None, **fixed: int
) -> Counters:
    """Fold (arrival in ms, sequence, timestamp); payload type 0, SSRC 7 and EF if not given."""
    counters = counters or Counters()
    kept = {"ssrc": 7, "payload_type": 0, "octets": 172, "tos": EF} | fixed
    for arrival, sequence, timestamp in packets:
        counters.fold(START + round(arrival * MS), sequence, timestamp, **kept)
    return counters


def steady(count: int, first: int = 0) -> list[tuple[float, int, int]]:
    return [(20 * n, n, 160 * n) for n in range(first, first + count)]


def test_fields_are_those_of_the_wire() -> None:
    """The engine hands figures to the control API by name."""
    for ours, theirs in ((Figures, records.Received), (SentFigures, records.Sent)):
        assert [field.name for field in msgspec.structs.fields(ours)] == [
            field.name for field in msgspec.structs.fields(theirs)
        ]


def test_nothing_came() -> None:
    """CC-14: of a silent stream nothing is known; counts are 0 because they were counted."""
    assert Counters().figures() == Figures()
    assert Figures().lost is Figures().jitter_ms is Figures().max_gap_ms is None


def test_one_packet_has_no_jitter_and_no_gap() -> None:
    figures = stream(steady(1)).figures()
    assert figures.packets == 1
    assert figures.jitter_ms is figures.max_gap_ms is figures.lost is figures.ssrc is None
    assert figures.first_at == figures.last_at == 1_700_000_000.0


def test_whole_figures() -> None:
    """CC-07, CC-08. Numbers 1 2 3 5 5 6 at 0 20 45 80 81 100 ms, timestamps 160 each.

    expected 6, received 6, one of them a duplicate: 5 distinct, 1 lost, 16.67 %
    D: 20-20=0, 25-20=5, 35-40=-5, 1-0=1, 19-20=-1
    J: 0, 5/16=0.3125, +(5-0.3125)/16=0.60546875, +(1-J)/16=0.630126953125,
       +(1-J)/16=0.6532440185546875
    longest gap 45 -> 80 = 35 ms
    """
    arrivals = [(0, 1), (20, 2), (45, 3), (80, 5), (81, 5), (100, 6)]
    counters = stream([(at, number, 160 * number) for at, number in arrivals])
    assert counters.figures("192.0.2.1:4000") == Figures(
        packets=6,
        octets=1032,
        expected=6,
        lost=1,
        loss_percent=100 / 6,
        duplicate=1,
        jitter_ms=pytest.approx(0.6532440185546875),
        jitter_max_ms=pytest.approx(0.6532440185546875),
        max_gap_ms=35.0,
        ssrc=7,
        payload_types={"0": 6},
        dscp={"46": 6},
        first_at=1_700_000_000.0,
        last_at=pytest.approx(1_700_000_000.1),
        source="192.0.2.1:4000",
    )


def test_dscp_is_the_octet_without_ecn() -> None:
    """D01: 0xb8 is EF 46; 0xb9 and 0xbb are EF with ECN bits; 0x2e would be 11."""
    counters = Counters()
    for number, tos in enumerate([0xB8, 0xB8, 0xB9, 0xBB, 0x2E, 0x00, -1, 0xB8]):
        stream([(20 * number, number, 160 * number)], counters, tos=tos)
    assert counters.figures().dscp == {"0": 1, "11": 1, "46": 5}


def test_payload_types_and_their_kinds() -> None:
    """Comfort noise is type 13 (RFC 3389), telephone events what SDP says (RFC 4733)."""
    counters = Counters()
    counters.agree({101: 8000, 96: 48000}, [101])
    for number, kind in enumerate([0, 0, 13, 101, 101, 101, 0]):
        stream([(20 * number, number, 160 * number)], counters, payload_type=kind)
    figures = counters.figures()
    assert figures.payload_types == {"0": 3, "13": 1, "101": 3}
    assert (figures.comfort_noise, figures.telephone_events) == (1, 3)
    # Reading twice counts nothing twice.
    assert counters.figures() == figures


def test_telephone_events_are_no_jitter() -> None:
    """RFC 4733: an event's packets repeat its first timestamp; audio goes on around them."""
    counters = Counters()
    counters.agree({101: 8000}, [101])
    stream([(0, 0, 0), (20, 1, 160)], counters)
    stream([(20 * n, n, 320) for n in range(2, 10)], counters, payload_type=101)
    # The next audio packet is 180 ms and 1440 units after the last: D = 0.
    stream([(200, 10, 1600), (225, 11, 1760)], counters)
    # Then 25 ms for 20: D = 5, J = 5/16.
    assert counters.figures().jitter_ms == pytest.approx(0.3125)


def test_unknown_clock_rate_is_unknown_jitter() -> None:
    """A dynamic type that no SDP named has no jitter; loss is known all the same."""
    figures = stream([(0, 1, 0), (30, 2, 960), (60, 4, 1920)], payload_type=96).figures()
    assert figures.jitter_ms is figures.jitter_max_ms is None
    assert figures.lost == 1


def test_clock_rate_of_the_payload_type() -> None:
    """The same arrivals, Opus at 48000: D = 0, then 25 - 20 = 5 ms: J = 5/16."""
    counters = Counters()
    counters.agree({96: 48000}, [])
    stream([(0, 1, 0), (20, 2, 960), (45, 3, 1920)], counters, payload_type=96)
    assert counters.figures().jitter_ms == pytest.approx(0.3125)


def test_sdp_outranks_the_static_table() -> None:
    """G.722 (9) is 8000 by RFC 3551, though it samples at 16000."""
    assert stream(steady(2), payload_type=9).rate == 8000
    counters = Counters()
    counters.agree({9: 16000}, [])
    assert stream(steady(2), counters, payload_type=9).rate == 16000


def test_change_of_payload_clock_in_the_stream() -> None:
    """8000 to 48000 without a new SSRC: no difference is taken across the change."""
    counters = Counters()
    counters.agree({96: 48000}, [])
    stream([(0, 1, 0), (25, 2, 160)], counters)
    stream([(45, 3, 700), (70, 4, 1660)], counters, payload_type=96)
    # D = 5 (8000), none, D = 5 (48000): 5/16, then + (5 - 5/16)/16.
    assert counters.figures().jitter_ms == pytest.approx(0.60546875)


def test_change_of_ssrc() -> None:
    """The new source has its own jitter from its first two packets on; the peak is of both."""
    counters = stream([(0, 1, 0), (20, 2, 160), (56, 3, 320)])
    # D = 0, 16: J = 1.
    assert counters.figures().jitter_ms == pytest.approx(1.0)
    stream([(80, 900, 5_000_000), (104, 901, 5_000_160)], counters, ssrc=8)
    # D = 24 - 20 = 4: J = 0.25.
    figures = counters.figures()
    assert (figures.ssrc, figures.ssrc_changes) == (8, 1)
    assert figures.jitter_ms == pytest.approx(0.25)
    assert figures.jitter_max_ms == pytest.approx(1.0)
    assert (figures.expected, figures.lost) == (5, 0)


def test_stray_packet_leaves_the_stream_alone() -> None:
    counters = stream(steady(5))
    stream([(85, 40_000, 9_999_999)], counters, ssrc=99)
    stream(steady(5, first=5), counters)
    figures = counters.figures()
    assert (figures.jitter_ms, figures.ssrc_changes, figures.lost) == (0.0, 0, 0)
    assert (figures.packets, figures.expected) == (11, 10)


def test_restart_of_the_numbering() -> None:
    """A source that starts again (same SSRC): both runs count, no jitter across."""
    counters = stream(steady(5))
    stream([(100, 30_000, 70_000), (120, 30_001, 70_160), (140, 30_002, 70_320)], counters)
    figures = counters.figures()
    assert (figures.packets, figures.expected, figures.lost) == (8, 8, 0)
    assert figures.jitter_ms == 0.0


def test_hold_is_no_gap() -> None:
    """SDP ends the interval: what passes until the next packet is no gap and no jitter."""
    counters = stream(steady(3))
    counters.agree({}, [])
    stream([(30_000, 3, 480), (30_020, 4, 640)], counters)
    figures = counters.figures()
    assert (figures.max_gap_ms, figures.jitter_ms) == (20.0, 0.0)
    counters.resync()
    assert counters.figures().last_at == pytest.approx(1_700_000_030.02)


# RFC 3550 6.4.1, figure 2: LSR 0xb705:2000 (46853.125 s), DLSR 0x0005:4000 (5.250 s), the report
# arrives at 0xb710:8000 (46864.500 s): 46864.500 - 5.250 - 46853.125 = 6.125 s.
EXAMPLE = ReportBlock(7, 0, 0, 1000, 0, 0xB7052000, 0x00054000)
SENT_AT = 46_853_125 * MS
HEARD_AT = 46_864_500 * MS
SENDER = SenderInfo(7, 0xB44DB705_20000000, 0, 0, 0)


def view(*, sent: bool = True, block: ReportBlock = EXAMPLE, heard: int = HEARD_AT) -> RemoteView:
    seen = RemoteView()
    if sent:
        seen.relayed(Compound((SENDER,), (), ()), SENT_AT)
    seen.reported(Compound((), (block,), ()), 7, heard)
    return seen


def test_rtt_is_the_rfcs_worked_example() -> None:
    """CC-06, CC-10: RTT = A - LSR - DLSR, with the time we relayed the report for LSR."""
    assert view().rtt == 6_125 * MS


@pytest.mark.parametrize(
    "seen",
    [
        view(sent=False),
        view(block=EXAMPLE._replace(last_sr=0)),
        view(block=EXAMPLE._replace(last_sr=0xB7052001)),
        view(block=EXAMPLE._replace(ssrc=8)),
        # Said to be held for longer than it was away.
        view(block=EXAMPLE._replace(delay_since_last_sr=12 << 16)),
    ],
    ids=["never relayed", "none received", "another report", "another stream", "impossible"],
)
def test_rtt_unknown(seen: RemoteView) -> None:
    assert seen.rtt is None


def test_only_the_last_reports_are_remembered() -> None:
    seen = RemoteView()
    for number in range(20):
        seen.relayed(Compound((SENDER._replace(ntp=number << 16),), (), ()), number)
    seen.reported(Compound((), (EXAMPLE._replace(last_sr=11, delay_since_last_sr=0),), ()), 7, 50)
    assert seen.rtt is None
    seen.reported(Compound((), (EXAMPLE._replace(last_sr=12, delay_since_last_sr=0),), ()), 7, 50)
    assert seen.rtt == 38


def described(block: ReportBlock | None, stream_sent: Counters) -> SentFigures:
    seen, figures = RemoteView(), SentFigures()
    if block:
        seen.reported(Compound((), (block,), ()), stream_sent.sequence.run.ssrc, 0)
    seen.describe(figures, stream_sent)
    return figures


def test_remote_figures() -> None:
    """D16: path loss is in the receiver's report. Numbers 100..149 sent, the party got up to
    149 and lost 5: 5 of 50 = 10 %. Jitter 80 units at 8000 Hz = 10 ms."""
    sent = stream([(20 * n, 100 + n, 160 * n) for n in range(50)])
    figures = described(ReportBlock(7, 0, 5, 149, 80, 0, 0), sent)
    assert figures == SentFigures(remote_lost=5, remote_loss_percent=10.0, remote_jitter_ms=10.0)


def test_remote_figures_over_a_wrap() -> None:
    """First 65530, highest 0x10003 = 65539: 10 expected, 1 lost."""
    sent = stream([(20 * n, (65530 + n) & 0xFFFF, 160 * n) for n in range(10)])
    figures = described(ReportBlock(7, 0, 1, 0x10003, 0, 0, 0), sent)
    assert figures.remote_loss_percent == 10.0


def test_remote_figures_unknown() -> None:
    """No report: None. Negative loss (duplicates) is none. Unknown clock: unknown jitter."""
    assert described(None, stream(steady(5))) == SentFigures()
    negative = described(ReportBlock(7, 0, -2, 4, 0, 0, 0), stream(steady(5)))
    assert (negative.remote_lost, negative.remote_loss_percent) == (0, 0.0)
    opus = described(ReportBlock(7, 0, 0, 4, 480, 0, 0), stream(steady(5), payload_type=96))
    assert opus.remote_jitter_ms is None
    other = described(ReportBlock(8, 0, 9, 4, 0, 0, 0), stream(steady(5)))
    assert other == SentFigures()


def test_remote_loss_without_a_common_beginning() -> None:
    """The party counts from elsewhere: its last interval's fraction is what is left. 64/256."""
    figures = described(ReportBlock(7, 64, 9, 3, 0, 0, 0), stream(steady(5)))
    assert figures.remote_loss_percent == 25.0
