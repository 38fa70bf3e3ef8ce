# SPDX-License-Identifier: GPL-2.0-or-later
"""HEPv3: packets by hand, and before sngrep, which takes HEP as Homer does."""

from __future__ import annotations

import select
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from vosd.net import hep

INVITE = (
    b"INVITE sip:b@198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n"
    b"From: <sip:a@x>;tag=1\r\nTo: <sip:b@y>\r\nCall-ID: leg-b@here\r\nCSeq: 7 INVITE\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def test_a_packet_by_hand() -> None:
    """Chunk is vendor 0, type, length with its own 6 octets, value; all in network order."""
    assert hep.packet(
        b"SIP", at=1795359600.25, transport="udp", source=("192.0.2.9", 5060),
        destination=("198.51.100.1", 5070), capture_id=2001, correlation="ab",
    ).hex() == (
        "48455033" "006e"                  # HEP3, 6 + 104 octets
        "0000" "0001" "0007" "02"          # IPv4
        "0000" "0002" "0007" "11"          # UDP
        "0000" "0003" "000a" "c0000209"
        "0000" "0004" "000a" "c6336401"
        "0000" "0007" "0008" "13c4"
        "0000" "0008" "0008" "13ce"
        "0000" "0009" "000a" "6b030370"    # 1795359600
        "0000" "000a" "000a" "0003d090"    # 250000 us
        "0000" "000b" "0007" "01"          # SIP
        "0000" "000c" "000a" "000007d1"
        "0000" "000f" "0009" "534950"
        "0000" "0011" "0008" "6162"
    )  # fmt: skip


@pytest.mark.skipif(
    not shutil.which("sngrep") or not shutil.which("tshark"),
    reason="sngrep and tshark are not both installed",
)
def test_sngrep_takes_the_packet_for_what_it_carries(tmp_path: Path) -> None:
    """sngrep listens as a collector would and writes the inner packets; tshark reads them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = tmp_path / "inner.pcap"
    collector = subprocess.Popen(
        ["sngrep", "-F", "-N", "-q", "-L", f"udp:127.0.0.1:{port}", "-O", str(path)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    sender = hep.Sender("127.0.0.1", port)
    packet = hep.packet(
        INVITE, at=1795359600.25, transport="udp", source=("192.0.2.9", 5060),
        destination=("198.51.100.1", 5070), capture_id=2001, correlation="ab",
    )  # fmt: skip
    deadline = time.monotonic() + 10
    # it starts in its own time, and a datagram before that is lost
    while not (path.exists() and path.stat().st_size > 24) and time.monotonic() < deadline:
        sender.send(packet)
        collector.poll()
        select.select([], [], [], 0.1)
    collector.terminate()
    collector.wait(5)
    sender.close()
    fields = ("ip.src", "udp.srcport", "ip.dst", "udp.dstport", "sip.Call-ID", "frame.time_epoch")
    done = subprocess.run(
        ["tshark", "-r", str(path), "-c", "1", "-d", "udp.port==5070,sip", "-T", "fields",
         "-E", "separator=|", *(word for field in fields for word in ("-e", field))],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    row = done.stdout.strip().split("|")
    assert row[:5] == ["192.0.2.9", "5060", "198.51.100.1", "5070", "leg-b@here"]
    assert float(row[5]) == 1795359600.25


def test_ipv6_and_tcp_differ_in_family_protocol_and_addresses_only() -> None:
    packet = hep.packet(b"SIP", at=2.0, transport="tls", source=("2001:db8::9", 40000),
                        destination=("2001:db8::1", 5061), capture_id=0,
                        correlation="")  # fmt: skip
    assert packet[6:20].hex() == "0000000100070a" + "00000002000706"
    six = "20010db8" + "00" * 11
    assert packet[20:64].hex() == f"000000050016{six}09" + f"000000060016{six}01"
    assert packet[-9:].hex() == "0000000f0009534950"[-18:]


def test_a_collector_that_does_not_listen_holds_nothing_up_and_no_way_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sender = hep.Sender("127.0.0.1", port)
    assert [sender.send(b"x") for _ in range(3)] == [True, True, True]
    sender.close()
    too_long = hep.Sender("127.0.0.1", port)
    assert too_long.send(bytes(70_000)) is False
    too_long.close()


def test_the_longest_message_there_is_still_fits_a_datagram() -> None:
    packet = hep.packet(bytes(65535), at=2.0, transport="tcp", source=("2001:db8::9", 1),
                        destination=("2001:db8::1", 2), capture_id=1,
                        correlation="x" * 5000)  # fmt: skip
    assert len(packet) <= 65507
    assert int.from_bytes(packet[4:6], "big") == len(packet)
