# SPDX-License-Identifier: GPL-2.0-or-later
"""Who guesses passwords, and for how long nothing more is taken from there.

The owner reports only failures of a proven source, one that returned a nonce it had been sent:
else anybody could have a customer suspended by forging his address (reliability.md 4). A failure
is a wrong response, so the same one sent again, as UDP does, counts once. An IPv6 source is its
/64, which one subscriber has to himself.
"""

from __future__ import annotations

import ipaddress

#: sources remembered; beyond them the one that failed longest ago is forgotten
MAX_SOURCES = 4096


class _Source:
    __slots__ = ("failures", "suspended", "until")

    def __init__(self) -> None:
        #: wrong response -> user
        self.failures: dict[str, str] = {}
        self.suspended = False
        #: when this is forgotten
        self.until = 0.0


class Suspensions:
    """Failures by source; times are monotonic seconds."""

    __slots__ = ("_sources",)

    def __init__(self) -> None:
        #: the one that failed last stands last
        self._sources: dict[str, _Source] = {}

    def __len__(self) -> int:
        return len(self._sources)

    def failed(
        self, host: str, user: str, response: str, now: float, most: int, seconds: float
    ) -> tuple[bool, bool]:
        """Count one failure; (it is a new one, it suspends the source).

        `most` failures, none more than `seconds` after the one before, suspend for `seconds`;
        0 never does.
        """
        if most == 0:
            return True, False
        name = network(host)
        source = self._sources.pop(name, None)
        if source is None or source.until <= now:
            source = _Source()
        self._sources[name] = source
        new = response not in source.failures
        if new and not source.suspended:
            source.failures[response] = user
            source.until = now + seconds
            source.suspended = len(source.failures) >= most
        self._forget(now)
        return new, new and source.suspended

    def proved(self, host: str, user: str) -> None:
        """The user of the source knows the password after all: what failed before is forgiven."""
        if self._sources:
            source = self._sources.get(network(host))
            if source is not None and not source.suspended:
                source.failures = {r: u for r, u in source.failures.items() if u != user}

    def left(self, host: str, now: float) -> float:
        """Seconds the source is still suspended, 0 when it is not."""
        source = self._sources.get(network(host)) if self._sources else None
        return max(source.until - now, 0.0) if source is not None and source.suspended else 0.0

    def _forget(self, now: float) -> None:
        while self._sources:
            name = next(iter(self._sources))
            if self._sources[name].until > now and len(self._sources) <= MAX_SOURCES:
                return
            del self._sources[name]


def network(host: str) -> str:
    """The address, or the /64 of an IPv6 address."""
    if ":" not in host:
        return host
    octets = ipaddress.IPv6Address(host.partition("%")[0]).packed
    mapped = octets[:12] == bytes(10) + b"\xff\xff"
    return str(ipaddress.IPv4Address(octets[12:])) if mapped else octets[:8].hex()
