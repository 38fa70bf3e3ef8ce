# SPDX-License-Identifier: GPL-2.0-or-later
"""A relay without sockets: what is given to it comes in, what it sends is written down."""

from __future__ import annotations

import errno
from random import Random

from vosd.media.relay import Address, Tap
from vosd.media.session import MediaConfig, MediaEngine, MediaEvent, MediaSession
from vosd.rtp import packet
from vosd.rtp.quality import Counters


class FakeRelay:
    """A `Relay` that forwards as one does."""

    name = "userspace"

    def __init__(self) -> None:
        self.taps: dict[Address, Tap] = {}
        #: (from our address, to, datagram)
        self.wire: list[tuple[Address, Address, bytes]] = []
        #: ports others have bound, and the error every open fails with
        self.taken: set[int] = set()
        self.broken = 0

    def open(self, family: int, host: str, port: int, dscp: int) -> Tap:
        if self.broken:
            raise OSError(self.broken, "Too many open files")
        if port in self.taken or (host, port) in self.taps:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        tap = self.taps[host, port] = Tap(family, host, port)
        tap.dscp = dscp
        return tap

    def close(self, tap: Tap) -> None:
        del self.taps[tap.host, tap.port]
        self.part(tap)

    def join(self, one: Tap, other: Tap) -> None:
        one.out, other.out = other, one

    def part(self, tap: Tap) -> None:
        tap.out = tap.owner = tap.expected = tap.destination = None

    def steer(self, tap: Tap, source: Address | None, destination: Address | None) -> None:
        tap.expected, tap.destination = source, destination

    def send(self, tap: Tap, data: bytes, at: int) -> bool:
        if tap.destination is None:
            tap.dropped += 1
            return False
        self.wire.append(((tap.host, tap.port), tap.destination, data))
        tap.sent += 1
        tap.sent_octets += len(data)
        tap.sent_at = at
        return True

    def mark(self, tap: Tap, dscp: int) -> None:
        tap.dscp = dscp

    def figures(self, tap: Tap) -> Counters:
        return tap.counters

    def arrive(self, source: Address, to: Address, data: bytes, at: int) -> None:
        """A datagram comes in at one of our ports."""
        tap = self.taps[to]
        header = packet.parse(data)
        if header and source == tap.expected:
            tap.counters.fold(
                at,
                header.sequence,
                header.timestamp,
                header.ssrc,
                header.payload_type,
                len(data),
                0,
            )
            assert tap.out
            self.send(tap.out, data, at)
        else:
            assert tap.owner
            tap.owner.strange(tap, data, source, at, 0)


class World:
    """An engine on a fake relay, and its clocks."""

    def __init__(self, **config: object) -> None:
        self.now = 100.0
        self.wall_offset = 1_700_000_000.0
        self.relay = FakeRelay()
        self.events: list[tuple[str, str, str]] = []
        settings = {
            "advertise_v4": "192.0.2.1",
            "advertise_v6": "2001:db8::1",
            "port_start": 10000,
            "port_end": 10099,
        } | config
        self.config = MediaConfig(**settings)  # type: ignore[arg-type]
        self.engine = MediaEngine(
            self.config, self.relay, self.wall, lambda: self.now, self._note, None
        )

    def wall(self) -> float:
        return self.now + self.wall_offset

    def _note(self, session: MediaSession, event: MediaEvent) -> None:
        self.events.append((event.kind, event.side, event.detail))

    def open(self, family_a: int = 4, family_b: int = 4) -> MediaSession:
        return self.engine.open("call", family_a, family_b, self.now)

    def arrive(self, source: Address, to: Address, data: bytes) -> None:
        self.relay.arrive(source, to, data, int(self.wall() * 1e9))

    def talk(
        self, source: Address, to: Address, first: int = 0, count: int = 3, ssrc: int = 7
    ) -> None:
        """RTP every 20 ms."""
        for number in range(first, first + count):
            self.arrive(source, to, rtp(number, ssrc))
            self.now += 0.02

    def tick(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            self.engine.tick(self.now)

    def sent_to(self, address: Address) -> list[bytes]:
        return [data for _, to, data in self.relay.wire if to == address]


def rtp(number: int, ssrc: int = 7) -> bytes:
    return packet.build(
        bytes(160), payload_type=0, sequence=number, timestamp=160 * number, ssrc=ssrc
    )


__all__ = ["FakeRelay", "Random", "World", "rtp"]
