# SPDX-License-Identifier: GPL-2.0-or-later
"""RTCP (RFC 3550 section 6) as a relay reads it: who reports what about which stream.

Reports are relayed unchanged, so nothing is built here for the wire beyond what tests and
agents need. Reading is bounded: a datagram that does not add up is no report at all (A.2).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from vosd.rtp.packet import Octets

SENDER_REPORT = 200
RECEIVER_REPORT = 201
SOURCE_DESCRIPTION = 202
GOODBYE = 203

#: one datagram holds no more packets than this, whatever it claims
MAX_PACKETS = 32

_HEAD = struct.Struct("!BBH")
_SENDER = struct.Struct("!IIIII")
_BLOCK = struct.Struct("!IIIIII")


class ReportBlock(NamedTuple):
    """What a receiver says of one stream (RFC 3550 6.4.1)."""

    ssrc: int
    #: lost since the previous report, in 1/256 of the packets expected
    fraction_lost: int
    #: since the beginning; negative when duplicates outnumber losses
    cumulative_lost: int
    extended_highest: int
    #: interarrival jitter in timestamp units
    jitter: int
    #: middle 32 bits of the NTP time of the last sender report, 0 when none was received
    last_sr: int
    #: since that report arrived, in 1/65536 s
    delay_since_last_sr: int


class SenderInfo(NamedTuple):
    """The sender's part of a sender report."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int

    @property
    def middle(self) -> int:
        """What a receiver echoes as LSR."""
        return (self.ntp >> 16) & 0xFFFFFFFF


class Compound(NamedTuple):
    """One RTCP datagram."""

    senders: tuple[SenderInfo, ...]
    blocks: tuple[ReportBlock, ...]
    goodbyes: tuple[int, ...]


def parse(data: Octets) -> Compound | None:
    """Read a compound packet; None when lengths or versions do not add up.

    An SRTCP packet (RFC 3711) is None too: its trailer is no RTCP packet.
    """
    senders: list[SenderInfo] = []
    blocks: list[ReportBlock] = []
    goodbyes: list[int] = []
    at, left, total = 0, MAX_PACKETS, len(data)
    while at < total:
        if total - at < 4 or left == 0:
            return None
        first, kind, words = _HEAD.unpack_from(data, at)
        end = at + 4 + 4 * words
        if first & 0xC0 != 0x80 or not 192 <= kind <= 223 or end > total:
            return None
        # Only the last packet of a compound may be padded.
        if first & 0x20 and end != total:
            return None
        count = first & 0x1F
        if kind in (SENDER_REPORT, RECEIVER_REPORT):
            if not _read_report(data, at, end, kind, count, senders, blocks):
                return None
        elif kind == GOODBYE:
            if 4 + 4 * count > end - at:
                return None
            goodbyes += struct.unpack_from(f"!{count}I", data, at + 4)
        at, left = end, left - 1
    if total == 0:
        return None
    return Compound(tuple(senders), tuple(blocks), tuple(goodbyes))


def _read_report(
    data: Octets,
    at: int,
    end: int,
    kind: int,
    count: int,
    senders: list[SenderInfo],
    blocks: list[ReportBlock],
) -> bool:
    body = at + 8 + (20 if kind == SENDER_REPORT else 0)
    if body + _BLOCK.size * count > end:
        return False
    if kind == SENDER_REPORT:
        (ssrc,) = struct.unpack_from("!I", data, at + 4)
        high, low, rtp_timestamp, packets, octets = _SENDER.unpack_from(data, at + 8)
        senders.append(SenderInfo(ssrc, high << 32 | low, rtp_timestamp, packets, octets))
    for number in range(count):
        ssrc, lost, highest, jitter, last_sr, delay = _BLOCK.unpack_from(
            data, body + _BLOCK.size * number
        )
        cumulative = lost & 0xFFFFFF
        if cumulative & 0x800000:
            cumulative -= 0x1000000
        blocks.append(ReportBlock(ssrc, lost >> 24, cumulative, highest, jitter, last_sr, delay))
    return True


def _blocks(blocks: Iterable[ReportBlock]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | block.cumulative_lost & 0xFFFFFF,
            block.extended_highest,
            block.jitter,
            block.last_sr,
            block.delay_since_last_sr,
        )
        for block in blocks
    )


def build_sender_report(sender: SenderInfo, blocks: tuple[ReportBlock, ...] = ()) -> bytes:
    """A sender report, for agents that place calls and for tests."""
    body = struct.pack("!I", sender.ssrc) + _SENDER.pack(
        sender.ntp >> 32,
        sender.ntp & 0xFFFFFFFF,
        sender.rtp_timestamp,
        sender.packets,
        sender.octets,
    )
    return _packet(SENDER_REPORT, len(blocks), body + _blocks(blocks))


def build_receiver_report(ssrc: int, blocks: tuple[ReportBlock, ...] = ()) -> bytes:
    """A receiver report, for agents that place calls and for tests."""
    return _packet(RECEIVER_REPORT, len(blocks), struct.pack("!I", ssrc) + _blocks(blocks))


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body
