# SPDX-License-Identifier: GPL-2.0-or-later
"""G.711 as tables: 16-bit linear samples to µ-law and A-law octets and back, and a tone."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable

RATE = 8000
_MULAW_BIAS = 0x84
_MULAW_CLIP = 32635


def _mulaw_sample(octet: int) -> int:
    octet = ~octet & 0xFF
    magnitude = (((octet & 0x0F) << 3) + _MULAW_BIAS << (octet >> 4 & 7)) - _MULAW_BIAS
    return -magnitude if octet & 0x80 else magnitude


def _mulaw_octet(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _MULAW_CLIP) + _MULAW_BIAS
    segment = magnitude.bit_length() - 8
    return ~(sign | segment << 4 | magnitude >> segment + 3 & 0x0F) & 0xFF


def _alaw_sample(octet: int) -> int:
    octet ^= 0x55
    segment, step = octet >> 4 & 7, octet & 0x0F
    magnitude = (step << 4) + 8 if segment == 0 else (step << 4) + 0x108 << segment - 1
    return magnitude if octet & 0x80 else -magnitude


def _alaw_octet(sample: int) -> int:
    # G.711 codes 13 bits; one's complement keeps -1..-16 in the first negative step.
    sign, magnitude = (0x80, sample) if sample >= 0 else (0, ~sample)
    magnitude = min(magnitude, 32767)
    segment = max(0, magnitude.bit_length() - 8)
    step = magnitude >> (segment + 3 if segment else 4) & 0x0F
    return (sign | segment << 4 | step) ^ 0x55


_FROM_MULAW = [_mulaw_sample(octet) for octet in range(256)]
_FROM_ALAW = [_alaw_sample(octet) for octet in range(256)]


def decode_mulaw(payload: bytes) -> array[int]:
    """PCMU octets (payload type 0) as 16-bit samples."""
    return array("h", [_FROM_MULAW[octet] for octet in payload])


def decode_alaw(payload: bytes) -> array[int]:
    """PCMA octets (payload type 8) as 16-bit samples."""
    return array("h", [_FROM_ALAW[octet] for octet in payload])


def encode_mulaw(samples: Iterable[int]) -> bytes:
    """16-bit samples as PCMU octets."""
    return bytes(map(_mulaw_octet, samples))


def encode_alaw(samples: Iterable[int]) -> bytes:
    """16-bit samples as PCMA octets."""
    return bytes(map(_alaw_octet, samples))


def tone(frequency: float, samples: int, *, amplitude: int = 8000, first: int = 0) -> array[int]:
    """A sine of `frequency` Hz at 8000 samples a second, from sample number `first` on."""
    step = 2 * math.pi * frequency / RATE
    numbers = range(first, first + samples)
    return array("h", [round(amplitude * math.sin(step * number)) for number in numbers])
