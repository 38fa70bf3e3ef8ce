# SPDX-License-Identifier: GPL-2.0-or-later
"""One TCP or TLS connection: octets in, frames out; what cannot be written yet waits, bounded.

Idle it holds a socket and a few objects: no task, no read buffer (reliability.md section 3 row 5).
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterable
from typing import Protocol

from vosd.net.sockets import mark
from vosd.net.tls import Channel

_READ = 65536
#: octets that may wait for a peer that does not read, or for a connection that is being made
_BACKLOG = 256 << 10
#: how long unacknowledged octets may stay so before the system gives the connection up
_UNHEARD_MS = 10_000
PONG = b"\r\n"

Address = tuple[str, int]


class Frame(Protocol):
    """What a framer makes of octets: a `message`, a `ping`, or `broken`."""

    @property
    def kind(self) -> str: ...
    @property
    def data(self) -> bytes: ...
    @property
    def code(self) -> int: ...
    @property
    def reason(self) -> str: ...


class Framer(Protocol):
    @property
    def begun(self) -> bool: ...
    def feed(self, data: bytes) -> Iterable[Frame]: ...


class Owner(Protocol):
    """Who keeps the connection."""

    def framed(self, connection: Connection, frames: Iterable[Frame]) -> None: ...
    def ready(self, connection: Connection) -> None: ...
    def closed(self, connection: Connection) -> None: ...


class Connection:
    """A socket that is being connected, or is."""

    __slots__ = (
        "_backlog", "_channel", "_closing", "_loop", "_owner", "_plain", "_socket", "_writing",
        "accepted", "framer", "open", "over", "peer", "proven", "reason", "since", "used",
    )  # fmt: skip

    def __init__(
        self, owner: Owner, loop: asyncio.AbstractEventLoop, sock: socket.socket, peer: Address,
        framer: Framer, channel: Channel | None, accepted: bool,
    ) -> None:  # fmt: skip
        self._owner, self._loop, self._socket, self._channel = owner, loop, sock, channel
        self.peer = peer
        self.framer = framer
        #: the peer opened it
        self.accepted = accepted
        #: the handshakes are done
        self.open = False
        self.over = False
        #: why TLS ended it
        self.reason = ""
        #: it carried a whole message, or we made it
        self.proven = False
        #: seconds of the loop's clock: when what is unfinished began, and the last message
        self.since = self.used = loop.time()
        self._plain: list[bytes] = []
        self._backlog = bytearray()
        self._writing = self._closing = False
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNHEARD_MS)

    def begin(self) -> None:
        """The socket is accepted or connected."""
        self._loop.add_reader(self._socket.fileno(), self._readable)
        if self._channel is None:
            self._opened()
        else:
            self._take(b"")

    def connect(self) -> bool:
        """Begin to connect; False when there is no way there."""
        error = self._socket.connect_ex(self.peer)
        if error not in (0, errno.EINPROGRESS):
            return False
        self._loop.add_writer(self._socket.fileno(), self._connected)
        return True

    def _connected(self) -> None:
        self._loop.remove_writer(self._socket.fileno())
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.close()
        else:
            self.begin()

    def _opened(self) -> None:
        self.open = True
        self._owner.ready(self)
        waiting, self._plain = self._plain, []
        for data in waiting:
            self.write(data)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if data:
            self._take(data)
        else:
            self.close()

    def _take(self, data: bytes) -> None:
        channel = self._channel
        if channel is not None:
            try:
                data = channel.open(data)
            except (ssl.SSLError, ValueError) as error:
                self.reason = str(error)
                self._send(channel.sealed())  # the alert says why
                self.close()
                return
            self._send(channel.sealed())
            if channel.ready and not self.open:
                self._opened()
        if data and not self.over:
            self._owner.framed(self, self.framer.feed(data))
        if channel is not None and channel.ended:
            self.close()

    def write(self, data: bytes) -> bool:
        """Send, or keep until it can be sent; False when it cannot."""
        if self.over or self._closing:
            return False
        if not self.open:
            self._plain.append(data)
            return self._bounded(sum(map(len, self._plain)))
        if self._channel is None:
            self._send(data)
        else:
            self._channel.seal(data)
            self._send(self._channel.sealed())
        return self._bounded(len(self._backlog))

    def _bounded(self, octets: int) -> bool:
        if octets > _BACKLOG:
            self.close()
        return not self.over

    def _send(self, data: bytes) -> None:
        if self.over or not data:
            return
        if not self._writing:
            try:
                data = data[self._socket.send(data) :]
            except (BlockingIOError, InterruptedError):
                pass
            except OSError:
                self.close()
                return
        if data:
            self._backlog += data
            if not self._writing:
                self._writing = True
                self._loop.add_writer(self._socket.fileno(), self._writable)

    def _writable(self) -> None:
        try:
            del self._backlog[: self._socket.send(self._backlog)]
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()
            return
        if not self._backlog:
            self._writing = False
            self._loop.remove_writer(self._socket.fileno())
            if self._closing:
                self.close()

    def finish(self) -> None:
        """Close once everything is written."""
        self._closing = True
        if not self._backlog:
            self.close()

    def mark(self, dscp: int) -> None:
        mark(self._socket, dscp)

    def close(self) -> None:
        """Close now; the owner is told, once."""
        if self.over:
            return
        self.over = True
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        self._socket.close()
        self._owner.closed(self)
