# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP messages as a pcap file that tshark, Wireshark and sngrep open.

The switch kept messages, not packets, so IP and UDP are written around each (RFC 791, 8200, 768).
What came over TCP or TLS is written as UDP too: every message stays one packet, whole and
readable without keys or a handshake; its Via still names the transport.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from typing import BinaryIO

from vosd.wire.traces import TraceMessage

#: classic format, microseconds, and raw IP with no link layer (pcap-savefile(5))
_MAGIC, _RAW = 0xA1B2C3D4, 101
_SNAP = 262144
_UDP, _TTL = 17, 64
#: what one IPv4 packet holds; a longer message, which only TCP can bring, is cut
_LARGEST = 65535 - 20 - 8


def write(file: BinaryIO, messages: Iterable[TraceMessage]) -> int:
    """Write a whole file; how many packets it holds."""
    file.write(struct.pack("<IHHiIII", _MAGIC, 2, 4, 0, 0, _SNAP, _RAW))
    count = 0
    for message in messages:
        count += 1
        data = _packet(message)
        seconds, micros = divmod(round(message.at * 1_000_000), 1_000_000)
        file.write(struct.pack("<IIII", seconds, micros, len(data), len(data)) + data)
    return count


def _packet(message: TraceMessage) -> bytes:
    source, sport = _split(message.source)
    destination, dport = _split(message.destination)
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    payload = message.octets[:_LARGEST]
    length = 8 + len(payload)
    pseudo = ends + struct.pack("!IHH", length, 0, _UDP)
    head = struct.pack("!HHH", sport, dport, length)
    # 0 would mean "no checksum" (RFC 768)
    total = _checksum(pseudo + head + b"\0\0" + payload) or 0xFFFF
    datagram = head + struct.pack("!H", total) + payload
    if family == socket.AF_INET6:
        return struct.pack("!IHBB", 6 << 28, length, _UDP, _TTL) + ends + datagram
    return _ipv4(ends, len(datagram)) + datagram


def _ipv4(ends: bytes, length: int) -> bytes:
    def header(total: int) -> bytes:
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, _TTL, _UDP, total) + ends

    return header(_checksum(header(0)))


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _split(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]").partition("%")[0], int(port)
