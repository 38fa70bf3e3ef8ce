# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 3550 A.8 worked on paper: J += (|D| - J) / 16, here in milliseconds (D74)."""

from __future__ import annotations

import pytest

from vosd.rtp.jitter import Jitter

MS = 1_000_000
START = 1_700_000_000 * 1_000_000_000


def feed(rate: int, packets: list[tuple[float, int]]) -> Jitter:
    """Packets are (arrival in ms, timestamp)."""
    jitter = Jitter(1e9 / rate)
    for arrival, timestamp in packets:
        jitter.feed(START + round(arrival * MS), timestamp & 0xFFFFFFFF)
    return jitter


# Arrivals 0, 20, 45, 60, 80 ms of packets made every 20 ms:
#   D(1,2) = 20 - 20 =  0   J = 0
#   D(2,3) = 25 - 20 =  5   J = 0 + 5/16                      = 0.3125
#   D(3,4) = 15 - 20 = -5   J = 0.3125 + (5 - 0.3125)/16      = 0.60546875
#   D(4,5) = 20 - 20 =  0   J = 0.60546875 * 15/16            = 0.567626953125
ARRIVALS = [0, 20, 45, 60, 80]
WORKED = [0.0, 0.0, 0.3125, 0.60546875, 0.567626953125]


@pytest.mark.parametrize(
    ("rate", "step"), [(8000, 160), (16000, 320), (48000, 960), (44100, 882), (90000, 1800)]
)
@pytest.mark.parametrize("first", [0, 123_456, 0xFFFFFFFF - 200])
def test_worked_example(rate: int, step: int, first: int) -> None:
    """CC-08: the same arrivals give the same milliseconds at any clock rate, over any wrap."""
    packets = [(arrival, first + step * n) for n, arrival in enumerate(ARRIVALS)]
    for count, expected in enumerate(WORKED, 1):
        jitter = feed(rate, packets[:count])
        assert jitter.value / MS == pytest.approx(expected, abs=1e-9)
        assert jitter.samples == count - 1
    assert jitter.maximum / MS == pytest.approx(0.60546875)


def test_integer_form_of_the_rfc() -> None:
    """A.8's own code, in timestamp units scaled by 16, stays within its rounding of ours."""
    scaled, transit = 0, None
    arrivals = [n * 20 + (n * 7919 % 13) for n in range(400)]
    packets = [(float(arrival), 160 * n) for n, arrival in enumerate(arrivals)]
    for arrival, timestamp in packets:
        # 8 units are 1 ms at 8000 Hz.
        now = int(arrival * 8) - timestamp
        if transit is not None:
            d = abs(now - transit)
            scaled += d - ((scaled + 8) >> 4)
        transit = now
    assert feed(8000, packets).value / MS * 8 == pytest.approx(scaled / 16, abs=0.6)


def test_steady_delay_is_no_jitter() -> None:
    """A constant delay, however long, cancels out: J knows differences only."""
    assert feed(8000, [(5000 + 20 * n, 160 * n) for n in range(50)]).value == 0


def test_silence_with_running_timestamps_is_no_jitter() -> None:
    """DTX: 2 s of nothing, the timestamp goes on by 16000 units meanwhile: D = 0."""
    assert feed(8000, [(0, 0), (20, 160), (2020, 16160), (2040, 16320)]).value == 0


def test_packets_in_order_of_arrival() -> None:
    """6.4.1: D is taken against the packet before in order of arrival, not of sequence.

    Timestamps 0, 320, 160 arrive at 0, 40, 41 ms:
      D = 40 - 40 = 0; D = (41-40) - (20-40) = 21; J = 21/16 = 1.3125
    """
    assert feed(8000, [(0, 0), (40, 320), (41, 160)]).value / MS == pytest.approx(1.3125)


def test_jump_of_timestamp_is_no_jitter() -> None:
    """Timestamps begin anew at random: that difference is left out, the next one counts."""
    jitter = feed(8000, [(0, 0), (20, 160), (40, 3_000_000), (65, 3_000_160)])
    assert (jitter.samples, jitter.jumps) == (2, 1)
    # D = 25 - 20 = 5; J = 5/16
    assert jitter.value / MS == pytest.approx(0.3125)


def test_change_of_clock_rate() -> None:
    """No difference is taken between packets of two clock rates; J itself goes on."""
    jitter = feed(8000, [(0, 0), (25, 160)])
    jitter.retune(1e9 / 48000)
    # Taken for a difference this would be 20 - (700 - 160)/48 = 8.75 ms.
    jitter.feed(START + 45 * MS, 700)
    assert (jitter.samples, jitter.value / MS) == (1, pytest.approx(0.3125))
    jitter.feed(START + 70 * MS, 700 + 960)
    # D = 25 - 20 = 5; J = 0.3125 + (5 - 0.3125)/16
    assert jitter.value / MS == pytest.approx(0.60546875)
