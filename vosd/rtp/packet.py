# SPDX-License-Identifier: GPL-2.0-or-later
"""The RTP header (RFC 3550 5.1): told from RTCP and from noise, read and built."""

from __future__ import annotations

import struct
from typing import NamedTuple, TypeAlias

Octets: TypeAlias = bytes | bytearray | memoryview

HEADER = struct.Struct("!BBHII")
HEADER_OCTETS = HEADER.size
#: first octet of a packet without padding, extension and contributing sources
PLAIN = 0x80

COMFORT_NOISE = 13
#: clock rates of the static payload types (RFC 3551 table 4); G.722 (9) is 8000 by historical error
STATIC_CLOCK_RATES: dict[int, int] = {
    **dict.fromkeys((0, 3, 4, 5, 7, 8, 9, 12, 13, 15, 18, 19), 8000),
    6: 16000,
    10: 44100,
    11: 44100,
    14: 90000,
    16: 11025,
    17: 22050,
}


class Packet(NamedTuple):
    """One RTP packet's header; the payload is data[start:end], padding left off."""

    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    start: int
    end: int


def is_rtcp(second_octet: int) -> bool:
    """Whether a datagram with this second octet is RTCP and not RTP (RFC 5761 section 4)."""
    return 192 <= second_octet <= 223


def payload_bounds(data: Octets, length: int) -> tuple[int, int] | None:
    """Start and end of the payload, None when the header does not hold (RFC 3550 A.1)."""
    if length < HEADER_OCTETS or data[0] & 0xC0 != PLAIN:
        return None
    start = HEADER_OCTETS + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:
        if length < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    end = length
    if data[0] & 0x20:
        padding = data[length - 1]
        if padding == 0:
            return None
        end -= padding
    return (start, end) if start <= end else None


def parse(data: Octets) -> Packet | None:
    """The packet's header, or None when `data` is no RTP packet."""
    bounds = payload_bounds(data, len(data))
    if bounds is None or is_rtcp(data[1]):
        return None
    _, kind, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    return Packet(kind > 0x7F, kind & 0x7F, sequence, timestamp, ssrc, *bounds)


def build(
    payload: bytes,
    *,
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    marker: bool = False,
) -> bytes:
    """One packet; sequence and timestamp wrap by themselves."""
    kind = payload_type | (0x80 if marker else 0)
    header = HEADER.pack(PLAIN, kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    return header + payload
