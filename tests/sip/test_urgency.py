# SPDX-License-Identifier: GPL-2.0-or-later
"""Urgency told from the octets (reliability.md section 5: order of service)."""

from __future__ import annotations

import pytest

from vosd.sip.urgency import CALL, DIALOG, REGISTER, REST, urgency

INVITE = b"INVITE sip:1@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n%s\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"SIP/2.0 200 OK\r\n", DIALOG),
        (b"BYE sip:1@h SIP/2.0\r\n", DIALOG),
        (b"ACK sip:1@h SIP/2.0\r\n", DIALOG),
        (b"PRACK sip:1@h SIP/2.0\r\n", DIALOG),
        (b"UPDATE sip:1@h SIP/2.0\r\n", DIALOG),
        (b"REGISTER sip:h SIP/2.0\r\n", REGISTER),
        (b"OPTIONS sip:h SIP/2.0\r\n", REST),
        (b"CANCEL sip:1@h SIP/2.0\r\n", CALL),
        (INVITE % b"To: <sip:1@h>", CALL),
        (INVITE % b"To: <sip:1@h>;tag=9", DIALOG),
        (INVITE % b"t:<sip:1@h> ; tag = 9", DIALOG),
        (INVITE % b"TO: <sip:1@h>;x=1;TAG=9", DIALOG),
        # the tag of another field is not the dialog's
        (INVITE % b"From: <sip:1@h>;tag=9\r\nTo: <sip:1@h>", CALL),
        (INVITE % b"Toner: <sip:1@h>;tag=9", CALL),
        (b"", REST),
        (b"\r\n\r\n", REST),
        (b"\x00\xff garbage", REST),
        (b"INVITEsip:1@h", REST),
    ],
)
def test_what_carries_a_call_on_is_told_from_what_begins_one(data: bytes, expected: int) -> None:
    assert urgency(data) == expected
