# SPDX-License-Identifier: GPL-2.0-or-later
"""RTCP by RFC 3550 section 6.4: what reports say, and that noise says nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vosd.rtp.rtcp import (
    Compound,
    ReportBlock,
    SenderInfo,
    build_receiver_report,
    build_sender_report,
    parse,
)

#: NTP 0xb44db705 seconds and 0x20000000/2**32: the RFC's own example (6.4.1, figure 2)
SENDER = SenderInfo(0x1111, 0xB44DB705_20000000, 160, 100, 16000)
BLOCK = ReportBlock(0x2222, 64, 25, 0x10005, 80, 0xB7052000, 0x54000)
SENDER_REPORT = bytes.fromhex(
    "81c8000c 00001111 b44db705 20000000 000000a0 00000064 00003e80"
    "00002222 40000019 00010005 00000050 b7052000 00054000"
)
RECEIVER_REPORT = bytes.fromhex("81c90007 00001111") + SENDER_REPORT[28:]
SDES = bytes.fromhex("81ca0003 00001111 0102 6162 00000000")
BYE = bytes.fromhex("82cb0002 00001111 00003333")

GOOD = {
    "sender report": (SENDER_REPORT, Compound((SENDER,), (BLOCK,), ())),
    "receiver report": (RECEIVER_REPORT, Compound((), (BLOCK,), ())),
    "empty receiver report": (bytes.fromhex("80c90001 00001111"), Compound((), (), ())),
    "compound": (
        SENDER_REPORT + SDES + BYE,
        Compound((SENDER,), (BLOCK,), (0x1111, 0x3333)),
    ),
    "unknown type skipped": (
        RECEIVER_REPORT + bytes.fromhex("80d00000"),
        Compound((), (BLOCK,), ()),
    ),
    "padded last packet": (
        RECEIVER_REPORT + bytes.fromhex("a1cb0002 00001111 00000004"),
        Compound((), (BLOCK,), (0x1111,)),
    ),
}
BAD = {
    "empty": b"",
    "three octets": b"\x80\xc9\x00",
    "length beyond the datagram": bytes.fromhex("80c90002 00001111"),
    "more blocks than room": b"\x82" + RECEIVER_REPORT[1:],
    "version 1": b"\x41" + RECEIVER_REPORT[1:],
    "no RTCP type": bytes.fromhex("80000001 00001111"),
    "BYE with more sources than room": bytes.fromhex("9fcb0001 00001111"),
    "padding before the end": b"\xa1" + RECEIVER_REPORT[1:] + SDES,
    "sender report too short": bytes.fromhex("80c80001 00001111"),
    "trailing octets (SRTCP)": SENDER_REPORT + bytes(14),
    # Length 0 says four octets: 33 of them are more than a datagram has cause to hold.
    "33 empty packets": bytes.fromhex("80ca0000") * 33,
}


@pytest.mark.parametrize("name", GOOD)
def test_good(name: str) -> None:
    data, expected = GOOD[name]
    assert parse(data) == expected


@pytest.mark.parametrize("name", BAD)
def test_bad(name: str) -> None:
    """Reliability 17: forged, oversize and zero-length RTCP is no report and no exception."""
    assert parse(BAD[name]) is None


def test_build() -> None:
    assert build_sender_report(SENDER, (BLOCK,)) == SENDER_REPORT
    assert build_receiver_report(0x1111, (BLOCK,)) == RECEIVER_REPORT


def test_cumulative_lost_is_signed() -> None:
    """24 bits in two's complement: duplicates may outnumber losses (6.4.1)."""
    data = build_receiver_report(1, (BLOCK._replace(cumulative_lost=-3),))
    assert data[12:16] == bytes.fromhex("40fffffd")
    compound = parse(data)
    assert compound is not None
    assert compound.blocks[0].cumulative_lost == -3


def test_middle_of_ntp() -> None:
    assert SENDER.middle == 0xB7052000


@given(st.binary(max_size=200))
def test_anything_parses_or_is_refused(data: bytes) -> None:
    parse(data)
    parse(b"\x81\xc8" + data)
