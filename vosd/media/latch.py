# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may be heard on a media port: the party the SDP names, and after that nobody else.

SDP (`aim`) names an address and opens a window. Within it the named host may send from any of
its ports (symmetric RTP, RFC 4961), and where the party is behind NAT anybody may try; a try
is kept back until it is believed. LOCK_AFTER consecutive packets of one SSRC from one source
lock the port to that source; only new SDP unlocks it. SDP that names the same address again
(hold, resume, a refreshed session) keeps the source that was locked for as long as it goes on
sending, so a stranger cannot use the window a re-INVITE opens.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from vosd.media.relay import Address

#: sources on trial at once; more are strangers
MAX_TRIES = 4

#: accept: forward now; hold: keep for later; lock: believed, forward what was held and this;
#: foreign: drop
Verdict: TypeAlias = Literal["accept", "hold", "lock", "foreign"]


class Held(NamedTuple):
    """A packet kept back until its source is believed."""

    data: bytes
    arrival: int
    tos: int


class _Try:
    __slots__ = ("count", "held", "sequence", "ssrc")

    def __init__(self) -> None:
        self.ssrc = self.sequence = -1
        self.count = 0
        self.held: list[Held] = []


class Latch:
    """The rule for one RTP port."""

    __slots__ = ("_tries", "lock_after", "locked", "nat", "near", "remote", "window_ends")

    def __init__(self) -> None:
        #: what the SDP names, None before SDP or when it names nothing
        self.remote: Address | None = None
        self.nat = False
        #: network a NATed party's media must come from, None: any
        self.near: str | None = None
        self.locked: Address | None = None
        self.lock_after = 3
        self.window_ends = 0.0
        self._tries: dict[Address, _Try] | None = None

    def aim(
        self, remote: Address | None, *, nat: bool, near: str | None, window_ends: float
    ) -> None:
        """New SDP. The locked source stays for now when the address is the one named before."""
        if remote != self.remote or nat != self.nat:
            self.locked = None
        self.remote, self.nat = remote, nat
        self.near = network(near) if near else None
        self.reopen(window_ends)

    def reopen(self, window_ends: float) -> None:
        """Learn until `window_ends`."""
        self.window_ends = window_ends
        self._tries = None

    def judge(
        self, source: Address, sequence: int, ssrc: int, packet: Held, now: float
    ) -> tuple[Verdict, list[Held]]:
        """Decide on a packet from a source that is not locked; with a lock, what was held."""
        trusted = self._named(source, now)
        if not trusted and not self._may_try(source, now):
            return "foreign", []
        attempt = self._attempt(source)
        if ssrc == attempt.ssrc and sequence == attempt.sequence:
            attempt.count += 1
        else:
            attempt.ssrc, attempt.count, attempt.held = ssrc, 1, []
        attempt.sequence = (sequence + 1) & 0xFFFF
        if attempt.count >= self.lock_after:
            self.locked, self._tries = source, None
            return "lock", attempt.held
        if trusted:
            return "accept", []
        attempt.held.append(packet)
        return "hold", []

    def _named(self, source: Address, now: float) -> bool:
        if self.remote is None or source[0] != self.remote[0]:
            return False
        return source[1] == self.remote[1] or now <= self.window_ends

    def _may_try(self, source: Address, now: float) -> bool:
        if not self.nat or now > self.window_ends:
            return False
        return self.near is None or network(source[0]) == self.near

    def _attempt(self, source: Address) -> _Try:
        tries = self._tries = self._tries or {}
        attempt = tries.get(source)
        if attempt is None:
            if len(tries) >= MAX_TRIES:
                # Someone who sprays one packet per source must not push out who is in sequence.
                del tries[min(tries, key=lambda address: tries[address].count)]
            attempt = tries[source] = _Try()
        return attempt


@lru_cache(1024)
def network(host: str) -> str:
    """The /24 or /64 around a numeric host."""
    address = ipaddress.ip_address(host)
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 64), strict=False))


@lru_cache(1024)
def sendable(host: str) -> bool:
    """Whether media may go there at all: one host, not none and not many.

    Raises ValueError when `host` is no numeric address.
    """
    address = ipaddress.ip_address(host)
    return not (address.is_multicast or address.is_unspecified or host == "255.255.255.255")
