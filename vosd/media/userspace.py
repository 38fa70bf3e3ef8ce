# SPDX-License-Identifier: GPL-2.0-or-later
"""The relay in Python: one epoll for all media sockets, drained from the asyncio loop.

The epoll's own descriptor is the only one the loop knows. One datagram is read per ready socket
and pass (a level-triggered socket shows up again if it holds more), so no read ever fails for
want of data. A pass is bounded, then the loop may serve signalling. Under load the relay stops
being woken per packet: it looks every PACE_S, as a network card's driver does. Figures do not
notice, arrival is stamped by the kernel.
"""

from __future__ import annotations

import asyncio
import select
import socket
import time
from collections.abc import Callable

from vosd.media.datagram import (
    Inbox,
    annotate,
    pack_address,
    recvmsg,
    set_dscp,
    unpack_address,
)
from vosd.media.relay import Address, Tap
from vosd.rtp.packet import HEADER, HEADER_OCTETS, PLAIN, payload_bounds
from vosd.rtp.quality import Counters

#: datagrams per pass: about 1.5 ms
BATCH = 128
#: what pacing may add to a packet's delay, the loop rounds up to the next millisecond (the
#: source allows a proxy 1-5 ms, MP-04)
PACE_S = 0.002
#: woken more often than this in a window, the relay paces itself; it stops when a window of
#: pacing brought fewer datagrams than that
BUSY_WAKES = 20
WINDOW_S = 0.02

_NS = 1_000_000_000


class UserspaceRelay:
    """A `Relay` on plain UDP sockets; `attach` gives it a loop, or its owner calls `drain`."""

    name = "userspace"

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        """`clock` is the wall clock in ns, for datagrams the kernel did not stamp."""
        self._clock = clock
        self._epoll = select.epoll()
        self._taps: dict[int, Tap] = {}
        self._inboxes = {4: Inbox(4), 6: Inbox(6)}
        self._views: dict[int, dict[int, memoryview]] = {4: {}, 6: {}}
        self._loop: asyncio.AbstractEventLoop | None = None
        #: whether the relay looks by the clock instead of being woken
        self.paced = False
        self._wakes = 0
        self._window_ends = 0.0
        self._served = 0

    # The verbs of a relay.

    def open(self, family: int, host: str, port: int, dscp: int) -> Tap:
        """Bind host:port (family 4 or 6); raises OSError."""
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        sock = socket.socket(kind, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            if family == 6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            annotate(sock, family)
            set_dscp(sock, family, dscp)
            sock.bind((host, port))
            tap = Tap(family, host, sock.getsockname()[1] if port == 0 else port)
            self._epoll.register(sock.fileno(), select.EPOLLIN)
        except OSError:
            sock.close()
            raise
        tap.dscp = dscp
        tap.handle = sock
        tap.transmit = sock.sendto
        tap.inbox = self._inboxes[family]
        self._taps[sock.fileno()] = tap
        return tap

    def close(self, tap: Tap) -> None:
        """Give the port back to the system; closing takes it out of the epoll."""
        del self._taps[tap.handle.fileno()]
        tap.handle.close()
        self.part(tap)
        tap.transmit = None

    def join(self, one: Tap, other: Tap) -> None:
        """What comes in at either leaves through the other."""
        one.out, other.out = other, one

    def part(self, tap: Tap) -> None:
        """Forget everything of the call; the port stays open and hands all to its owner."""
        tap.out = tap.owner = tap.expected = tap.destination = None

    def steer(self, tap: Tap, source: Address | None, destination: Address | None) -> None:
        """Forward what `source` sends to `tap`; send what leaves `tap` to `destination`."""
        tap.expected = pack_address(tap.family, source) if source else None
        tap.destination = destination

    def send(self, tap: Tap, data: bytes, at: int) -> bool:
        """Send one datagram out of `tap` and count it; False when it was dropped."""
        try:
            if tap.destination is None:
                raise OSError
            tap.transmit(data, tap.destination)
        except OSError:
            tap.dropped += 1
            return False
        tap.sent += 1
        tap.sent_octets += len(data)
        tap.sent_at = at
        return True

    def mark(self, tap: Tap, dscp: int) -> None:
        """Set the DSCP (0-63) of what leaves `tap`."""
        set_dscp(tap.handle, tap.family, dscp)
        tap.dscp = dscp

    def figures(self, tap: Tap) -> Counters:
        """The tap's counters; here they are always up to date."""
        return tap.counters

    # The loop's side.

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Be served by `loop` from now on."""
        self._loop = loop
        loop.add_reader(self._epoll.fileno(), self._wake)

    def shut(self) -> None:
        """Close every port and the epoll."""
        if self._loop:
            self._loop.remove_reader(self._epoll.fileno())
            self._loop = None
        for tap in list(self._taps.values()):
            self.close(tap)
        self._epoll.close()

    def _wake(self) -> None:
        assert self._loop
        self.drain()
        self._wakes += 1
        if self._wakes < BUSY_WAKES:
            return
        now = self._loop.time()
        if now < self._window_ends:
            self._loop.remove_reader(self._epoll.fileno())
            self.paced, self._served, self._window_ends = True, 0, now + WINDOW_S
            self._loop.call_later(PACE_S, self._pace)
        else:
            self._window_ends = now + WINDOW_S
        self._wakes = 0

    def _pace(self) -> None:
        if not self._loop:
            return
        count = 0
        try:
            # One datagram per socket and pass: go round until a pass finds nothing.
            while (served := self.drain()) and (count := count + served) < BATCH:
                pass
        finally:
            self._look_again(self._loop, count)

    def _look_again(self, loop: asyncio.AbstractEventLoop, count: int) -> None:
        self._served += count
        now = loop.time()
        if now >= self._window_ends:
            if self._served < BUSY_WAKES:
                self.paced = False
                loop.add_reader(self._epoll.fileno(), self._wake)
                return
            self._served, self._window_ends = 0, now + WINDOW_S
        if count >= BATCH:
            loop.call_soon(self._pace)
        else:
            loop.call_later(PACE_S, self._pace)

    def drain(self) -> int:
        """Serve what is ready, at most BATCH datagrams; returns how many sockets were ready."""
        taps, unpack, receive = self._taps, HEADER.unpack_from, recvmsg
        views4, views6 = self._views[4], self._views[6]
        ready = self._epoll.poll(0, BATCH)
        for fileno, _ in ready:
            tap = taps.get(fileno)
            if tap is None:
                continue
            inbox = tap.inbox
            length = receive(fileno, inbox.reference, 0)
            if length < 0:
                continue
            if inbox.message.control_length == inbox.full:
                seconds, nanoseconds, tos = inbox.annotations(inbox.control)
                arrival = seconds * _NS + nanoseconds
            else:
                arrival, tos = self._long_way(inbox)
            data = inbox.data
            if inbox.name == tap.expected:
                first, kind, sequence, timestamp, ssrc = unpack(data)
                plain = first == PLAIN and length >= HEADER_OCTETS
                if (plain or payload_bounds(data, length)) and (kind < 192 or kind > 223):
                    tap.counters.fold(arrival, sequence, timestamp, ssrc, kind & 0x7F, length, tos)
                    out = tap.out
                    if out is None:
                        continue
                    if out.destination is None:
                        out.dropped += 1
                        continue
                    views = views4 if tap.family == 4 else views6
                    try:
                        out.transmit(
                            views.get(length) or self._view(tap.family, length), out.destination
                        )
                        out.sent += 1
                        out.sent_octets += length
                        out.sent_at = arrival
                    except OSError:
                        out.dropped += 1
                    continue
            owner = tap.owner
            if owner is not None:
                source = unpack_address(tap.family, inbox.name)
                owner.strange(tap, bytes(data[:length]), source, arrival, tos)
        return len(ready)

    def _long_way(self, inbox: Inbox) -> tuple[int, int]:
        arrival, tos = inbox.rearm()
        return self._clock() if arrival is None else arrival, tos

    def _view(self, family: int, length: int) -> memoryview:
        view = memoryview(self._inboxes[family].data)[:length]
        if length <= 2048:
            self._views[family][length] = view
        return view
