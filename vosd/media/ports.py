# SPDX-License-Identifier: GPL-2.0-or-later
"""Media ports: even/odd pairs (RFC 3550 section 11), given out, and rested when given back.

A pair that comes back is in quarantine until `quarantine_s` passed without a packet on it, so a
peer that still sends to an ended call is not heard in the next one. Pairs that had their rest
are preferred (their sockets may still be open) up to KEEP_WARM; beyond that they cool off.
"""

from __future__ import annotations

from collections import deque
from random import Random

#: rested pairs kept ready, sockets and all
KEEP_WARM = 256
#: how long a pair somebody else has bound is left alone
UNUSABLE_S = 60.0


class NoPorts(Exception):
    """No media port can be had; a sentence for the operator."""


def parse_port_range(text: str) -> tuple[int, int]:
    """The two numbers of /proc/sys/net/ipv4/ip_local_port_range; raises ValueError."""
    low, high = text.split()
    return int(low), int(high)


def ephemeral_overlap(start: int, end: int, local_range: str, reserved: str = "") -> str | None:
    """A sentence when media ports start-end overlap the ports the system hands out by itself.

    `local_range` and `reserved` are the texts of ip_local_port_range and
    ip_local_reserved_ports (ports the system leaves alone, so no conflict).
    """
    low, high = parse_port_range(local_range)
    first, last = max(start, low), min(end, high)
    if first > last or _covered(first, last, reserved):
        return None
    return (
        f"media ports {start}-{end} overlap the system's own {low}-{high}: {first}-{last} may be "
        f"taken by other programs; reserve them with "
        f"sysctl net.ipv4.ip_local_reserved_ports={first}-{last}"
    )


def _covered(first: int, last: int, reserved: str) -> bool:
    spans = []
    for item in reserved.replace(",", " ").split():
        one, _, other = item.partition("-")
        spans.append((int(one), int(other or one)))
    for low, high in sorted(spans):
        if low <= first:
            first = max(first, high + 1)
    return first > last


class PortPool:
    """Even ports of start-end (inclusive) whose odd neighbour is in the range as well."""

    def __init__(
        self, start: int, end: int, quarantine_s: float = 5.0, chance: Random | None = None
    ) -> None:
        self.quarantine_s = quarantine_s
        self._chance = chance
        self._used: set[int] = set()
        self._warm: deque[int] = deque()
        #: port to the time its rest ends, soonest first
        self._resting: dict[int, float] = {}
        self._unusable: dict[int, float] = {}
        #: pairs whose sockets need not be kept any more; whoever closes them clears the list
        self.cold: list[int] = []
        self.resize(start, end)

    def resize(self, start: int, end: int) -> None:
        """Change the range; pairs in use stay until they are given back."""
        self.start, self.end = start, end
        self._pairs = range(start + start % 2, end, 2)
        busy = self._used | self._resting.keys() | self._unusable.keys() | set(self._warm)
        free = [port for port in self._pairs if port not in busy]
        if self._chance:
            self._chance.shuffle(free)
        self._free = deque(free)

    @property
    def used(self) -> int:
        """Ports in use by calls, RTP and RTCP."""
        return 2 * len(self._used)

    @property
    def total(self) -> int:
        """Ports of the range that make pairs."""
        return 2 * len(self._pairs)

    def take(self, now: float) -> int:
        """The even port of a rested pair; raises NoPorts."""
        if not self._warm:
            self.mature(now)
        for store in (self._warm, self._free):
            while store:
                port = store.popleft()
                if port in self._pairs:
                    self._used.add(port)
                    return port
        raise NoPorts(
            f"cannot open a media port: all {len(self._pairs)} pairs of "
            f"{self.start}-{self.end} are in use or in quarantine"
        )

    def give(self, port: int, now: float) -> None:
        """Take a pair back; it rests."""
        self._used.discard(port)
        self._rest(port, now + self.quarantine_s)

    def heard(self, port: int, now: float) -> None:
        """A packet came in on a pair that nobody uses: its rest begins anew."""
        if port in self._resting:
            self._rest(port, now + self.quarantine_s)
        elif port in self._warm:
            self._warm.remove(port)
            self._rest(port, now + self.quarantine_s)

    def unusable(self, port: int, now: float) -> None:
        """The pair could not be bound; try it again much later."""
        self._used.discard(port)
        self._unusable[port] = now + UNUSABLE_S

    def mature(self, now: float) -> None:
        """End the rest of pairs that were quiet long enough; `cold` gets those beyond need."""
        self._warm.extend(_elapsed(self._resting, now))
        self._free.extend(_elapsed(self._unusable, now))
        while len(self._warm) > KEEP_WARM:
            port = self._warm.popleft()
            self.cold.append(port)
            self._free.append(port)

    def _rest(self, port: int, until: float) -> None:
        self._resting.pop(port, None)
        self._resting[port] = until


def _elapsed(until: dict[int, float], now: float) -> list[int]:
    """Take out the keys whose time has come; the dict is in order of time."""
    ready = []
    for port, at in until.items():
        if at > now:
            break
        ready.append(port)
    for port in ready:
        del until[port]
    return ready
