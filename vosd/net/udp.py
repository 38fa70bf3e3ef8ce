# SPDX-License-Identifier: GPL-2.0-or-later
"""A UDP socket for SIP: drained without asyncio's datagram protocol, which costs five times more.

`receive(datagrams, index)` gets what lies there, at most BATCH: the system's code and ours then
take turns less often, which the processor's caches notice, and a flood waits with us, where what
is urgent can be told, and not in the kernel.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence

from vosd.net.sockets import bound, mark

BATCH = 256
LARGEST = 65535
_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)
#: room for a burst of INVITEs while the loop works on something else
_BUFFER = 4 << 20


Receive = Callable[[Sequence[tuple[bytes, tuple[str, int]]], int], None]


class UdpSocket:
    """One bound address; `index` is what the SIP endpoint calls it."""

    __slots__ = ("_loop", "_receive", "_socket", "dropped", "host", "index", "port")

    def __init__(self, host: str, port: int, index: int, receive: Receive) -> None:
        """Bind; SocketError tells why not (address in use, not ours)."""
        self.index = index
        self._receive = receive
        self._socket = bound("udp", host, port)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        self.host, self.port = self._socket.getsockname()[:2]
        self.dropped = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        loop.add_reader(self._socket.fileno(), self._drain)

    def _drain(self) -> None:
        recvfrom = self._socket.recvfrom
        batch: list[tuple[bytes, tuple[str, int]]] = []
        for _ in range(BATCH):
            try:
                data, source = recvfrom(LARGEST)
            except BlockingIOError:
                break
            except OSError:
                continue  # an ICMP error of an earlier send
            batch.append((data, source[:2]))
        if batch:
            self._receive(batch, self.index)

    def send(self, data: bytes, destination: tuple[str, int]) -> bool:
        """Send now; False when there is no way there. Anything else drops, as a network would."""
        try:
            self._socket.sendto(data, destination)
        except OSError as error:
            self.dropped += 1
            return error.errno not in _NO_WAY
        return True

    def unread(self, peer: tuple[str, int]) -> None:
        """A message of `peer` is not read: it will send it again."""

    def mark(self, dscp: int) -> None:
        """DSCP of everything sent from now on."""
        mark(self._socket, dscp)

    def close(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
