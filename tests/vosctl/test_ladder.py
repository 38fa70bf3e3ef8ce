# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces as ladders and captures: whole outputs; tshark is the judge of the capture."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from vosctl.capture import pcap
from vosctl.console import Cell
from vosctl.ladder import ladders
from vosd.wire.traces import TraceMessage

A, SWITCH, B = "192.0.2.9:5060", "198.51.100.1:5060", "203.0.113.7:5070"
SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
START = 1795359600.0  # 2026-11-22 15:00:00 UTC


def sip(line: str, cseq: str, *headers: str, call_id: str = "x@a", body: str = "") -> str:
    lines = [line, "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1", "From: <sip:7001@a>;tag=1",
             f"To: <sip:4400@b>{'' if line.startswith('INVITE') else ';tag=2'}",
             f"Call-ID: {call_id}", f"CSeq: {cseq}", *headers]  # fmt: skip
    if body:
        lines.append("Content-Type: application/sdp")
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])


def a_in(at: float, text: str) -> TraceMessage:
    return _message(at, "in", A, SWITCH, "a", text)


def a_out(at: float, text: str) -> TraceMessage:
    return _message(at, "out", SWITCH, A, "a", text)


def b_in(at: float, text: str, who: str = B) -> TraceMessage:
    return _message(at, "in", who, SWITCH, "b", text)


def b_out(at: float, text: str, who: str = B) -> TraceMessage:
    return _message(at, "out", SWITCH, who, "b", text)


def _message(at: float, way: str, source: str, destination: str, leg: str,
             text: str) -> TraceMessage:  # fmt: skip
    return TraceMessage(at=START + at, direction=way, transport="udp", source=source,  # type: ignore[arg-type]
                        destination=destination, call="00aa11bb22cc33dd", leg=leg, text=text)  # type: ignore[arg-type]  # fmt: skip


def drawn(messages: Sequence[TraceMessage], width: int = 80) -> str:
    lines = [line.text if isinstance(line, Cell) else line for line in ladders(messages, width)]
    return "".join(f"{line}\n" for line in lines)


INVITE = "INVITE sip:4400@198.51.100.1 SIP/2.0"
OUT = "INVITE sip:4400@203.0.113.7:5070 SIP/2.0"
OK = "SIP/2.0 200 OK"
TIMER = ("Supported: timer", "Session-Expires: 1800;refresher=uac", "Min-SE: 90")


def call(*a_ok: str, asked: Sequence[str] = TIMER) -> list[TraceMessage]:
    """An answered call; its 200 towards A carries `a_ok`, the one of B no session timer."""
    invite_b = sip(OUT, "1 INVITE", "Supported: timer", "Session-Expires: 600",
                   call_id="y@s", body=SDP)  # fmt: skip
    return [
        a_in(0.0, sip(INVITE, "1 INVITE", *asked, body=SDP)),
        a_out(0.001, sip("SIP/2.0 100 Trying", "1 INVITE")),
        b_out(0.0015, invite_b),
        b_out(0.5015, invite_b),
        b_in(0.6, sip(OK, "1 INVITE", call_id="y@s", body=SDP)),
        b_out(0.604, sip("ACK sip:4400@203.0.113.7:5070 SIP/2.0", "1 ACK", call_id="y@s")),
        a_out(0.605, sip(OK, "1 INVITE", *a_ok, body=SDP)),
        a_in(0.61, sip("ACK sip:4400@198.51.100.1 SIP/2.0", "1 ACK")),
    ]


def test_ladder_of_80_columns_marks_timers_and_says_what_leg_b_lacks_dbg_02_03_05() -> None:
    agreed = ("Require: timer", "Session-Expires: 1800;refresher=uac")
    assert drawn(call(*agreed)) == """\
call 00aa11bb22cc33dd, 7001 to 4400, 2026-11-22, 8 messages
             A 192.0.2.9:5060      vosd 198.51.100.1:5060     B 203.0.113.7:5070
15:00:00.000 |---------- INVITE SDP --------->|                                |
             | Session-Expires: 1800;         |                                |
             |   refresher=uac                |                                |
             | Min-SE: 90                     |                                |
             | Supported: timer               |                                |
15:00:00.001 |<---------- 100 Trying ---------|                                |
15:00:00.001 |                                |---------- INVITE SDP --------->|
             |                                | Session-Expires: 600           |
             |                                | Supported: timer               |
15:00:00.501 |                                |----- INVITE SDP (again 1) ---->|
15:00:00.600 |                                |<---------- 200 OK SDP ---------|
15:00:00.604 |                                |------------- ACK ------------->|
15:00:00.605 |<---------- 200 OK SDP ---------|                                |
             | Session-Expires: 1800;         |                                |
             |   refresher=uac                |                                |
             | Require: timer                 |                                |
15:00:00.610 |------------- ACK ------------->|                                |
leg a: session timer 1800 s, refreshed by 192.0.2.9:5060, due after 900 s
leg b: no Session-Expires in the 200 of 203.0.113.7:5070: peer lacks RFC 4028,
  the hard cap applies (SS_SIP_NO_TIMER_REINVITE_INTERVAL)
"""


def test_no_line_is_wider_than_the_terminal() -> None:
    for width in (80, 120, 200):
        lines = drawn(call(), width).splitlines()
        assert max(len(line) for line in lines) <= width


@pytest.mark.parametrize(
    ("ok", "asked", "said"),
    [
        # RFC 4028 9: the 2xx names the refresher, and requires timer where that is the UAC (D23)
        (("Session-Expires: 1800",), TIMER, "leg a: no refresher in the 200: both sides may think"),
        (("Session-Expires: 1800;refresher=uac",), TIMER,
         "leg a: no Require: timer in the 200 although refresher=uac"),
        # RFC 4028 7.1
        ((), ("Session-Expires: 1800",),
         "leg a: its INVITE has Session-Expires without Supported: timer"),
        ((), (), "leg a: 192.0.2.9:5060 offers no session timer: peer lacks RFC 4028"),
        ((), TIMER, "leg a: no Session-Expires in our 200 although 192.0.2.9:5060 offered"),
        (("Session-Expires: 600;refresher=uas",), TIMER,
         "leg a: session timer 600 s, refreshed by the switch, due after 300 s"),
    ],
)  # fmt: skip
def test_what_is_missing_on_leg_a(ok: Sequence[str], asked: Sequence[str], said: str) -> None:
    assert said in drawn(call(*ok, asked=asked), 200)


def test_refreshes_are_counted_and_their_absence_is_said_dbg_04() -> None:
    agreed = call("Require: timer", "Session-Expires: 90;refresher=uac")
    bye = a_in(60.605, sip("BYE sip:4400@198.51.100.1 SIP/2.0", "3 BYE"))
    assert ("leg a: no refresh in 60 s after the answer: one was due after 45 s"
            in drawn([*agreed, bye], 200))  # fmt: skip
    update = a_in(45.605, sip("UPDATE sip:4400@198.51.100.1 SIP/2.0", "2 UPDATE", *TIMER))
    assert ("leg a: 1 UPDATE or re-INVITE after the answer, the last (UPDATE by 192.0.2.9:5060) "
            "45 s after it" in drawn([*agreed, update, bye], 200))  # fmt: skip


def test_a_422_says_what_the_peer_wants() -> None:
    refused = b_in(0.1, sip("SIP/2.0 422 Session Interval Too Small", "1 INVITE", "Min-SE: 1800",
                            call_id="y@s"))  # fmt: skip
    text = drawn([*call()[:3], refused], 120)
    assert "leg b: 422, the interval is too small: 1800 s is the least " + B + " takes" in text


def test_hunting_names_the_next_gateway_where_it_comes() -> None:
    other = "203.0.113.8:5060"
    failed = b_in(0.1, sip("SIP/2.0 503 Service Unavailable", "1 INVITE", call_id="y@s"))
    second = b_out(0.2, sip(OUT, "1 INVITE", call_id="z@s", body=SDP), other)
    lines = drawn([*call()[:3], failed, second], 80).splitlines()
    assert lines[-2].endswith("|   B is now 203.0.113.8:5060    |")
    assert lines[-1].endswith("|---------- INVITE SDP --------->|")


def test_hostile_text_stays_text_and_the_unreadable_is_shown_as_such_row_20() -> None:
    evil = TraceMessage(at=START, direction="in", transport="udp", source=A, destination=SWITCH,
                        text="\x1b[2JHELLO\r\n\r\n")  # fmt: skip
    lines = drawn([evil], 120).splitlines()
    assert all(line.isprintable() for line in lines)
    assert r"unreadable: \x1b[2JHELLO" in lines[2]
    assert "cannot read request line" in "".join(lines[3:]).replace(" ", "").replace(
        "cannotreadrequestline", "cannot read request line"
    )


V6 = TraceMessage(at=START + 1.5, direction="in", transport="tls", source="[2001:db8::9]:40000",
                  destination="[2001:db8::1]:5061",
                  text=sip(OK, "1 INVITE", call_id="v6"))  # fmt: skip
ODD = _message(2.0, "out", SWITCH, A, "a", "")
ODD.data = sip("SIP/2.0 486 Besetzt", "1 INVITE", call_id="odd").encode() + b"\xff"


def test_pcap_headers_by_hand() -> None:
    """One IPv4 packet of 3 octets, each field from RFC 791, 768 and pcap-savefile(5)."""
    file = io.BytesIO()
    one = TraceMessage(at=1.5, direction="in", transport="udp", source="1.2.3.4:5060",
                       destination="5.6.7.8:5061", text="abc")  # fmt: skip
    assert pcap.write(file, [one]) == 1
    data = file.getvalue()
    assert data[:24] == struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
    assert struct.unpack("<IIII", data[24:40]) == (1, 500_000, 31, 31)
    # 4500+001f+4011+0102+0304+0506+0708 = 9544, complement 6abb
    assert data[40:60].hex() == "4500001f0000000040116abb0102030405060708"
    # pseudo header 0102+0304+0506+0708+0011+000b, 13c4+13c5+000b, 6162+6300 = fc26 -> 03d9
    assert data[60:].hex() == "13c413c5000b" + "03d9" + "616263"


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_every_packet_as_sip_with_right_checksums(tmp_path: Path) -> None:
    messages = [*call("Require: timer"), V6, ODD]
    path = tmp_path / "trace.pcap"
    with path.open("wb") as file:
        pcap.write(file, messages)
    read = subprocess.run(
        ["tshark", "-r", str(path), "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
         "-d", "udp.port==5070,sip", "-d", "udp.port==5061,sip",
         "-T", "fields", "-E", "separator=|", "-e", "frame.time_epoch", "-e", "sip.Call-ID",
         "-e", "sip.CSeq.method", "-e", "sip.Status-Code", "-e", "udp.checksum.status",
         "-e", "ip.checksum.status", "-e", "_ws.malformed"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [line.split("|") for line in read.stdout.splitlines()]
    assert [row[1] for row in rows] == ["x@a", "x@a", "y@s", "y@s", "y@s", "y@s", "x@a", "x@a",
                                        "v6", "odd"]  # fmt: skip
    assert [row[2] for row in rows] == ["INVITE"] * 5 + ["ACK", "INVITE", "ACK", "INVITE", "INVITE"]
    assert [row[3] for row in rows] == ["", "100", "", "", "200", "", "200", "", "200", "486"]
    assert {row[4] for row in rows} == {"1"}  # good
    assert [row[5] for row in rows] == ["1"] * 8 + ["", "1"]
    assert {row[6] for row in rows} == {""}
    assert [float(row[0]) for row in rows] == pytest.approx([m.at for m in messages], abs=1e-6)
