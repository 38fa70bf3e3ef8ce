# SPDX-License-Identifier: GPL-2.0-or-later
"""Interarrival jitter (RFC 3550 6.4.1, A.8) of one source, kept in nanoseconds.

    D = (R_j - R_i) - (S_j - S_i)        J += (|D| - J) / 16

R is when a packet arrived, S its timestamp; i is the packet received before j, in order of
arrival. Only differences enter, so the clocks need no common zero, and differences of
timestamps are turned into time at once, so a change of the payload's clock rate does not
change the unit of J. Packets on two sides of a jump have no D.
"""

from __future__ import annotations

#: a |D| above this is a clock or a timestamp that was set anew, not jitter: it would sit in J
#: for hundreds of packets. A real stall of that length shows as the stream's longest gap.
JUMP_NS = 1_000_000_000


class Jitter:
    """J of one source; `feed` takes its packets in order of arrival."""

    __slots__ = ("arrival", "jumps", "maximum", "samples", "tick", "timestamp", "value")

    def __init__(self, tick: float) -> None:
        #: J and the largest J so far, in ns
        self.value = 0.0
        self.maximum = 0.0
        #: differences that went into J; 0 means J is unknown
        self.samples = 0
        self.jumps = 0
        #: length of one timestamp unit in ns
        self.tick = tick
        self.timestamp = 0
        #: 0: no packet to compare with
        self.arrival = 0

    def feed(self, arrival: int, timestamp: int) -> None:
        """Take one packet that arrived at `arrival` (ns)."""
        if self.arrival:
            step = ((timestamp - self.timestamp + 0x80000000) & 0xFFFFFFFF) - 0x80000000
            d = arrival - self.arrival - step * self.tick
            if d < 0:
                d = -d
            if d < JUMP_NS:
                self.samples += 1
                self.value += (d - self.value) / 16
                if self.value > self.maximum:
                    self.maximum = self.value
            else:
                self.jumps += 1
        self.arrival = arrival
        self.timestamp = timestamp

    def retune(self, tick: float) -> None:
        """Go on with another clock rate; the next packet is compared with none before it."""
        if tick != self.tick:
            self.tick = tick
            self.arrival = 0

    def resync(self) -> None:
        """Compare the next packet with none before it."""
        self.arrival = 0
