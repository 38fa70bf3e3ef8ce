# SPDX-License-Identifier: GPL-2.0-or-later
"""Reliability row 1: 60 odd values in 75 places of an INVITE, through a whole switch.

A tenth of the 4500 in the suite, all in `make soak`. The sender is a known gateway, so what the
parser lets pass goes on into calls and leaves them again.
"""

from __future__ import annotations

import os
import re

import pytest

from tests.engine.switchboard import ALICE, BOB, SWITCH, Switchboard

WHOLE = bool(os.environ.get("VOSD_SOAK"))

INVITE = (
    "INVITE sip:200@10.0.0.1:5060;user=phone SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK77ef;rport;received=10.0.0.2\r\n"
    "Max-Forwards: 70\r\n"
    'From: "Alice" <sip:100@10.0.0.2:5060>;tag=8675\r\n'
    "To: <sip:200@10.0.0.1>\r\n"
    "Call-ID: abc123@10.0.0.2\r\n"
    "CSeq: 31 INVITE\r\n"
    "Contact: <sip:100@10.0.0.2:5060;transport=udp>;expires=60\r\n"
    "Session-Expires: 600;refresher=uac\r\n"
    "Min-SE: 90\r\n"
    "Supported: timer\r\n"
    "P-Asserted-Identity: <sip:100@10.0.0.2>\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: {length}\r\n"
    "\r\n"
)
BODY = (
    "v=0\r\no=a 17 18 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)
#: every word of the message: names, numbers, hosts, parameters and what stands between them
PLACES = [match.span() for match in re.finditer(r"[\w.\-]+|[^\w\s]", INVITE + BODY)]
VALUES = [
    b"", b" ", b"0", b"1", b"-1", b"255", b"256", b"65535", b"65536", b"4294967295", b"4294967296",
    b"18446744073709551616", b"00000000000000000001", b"1e9", b"0x10", b"%n%n%n%n", b"%s" * 50,
    b"\0", b"\0" * 500, b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    "\u202e\u2066".encode(), "\u0661".encode(), b"\x1b[2J", b"\x7f", b"\r", b"\n", b"\r\n",
    b"\r\n ", b"\r\n\r\n", b"\t", b",", b";", b":", b"@", b"<", b">", b"<>", b"<<<<", b'"', b'\\"',
    b'""', b"?", b"=", b"/", b"*", b"[", b"[::1]", b"[::", b"../../../etc/passwd", b"$(id)",
    b"';--", b"a" * 10000, b";a" * 4000, b"<sip:" * 500, b"%41" * 2000, b"(" * 5000,
    b"sip:sip:sip:",
]  # fmt: skip


def cases() -> list[tuple[int, int]]:
    """(place, value) of 75 places evenly spread; a tenth of them, each value and place in turn."""
    spread = [PLACES[number * len(PLACES) // 75] for number in range(75)]
    every = [(place, value) for place in range(len(spread)) for value in range(len(VALUES))]
    assert len(every) == 4500
    return every if WHOLE else [pair for number, pair in enumerate(every) if number % 11 == 3]


def damaged(place: int, value: int) -> bytes:
    """The message with one word replaced; Content-Length fits, so that the rest is read."""
    start, end = PLACES[place * len(PLACES) // 75]
    text = (INVITE + BODY).encode()
    text = text[:start] + VALUES[value] + text[end:]
    head, _, body = text.partition(b"\r\n\r\n")
    return head.replace(b"{length}", b"%d" % len(body)) + b"\r\n\r\n" + body


PING = (
    b"OPTIONS sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKp%d\r\n"
    b"From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: p%d\r\nCSeq: 1 OPTIONS\r\n\r\n"
)


@pytest.mark.timeout(1200 if WHOLE else 120)
def test_odd_values_in_odd_places(caplog: pytest.LogCaptureFixture) -> None:
    board = Switchboard()
    board.agent("bob", BOB, ring_after=0.1, answer_after=None)
    for number, (place, value) in enumerate(cases()):
        since = len(board.world.ladder)
        board.world.inject(damaged(place, value), ALICE, SWITCH)
        board.world.advance(0.2)
        board.world.inject(PING % (number, number), ALICE, SWITCH)
        board.world.advance(0.1)
        told = [entry.text for entry in board.world.ladder[since:] if entry.source == "switch"]
        assert "200 OPTIONS 1" in told, (place, VALUES[value])
        if number % 50 == 49:
            board.switch.end_calls("forced")
            board.world.advance(40)
            del board.world.ladder[:]
    board.switch.end_calls("forced")
    board.world.advance(200)
    assert board.empty()
    assert [r.getMessage() for r in caplog.records if r.exc_info] == []
