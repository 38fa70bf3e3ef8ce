# SPDX-License-Identifier: GPL-2.0-or-later
"""G.711: corner values of ITU-T G.711 tables 1 and 2 in 16-bit scale, and there and back."""

from __future__ import annotations

import math

import pytest

from vosd.rtp import g711

# µ-law decodes to (2m + 33) * 2**segment - 33 in 14 bits, times 4 in 16:
#   0x80: segment 7, m 15: (63 << 7) - 33 = 8031, * 4 = 32124
#   0xff and 0x7f: segment 0, m 0: 33 - 33 = 0
#   0xfe: (2 + 33) - 33 = 2, * 4 = 8
MULAW = {0x80: 32124, 0x00: -32124, 0xFF: 0, 0x7F: 0, 0xFE: 8, 0x7E: -8, 0x8F: 16764}
# A-law decodes to 2m + 1 in 13 bits below segment 1, (2m + 33) * 2**(segment-1) above, * 8:
#   0xd5 ^ 0x55 = 0x80: m 0: 1 * 8 = 8;  0xaa ^ 0x55 = 0xff: (63 << 6) * 8 = 32256
ALAW = {0xD5: 8, 0x55: -8, 0xAA: 32256, 0x2A: -32256, 0xC5: 264, 0xD4: 24}


@pytest.mark.parametrize(("octet", "sample"), MULAW.items())
def test_mulaw(octet: int, sample: int) -> None:
    assert list(g711.decode_mulaw(bytes([octet]))) == [sample]


@pytest.mark.parametrize(("octet", "sample"), ALAW.items())
def test_alaw(octet: int, sample: int) -> None:
    assert list(g711.decode_alaw(bytes([octet]))) == [sample]


def test_every_octet_there_and_back() -> None:
    """Each decoded value is coded by its own octet; µ-law has two zeros, +0 is sent."""
    octets = bytes(range(256))
    assert g711.encode_alaw(g711.decode_alaw(octets)) == octets
    assert g711.encode_mulaw(g711.decode_mulaw(octets)) == octets.replace(b"\x7f", b"\xff")


@pytest.mark.parametrize("law", ["mulaw", "alaw"])
def test_every_sample_is_within_half_a_step(law: str) -> None:
    """A step is 1/16 of its segment: the error stays under 1/32 of the value plus the smallest."""
    encode, decode = getattr(g711, f"encode_{law}"), getattr(g711, f"decode_{law}")
    samples = range(-32768, 32768, 7)
    for sample, decoded in zip(samples, decode(encode(samples)), strict=True):
        assert abs(sample - decoded) <= abs(sample) / 32 + 16 + max(0, abs(sample) - 32256)


def test_tone() -> None:
    """1000 Hz at 8000 samples a second: a period of 8 samples, a peak at the second."""
    wave = g711.tone(1000, 16, amplitude=1000)
    assert list(wave[:8]) == [0, 707, 1000, 707, 0, -707, -1000, -707]
    assert wave[:8] == wave[8:]
    assert g711.tone(1000, 4, amplitude=1000, first=4) == wave[4:8]
    assert math.isclose(sum(wave), 0)
