# SPDX-License-Identifier: GPL-2.0-or-later
"""Finding a tone: the proof that audio arrived is its frequency (Goertzel)."""

from __future__ import annotations

import math
from collections.abc import Sequence

RATE = 8000


def amplitude(samples: Sequence[int], hertz: float, rate: int = RATE) -> float:
    """Amplitude of `hertz` in `samples` by Goertzel's algorithm, in sample units."""
    if not samples:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * hertz / rate)
    one = two = 0.0
    for sample in samples:
        one, two = sample + turn * one - two, one
    power = one * one + two * two - turn * one * two
    return 2 * math.sqrt(max(power, 0.0)) / len(samples)


def hears(samples: Sequence[int], wanted: float, others: Sequence[float], rate: int = RATE) -> bool:
    """Whether `wanted` stands clear (20 dB) above every other tone that could leak in."""
    level = amplitude(samples, wanted, rate)
    return level > 1000 and all(level > 10 * amplitude(samples, other, rate) for other in others)
