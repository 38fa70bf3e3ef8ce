# SPDX-License-Identifier: GPL-2.0-or-later
"""A call's media: two sides, each with a port pair, joined through a relay.

The session owns ports, latching and time-outs; the relay only forwards. It tells the relay whom
to hear and where to send (`steer`); whatever the relay does not know comes back as `strange`.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from random import Random
from typing import Literal

import msgspec

from vosd.media.ports import NoPorts, PortPool
from vosd.media.relay import UNCOUNTED, Address, Letter, Relay, Tap
from vosd.media.side import Side

#: pairs tried before a call is refused, when others have bound ports of the range
BIND_TRIES = 64
#: the wall clock was set when it moved this much against the monotonic one between two ticks
CLOCK_STEP_S = 0.25
_NO_SOCKETS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL)


class MediaConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator sets; `MediaEngine.configure` takes a new one at any time."""

    #: addresses written into SDP; bind_ ones where they differ (NAT, wildcard)
    advertise_v4: str | None = None
    advertise_v6: str | None = None
    bind_v4: str | None = None
    bind_v6: str | None = None
    port_start: int = 10000
    port_end: int = 32767
    #: silence of a side that should send until it is reported; 0: never
    rtp_timeout_s: float = 30.0
    dscp: int = 46
    #: how long after signalling a source may be learned
    learn_window_s: float = 3.0
    #: consecutive packets of one SSRC from one source that lock a port
    lock_after: int = 3
    #: how long a pair must be silent before its next call
    quarantine_s: float = 5.0

    def hosts(self, family: int) -> tuple[str, str]:
        """Advertised and bound host of a family; raises NoPorts when there is none."""
        advertise = self.advertise_v4 if family == 4 else self.advertise_v6
        if advertise is None:
            raise NoPorts(f"cannot open a media port: no IPv{family} media address is configured")
        return advertise, (self.bind_v4 if family == 4 else self.bind_v6) or advertise


class MediaEvent(msgspec.Struct, frozen=True):
    """Something a call's owner may want to act on or show; `detail` is for people."""

    kind: Literal["rtp_timeout", "latched", "foreign_source"]
    side: Letter
    detail: str


class MediaSession:
    """The media of one call; made by `MediaEngine.open`."""

    __slots__ = ("a", "b", "engine", "key")

    def __init__(self, engine: MediaEngine, key: str, family_a: int, family_b: int) -> None:
        self.engine = engine
        self.key = key
        self.a = Side(self, "a", family_a)
        try:
            self.b = Side(self, "b", family_b)
        except NoPorts:
            self.a.close(engine.monotonic())
            raise
        self.join()

    def join(self) -> None:
        """Have the relay carry both ports both ways."""
        for one, other in zip(self.a.taps(), self.b.taps(), strict=True):
            self.engine.relay.join(one, other)

    def other(self, side: Side) -> Side:
        """The side across."""
        return self.b if side is self.a else self.a

    def owns(self, address: Address) -> bool:
        """Whether it is a port of this very session: sending there would never end."""
        sides = [side for side in (self.a, getattr(self, "b", None)) if side]
        return any(address in (side.local, side.local_rtcp) for side in sides)

    def tell(
        self, kind: Literal["rtp_timeout", "latched", "foreign_source"], side: Letter, detail: str
    ) -> None:
        """Pass an event to the engine's owner."""
        self.engine.on_event(self, MediaEvent(kind, side, detail))

    def close(self, now: float) -> None:
        """Give the ports back; the figures stay. A second close does nothing."""
        if self.engine.forget(self):
            self.a.settle()
            self.b.settle()
            self.a.close(now)
            self.b.close(now)


class _Resting:
    """Owner of ports no call uses: what they hear prolongs their rest."""

    def __init__(self, engine: MediaEngine) -> None:
        self._engine = engine

    def strange(self, tap: Tap, data: bytes, source: Address, arrival: int, tos: int) -> None:
        self._engine.ports.heard(tap.port & ~1, self._engine.monotonic())


class MediaEngine:
    """All sessions, the ports they use and the relay that carries them."""

    def __init__(
        self,
        config: MediaConfig,
        relay: Relay,
        wall: Callable[[], float],
        monotonic: Callable[[], float],
        on_event: Callable[[MediaSession, MediaEvent], None],
        chance: Random | None = None,
    ) -> None:
        """`chance` shuffles the ports; None hands them out in order."""
        self.config = config
        self.relay = relay
        self.wall = wall
        self.monotonic = monotonic
        self.on_event = on_event
        self.ports = PortPool(config.port_start, config.port_end, config.quarantine_s, chance)
        self._sessions: dict[MediaSession, None] = {}
        #: sockets of resting pairs, by even port
        self._idle: dict[int, tuple[Tap, Tap]] = {}
        self._resting = _Resting(self)
        self._clock_offset = wall() - monotonic()

    @property
    def ports_used(self) -> int:
        """Ports calls use now."""
        return self.ports.used

    @property
    def ports_total(self) -> int:
        """Ports of the range."""
        return self.ports.total

    def open(self, key: str, family_a: int, family_b: int, now: float) -> MediaSession:
        """Ports for a call, families 4 or 6; raises NoPorts."""
        session = MediaSession(self, key, family_a, family_b)
        self._sessions[session] = None
        return session

    def configure(self, config: MediaConfig) -> None:
        """Obey new settings at once; calls keep the addresses and ports they have."""
        old, self.config = self.config, config
        if (config.port_start, config.port_end) != (old.port_start, old.port_end):
            self.ports.resize(config.port_start, config.port_end)
        self.ports.quarantine_s = config.quarantine_s
        if config.dscp != old.dscp:
            for tap in self._every_tap():
                self.relay.mark(tap, config.dscp)

    def _every_tap(self) -> list[Tap]:
        pairs = list(self._idle.values())
        for session in self._sessions:
            pairs += session.a.taps(), session.b.taps()
        return [tap for pair in pairs for tap in pair]

    def tick(self, now: float) -> None:
        """Once a second: time-outs, rested ports, a wall clock that was set."""
        offset = self.wall() - self.monotonic()
        stepped = abs(offset - self._clock_offset) > CLOCK_STEP_S
        self._clock_offset = offset
        for session in list(self._sessions):
            for side in (session.a, session.b):
                side.watch(now, self.config.rtp_timeout_s, stepped)
        self.ports.mature(now)
        for port in self.ports.cold:
            self._shut(port)
        self.ports.cold.clear()

    # For sessions.

    def take(self, family: int) -> tuple[Tap, Tap, str]:
        """An open pair and the host to advertise; raises NoPorts."""
        advertise, host = self.config.hosts(family)
        now = self.monotonic()
        for _ in range(BIND_TRIES):
            port = self.ports.take(now)
            pair = self._idle.pop(port, None)
            if pair and (pair[0].family, pair[0].host) == (family, host):
                return *pair, advertise
            if pair:
                self._close(pair)
            try:
                return *self._bind(family, host, port), advertise
            except OSError as problem:
                if problem.errno in _NO_SOCKETS:
                    self.ports.give(port, now)
                    raise NoPorts(
                        f"cannot open a media port on {host}: {problem.strerror}"
                    ) from None
                self.ports.unusable(port, now)
        raise NoPorts(
            f"cannot open a media port: {BIND_TRIES} pairs of {self.config.port_start}-"
            f"{self.config.port_end} on {host} are taken by other programs"
        )

    def _bind(self, family: int, host: str, port: int) -> tuple[Tap, Tap]:
        rtp = self.relay.open(family, host, port, self.config.dscp)
        try:
            return rtp, self.relay.open(family, host, port + 1, self.config.dscp)
        except OSError:
            self.relay.close(rtp)
            raise

    def release(self, pair: tuple[Tap, Tap], now: float) -> None:
        """Take a pair back; its sockets stay open to hear whether it is silent."""
        for tap in pair:
            self.relay.part(tap)
            tap.begin(self._resting, UNCOUNTED)
        self.ports.give(pair[0].port, now)
        self._idle[pair[0].port] = pair

    def forget(self, session: MediaSession) -> bool:
        """Take the session off the list; False when it is not on it."""
        return self._sessions.pop(session, False) is None

    def _shut(self, port: int) -> None:
        pair = self._idle.pop(port, None)
        if pair:
            self._close(pair)

    def _close(self, pair: tuple[Tap, Tap]) -> None:
        for tap in pair:
            self.relay.close(tap)

    def shut(self) -> None:
        """Close every port."""
        for session in list(self._sessions):
            session.close(self.monotonic())
        for port in list(self._idle):
            self._shut(port)
