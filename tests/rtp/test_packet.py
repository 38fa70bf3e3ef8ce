# SPDX-License-Identifier: GPL-2.0-or-later
"""RTP headers by RFC 3550 5.1: one list of cases, read and, where plain, written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vosd.rtp.packet import Packet, build, is_rtcp, parse

PLAIN = bytes.fromhex("8000 1234 00000140 deadbeef") + b"payload"
#: version 2, marker, type 8; sequence, timestamp, SSRC as written
MARKED = bytes.fromhex("8088 ffff ffffffff 00000001")

GOOD = {
    "plain": (PLAIN, Packet(False, 0, 0x1234, 320, 0xDEADBEEF, 12, 19)),
    "marker, no payload": (MARKED, Packet(True, 8, 0xFFFF, 0xFFFFFFFF, 1, 12, 12)),
    "two contributing sources": (
        b"\x82" + PLAIN[1:12] + bytes(8) + b"x",
        Packet(False, 0, 0x1234, 320, 0xDEADBEEF, 20, 21),
    ),
    # Extension: profile 2, length 2 (one word), 4 octets.
    "extension": (
        b"\x90" + PLAIN[1:12] + bytes.fromhex("bede 0001 00000000") + b"xy",
        Packet(False, 0, 0x1234, 320, 0xDEADBEEF, 20, 22),
    ),
    "padding of 3": (
        b"\xa0" + PLAIN[1:12] + b"data" + b"\x00\x00\x03",
        Packet(False, 0, 0x1234, 320, 0xDEADBEEF, 12, 16),
    ),
}
BAD = {
    "empty": b"",
    "short": PLAIN[:11],
    "version 1": b"\x40" + PLAIN[1:],
    "version 3": b"\xc0" + PLAIN[1:],
    "STUN": bytes.fromhex("0001000021 12a442") + bytes(12),
    "sources cut off": b"\x8f" + PLAIN[1:],
    "extension cut off": b"\x90" + PLAIN[1:12] + b"\xbe\xde\x00\x01",
    "no room for an extension": b"\x90" + PLAIN[1:12],
    "padding beyond the payload": b"\xa0" + PLAIN[1:12] + b"\x00\x09",
    "padding of none": b"\xa0" + PLAIN[1:12] + b"\x00",
    "RTCP sender report": bytes.fromhex("80c8 0006") + bytes(24),
}


@pytest.mark.parametrize("name", GOOD)
def test_good(name: str) -> None:
    data, expected = GOOD[name]
    assert parse(data) == expected


@pytest.mark.parametrize("name", BAD)
def test_bad(name: str) -> None:
    assert parse(BAD[name]) is None


def test_build() -> None:
    built = build(b"payload", payload_type=0, sequence=0x1234, timestamp=320, ssrc=0xDEADBEEF)
    assert built == PLAIN
    wrapped = build(
        b"", payload_type=8, sequence=0x1FFFF, timestamp=0x1FFFFFFFF, ssrc=1, marker=True
    )
    assert wrapped == MARKED


def test_rtcp_by_second_octet() -> None:
    """RFC 5761: RTCP's types 192-223 are RTP's 64-95 with the marker, which nobody assigns."""
    assert [octet for octet in range(256) if is_rtcp(octet)] == list(range(192, 224))


@given(st.binary(max_size=64))
def test_anything_parses_or_is_refused(data: bytes) -> None:
    header = parse(data)
    if header is not None:
        assert 12 <= header.start <= header.end <= len(data)
