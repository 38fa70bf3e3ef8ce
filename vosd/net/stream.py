# SPDX-License-Identifier: GPL-2.0-or-later
"""A listening TCP or TLS socket for SIP and every connection of its index.

Connections are found by the peer's address: an answer goes back on the one its request came on
(RFC 3261 18.2.2), a request takes one that stands or opens one. Nobody holds one by silence: a
connection without a whole message ends after HEAD_S, and over a limit the one used longest ago
makes room; strangers never push out a gateway's or a registered phone's.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from vosd.net.addresses import family_of, is_wildcard
from vosd.net.connection import PONG, Address, Connection, Frame, Framer
from vosd.net.sockets import bound, mark
from vosd.net.tls import Channel, Contexts

log = logging.getLogger("vosd.net")

#: seconds a sender has for a whole message, and for saying anything at all
HEAD_S = 10.0
#: connections accepted before others get their turn
_BATCH = 64
_WAITING = 512
#: one used this recently is not closed for a newcomer of the same source
_BUSY_S = 10.0
#: pings that are answered of those that come at once: a flood of them costs one write
_PONGS = 4
#: the system has nothing left to accept with, which does not make the listener any less readable
_SHORT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Limits(NamedTuple):
    """Seconds to connect and to stay idle; connections per source and in all."""

    connect_s: float = 4.0
    idle_s: float = 3600.0
    per_source: int = 256
    total: int = 8192


class Doors(Protocol):
    """Who gets what comes in, and hears of what happens."""

    def datagrams(self, batch: Sequence[tuple[bytes, Address]], local: int, /) -> None: ...
    def broken(
        self, data: bytes, code: int, reason: str, source: Address, local: int, /
    ) -> None: ...
    def unreachable(self, destination: Address, local: int, /) -> None: ...
    def lost(self, peer: Address, local: int, /) -> None: ...
    def count(self, name: str, /) -> None: ...
    def familiar(self, host: str, /) -> bool: ...
    def handshakes(self, host: str, /) -> bool: ...


class StreamSocket:
    """One bound address; `index` is what the SIP endpoint calls it."""

    def __init__(
        self, transport: str, host: str, port: int, index: int, doors: Doors,
        framer: Callable[[], Framer],
    ) -> None:  # fmt: skip
        """Bind; SocketError tells why not (address in use, not ours)."""
        self.transport = transport
        self.index = index
        self.limits = Limits()
        #: for transport tls; replaced when certificates are read again
        self.contexts: Contexts | None = None
        #: name and whether to verify it, of a TLS server we call
        self.server: Callable[[Address], tuple[str, bool]] = lambda peer: (peer[0], True)
        self._doors = doors
        self._framer = framer
        self._dscp = 0
        self._socket = bound(transport, host, port)
        self.host, self.port = self._socket.getsockname()[:2]
        self._loop: asyncio.AbstractEventLoop | None = None
        #: nothing could be accepted; tried again at the next tick
        self._resting = False
        #: that was said, and nobody could be accepted since
        self._short = False
        #: every connection, the one used longest ago first
        self._all: dict[Connection, None] = {}
        #: those that have not finished what they began, by when
        self._unfinished: dict[Connection, None] = {}
        #: those whose peer was not familiar when last looked at, the one used longest ago first
        self._strangers: dict[Connection, None] = {}
        self._by_peer: dict[Address, Connection] = {}
        self._by_source: dict[str, dict[Connection, None]] = {}

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._socket.listen(_WAITING)
        loop.add_reader(self._socket.fileno(), self._accept)

    def __len__(self) -> int:
        return len(self._all)

    # in

    def _accept(self) -> None:
        for _ in range(_BATCH):
            try:
                sock, source = self._socket.accept()
            except OSError as error:  # none left, gone again, or no descriptor free
                if error.errno in _SHORT:
                    self._rest(error)
                return
            self._short = False
            peer: Address = source[:2]
            if self._admits(peer[0]):
                self._doors.count("connections_accepted")
                self._keep(sock, peer, True, self.contexts.serve() if self.contexts else None)
            else:
                self._doors.count("connections_refused")
                sock.close()

    def _rest(self, error: OSError) -> None:
        """Leave the listener alone until the next tick: it would wake us again and again."""
        assert self._loop is not None
        self._loop.remove_reader(self._socket.fileno())
        self._resting = True
        if not self._short:
            self._short = True
            log.error("cannot accept on %s port %d/%s: %s; new connections wait: raise "
                      "LimitNOFILE= of the service",
                      self.host, self.port, self.transport, error.strerror)  # fmt: skip

    def _admits(self, host: str) -> bool:
        """Whether one more from `host` is taken; a handshake costs more than a message."""
        if self.contexts is not None and not self._doors.handshakes(host):
            return False
        return self._spares(_source(host)) and self._room()

    def _spares(self, source: str) -> bool:
        """Make room for one more of `source`; False when those it has are all in use."""
        assert self._loop is not None
        mine = self._by_source.get(source, {})
        if len(mine) >= self.limits.per_source:
            oldest = min(mine, key=lambda each: (each.proven, each.used))
            if oldest.proven and self._loop.time() - oldest.used < _BUSY_S:
                return False
            self._evict(oldest)
        return True

    def _room(self) -> bool:
        """Make room for one more in all: who said nothing goes, then strangers; else False."""
        if len(self._all) < self.limits.total:
            return True
        silent = (each for each in self._unfinished if each.accepted and not each.proven)
        spare = next(silent, None) or self._stranger()
        if spare is not None:
            self._evict(spare)
        return spare is not None

    def _stranger(self) -> Connection | None:
        """The stranger's connection used longest ago; those who became familiar are so for good,
        so that each is asked about once."""
        while self._strangers:
            connection = next(iter(self._strangers))
            if not self._doors.familiar(connection.peer[0]):
                return connection
            del self._strangers[connection]
        return None

    def _evict(self, connection: Connection) -> None:
        self._doors.count("connections_evicted")
        connection.close()

    def _keep(
        self, sock: socket.socket, peer: Address, accepted: bool, channel: Channel | None
    ) -> Connection:
        assert self._loop is not None
        connection = Connection(
            self, self._loop, sock, peer, self._framer(), channel, accepted
        )
        connection.mark(self._dscp)
        self._all[connection] = self._unfinished[connection] = None
        self._strangers[connection] = None
        self._by_peer[peer] = connection
        self._by_source.setdefault(_source(peer[0]), {})[connection] = None
        if accepted:
            connection.begin()
        return connection

    def framed(self, connection: Connection, frames: Iterable[Frame]) -> None:
        """What a connection's octets made."""
        assert self._loop is not None
        batch: list[tuple[bytes, Address]] = []
        broken: Frame | None = None
        pings = 0
        for frame in frames:
            if frame.kind == "message":
                batch.append((frame.data, connection.peer))
            elif frame.kind == "ping":
                pings += 1
            else:
                broken = frame
        if pings:
            connection.write(PONG * min(pings, _PONGS))
        if batch:
            connection.proven = True
            self._used(connection)
        self._time(connection, bool(batch))
        if batch:
            self._doors.datagrams(batch, self.index)
        if broken is not None:
            self._doors.broken(
                broken.data, broken.code, broken.reason, connection.peer, self.index
            )
            connection.finish()

    def _time(self, connection: Connection, whole: bool) -> None:
        """A message that has begun has HEAD_S from its first octet."""
        assert self._loop is not None
        if connection.over or not connection.proven:
            return
        if not connection.framer.begun:
            self._unfinished.pop(connection, None)
        elif whole or connection not in self._unfinished:
            connection.since = self._loop.time()
            self._unfinished[connection] = None

    def _used(self, connection: Connection) -> None:
        assert self._loop is not None
        connection.used = self._loop.time()
        for order in (self._all, self._strangers):
            if connection in order:
                del order[connection]
                order[connection] = None

    # out

    def connected(self, peer: Address) -> bool:
        """Whether a connection with this address stands."""
        return peer in self._by_peer

    def send(self, data: bytes, destination: Address) -> bool:
        """Send on the connection to `destination`, or open one; False when there is no way."""
        connection = self._by_peer.get(destination) or self._open(destination)
        if connection is None or not connection.write(data):
            return False
        self._used(connection)
        return True

    def unread(self, peer: Address) -> None:
        """A message of `peer` is not read, and a stream never sends it again: that tells it."""
        connection = self._by_peer.get(peer)
        if connection is not None:
            self._doors.count("connections_unread")
            connection.close()

    def _open(self, peer: Address) -> Connection | None:
        if self._loop is None or not self._room():
            return None
        channel = self.contexts.call(*self.server(peer)) if self.contexts else None
        sock = self._outgoing(peer)
        if sock is None:
            self._doors.count("connections_failed")
            return None
        connection = self._keep(sock, peer, False, channel)
        connection.since = self._loop.time()
        if connection.connect():
            return connection
        self._remove(connection)
        sock.close()
        connection.over = True
        self._doors.count("connections_failed")
        return None

    def _outgoing(self, peer: Address) -> socket.socket | None:
        """A socket of our address; None without a descriptor, or when the address is gone."""
        try:
            sock = socket.socket(family_of(peer[0]), socket.SOCK_STREAM)
        except OSError:
            return None
        try:
            if not is_wildcard(self.host):
                sock.bind((self.host, 0))
        except OSError:
            sock.close()
            return None
        return sock

    # what becomes of them

    def ready(self, connection: Connection) -> None:
        """The handshakes are done."""
        if not connection.accepted:
            self._doors.count("connections_opened")
            connection.proven = True
            self._unfinished.pop(connection, None)

    def closed(self, connection: Connection) -> None:
        """It is over; whoever waits for an answer on it is told once this pass is done."""
        self._remove(connection)
        if self._loop is None:
            return  # the doors are shut
        if not connection.open:
            self._doors.count("connections_failed")
            if connection.reason and not connection.accepted:
                log.warning("cannot speak TLS with %s port %d: %s", *connection.peer,
                            connection.reason)  # fmt: skip
        if connection.open or not connection.accepted:
            tell = self._doors.lost if connection.open else self._doors.unreachable
            self._loop.call_soon(tell, connection.peer, self.index)

    def _remove(self, connection: Connection) -> None:
        self._all.pop(connection, None)
        self._unfinished.pop(connection, None)
        self._strangers.pop(connection, None)
        if self._by_peer.get(connection.peer) is connection:
            del self._by_peer[connection.peer]
        source = _source(connection.peer[0])
        mine = self._by_source.get(source, {})
        mine.pop(connection, None)
        if not mine:
            self._by_source.pop(source, None)

    def tick(self, now: float) -> None:
        """Once a second: end what takes too long, and what was idle too long."""
        if self._resting and self._loop is not None:
            self._resting = False
            self._loop.add_reader(self._socket.fileno(), self._accept)
        for connection in list(self._unfinished):
            connecting = not connection.accepted and not connection.open
            if now - connection.since >= (self.limits.connect_s if connecting else HEAD_S):
                self._late(connection)
        for connection in list(self._all):
            if now - connection.used < self.limits.idle_s:
                break
            self._late(connection)

    def _late(self, connection: Connection) -> None:
        if connection.open:
            self._doors.count("connections_idle")
        connection.close()

    def mark(self, dscp: int) -> None:
        """DSCP of everything sent from now on."""
        self._dscp = dscp
        for connection in self._all:
            connection.mark(dscp)
        mark(self._socket, dscp)

    def close(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.remove_reader(self._socket.fileno())
        for connection in list(self._all):
            connection.close()
        self._socket.close()


def _source(host: str) -> str:
    """Whose connection it is: an IPv4 address, or the /64 one site has (RFC 4291 2.5.4)."""
    if ":" not in host:
        return host
    address = ipaddress.IPv6Address(host.partition("%")[0])
    return str(address.ipv4_mapped or address.exploded[:19])
