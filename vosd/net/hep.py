# SPDX-License-Identifier: GPL-2.0-or-later
"""HEP version 3, as Homer takes it: one captured SIP message a datagram, never waited for.

A packet is "HEP3", its length, and chunks of vendor, type, length, value in network order
(HEP3 protocol reference, sipcapture.org, rev. 26).
"""

from __future__ import annotations

import socket
import struct

from vosd.net.addresses import family_of

#: what begins a packet; a collector that sends it back must not be copied to itself again
MAGIC = b"HEP3"
_UDP, _TCP = 17, 6
_FAMILY = {socket.AF_INET: 2, socket.AF_INET6: 10}
_SIP = 1
_CHUNK = struct.Struct("!HHH")
_HEAD = struct.Struct("!4sH")
#: octets of a message and of a correlation id at most: with all chunks it stays one UDP datagram
#: (65507 over IPv4); only a stream can bring a message that is cut
_MESSAGE, _CORRELATION = 65000, 255


def packet(
    data: bytes,
    *,
    at: float,
    transport: str,
    source: tuple[str, int],
    destination: tuple[str, int],
    capture_id: int,
    correlation: str,
) -> bytes:
    """The packet for one message; `at` in Unix seconds, addresses are literals of one family."""
    family = family_of(source[0])
    seconds, fraction = divmod(round(at * 1_000_000), 1_000_000)
    v6 = family == socket.AF_INET6
    correlated = _chunk(17, correlation.encode()[:_CORRELATION]) if correlation else b""
    body = b"".join((
        _chunk(1, struct.pack("!B", _FAMILY[family])),
        _chunk(2, struct.pack("!B", _UDP if transport == "udp" else _TCP)),
        _chunk(5 if v6 else 3, _literal(family, source[0])),
        _chunk(6 if v6 else 4, _literal(family, destination[0])),
        _chunk(7, struct.pack("!H", source[1])),
        _chunk(8, struct.pack("!H", destination[1])),
        _chunk(9, struct.pack("!I", seconds)),
        _chunk(10, struct.pack("!I", fraction)),
        _chunk(11, struct.pack("!B", _SIP)),
        _chunk(12, struct.pack("!I", capture_id)),
        _chunk(15, data[:_MESSAGE]),
        correlated,
    ))  # fmt: skip
    return _HEAD.pack(MAGIC, _HEAD.size + len(body)) + body


def _chunk(kind: int, value: bytes) -> bytes:
    return _CHUNK.pack(0, kind, _CHUNK.size + len(value)) + value


def _literal(family: socket.AddressFamily, host: str) -> bytes:
    return socket.inet_pton(family, host.partition("%")[0])


class Sender:
    """A socket towards one collector."""

    def __init__(self, host: str, port: int) -> None:
        self.destination = host, port
        self._socket = socket.socket(family_of(host), socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, data: bytes) -> bool:
        """Send now or never; False when the system would not take it."""
        try:
            self._socket.sendto(data, self.destination)
        except OSError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()
