# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a SIP name leads (RFC 3263), looked up beside the signalling and kept by TTL.

A port, or a name without services, leads to its addresses; a name alone is asked for NAPTR, then
SRV of the transports we speak. The signalling pass only reads what lies here: `targets` never
waits. A server that fails leaves what was known before; "there is none" is an answer and kept too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from vosd.net.addresses import family_of, is_literal

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

#: an answer that takes longer is no answer
_LOOK_UP_S = 5.0
#: bounds of what a zone may ask for, and how long "none" and a failure are kept
_SHORTEST_S, _LONGEST_S, _NONE_S, _FAILED_S = 5.0, 86400.0, 60.0, 10.0
_CACHED = 4096
_AT_ONCE = 16
#: targets taken of one name
_MOST = 32
#: in the order they are asked for (RFC 3263 4.1)
_SERVICES = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}
_NAPTR = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
_HOSTS = Path("/etc/hosts")


class Chance(Protocol):
    def getrandbits(self, k: int, /) -> int: ...


class Listening(Protocol):
    @property
    def transport(self) -> str: ...
    @property
    def host(self) -> str: ...


class Wanted(NamedTuple):
    """What an operator wrote: port 0 and transport "" stand for "not said"."""

    host: str
    port: int
    transport: str


class Target(NamedTuple):
    """One address to try; lower priority first, within it by weight (RFC 2782)."""

    transport: str
    host: str
    port: int
    priority: int = 0
    weight: int = 0


class Names:
    """What every name of the configuration leads to."""

    def __init__(
        self, resolver: Resolver | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        #: what we speak: transports, and address families in the order to try them
        self.transports: frozenset[str] = frozenset(("udp",))
        self.families: tuple[int, ...] = (4, 6)
        self._resolver = resolver
        self._clock = clock
        self._records: dict[tuple[str, str], tuple[float, tuple[Any, ...]]] = {}
        self._targets: dict[Wanted, tuple[Target, ...]] = {}
        self._hosts: dict[str, list[str]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def speak(self, listens: Iterable[Listening]) -> None:
        """Look only for what these sockets can reach, their first address family first."""
        rows = [(row.transport, 6 if ":" in row.host else 4) for row in listens]
        self.transports = frozenset(transport for transport, _ in rows)
        self.families = tuple(dict.fromkeys(family for _, family in rows))

    def targets(self, wanted: Wanted) -> tuple[Target, ...]:
        """Where `wanted` leads as far as is known now."""
        if is_literal(wanted.host):
            transport = wanted.transport or "udp"
            return (Target(transport, wanted.host, wanted.port or _port(transport)),)
        return self._targets.get(wanted, ())

    def address(self, host: str) -> str | None:
        """Some address of a name, None while none is known; of an address, itself."""
        if is_literal(host):
            return host
        known = (each for wanted, each in self._targets.items() if each and wanted.host == host)
        return next((targets[0].host for targets in known), None)

    async def refresh(self, wanted: Iterable[Wanted]) -> None:
        """Look up what is new or has outlived its TTL."""
        names = [each for each in wanted if not is_literal(each.host)]
        if not names:
            return
        self._hosts = _read_hosts()
        found = await asyncio.gather(*(self._resolve(each) for each in names))
        # whole at once: what nobody wants any more goes
        self._targets = dict(zip(names, found, strict=True))

    async def _resolve(self, wanted: Wanted) -> tuple[Target, ...]:
        host, port, transport = wanted
        if port or host.lower() in self._hosts:
            transport = transport or "udp"
            return await self._at(host, port or _port(transport), transport, 0, 0)
        for services in (self._naptr, self._usual):
            found: list[Target] = []
            for spoken, name in await services(host, transport):
                found += await self._srv(name, spoken, len(found))
            if found:
                return tuple(found[:_MOST])
        transport = transport or "udp"
        return await self._at(host, _port(transport), transport, 0, 0)

    async def _naptr(self, host: str, transport: str) -> Sequence[tuple[str, str]]:
        """Transport and SRV name of each service, in the zone's order; none when one was said."""
        if transport:
            return ()
        rows = await self._ask(host, "NAPTR")
        return [
            (spoken, str(row.replacement))
            for row in sorted(rows, key=lambda row: (row.order, row.preference))
            if row.flags.lower() == b"s"
            and (spoken := _NAPTR.get(row.service.decode("latin-1").upper(), ""))
            in self.transports
        ]

    async def _usual(self, host: str, transport: str) -> Sequence[tuple[str, str]]:
        """The SRV names to ask without NAPTR; the first transport that has any."""
        for spoken, service in _SERVICES.items():
            name = f"{service}.{host}"
            fits = spoken == transport if transport else spoken in self.transports
            if fits and await self._ask(name, "SRV"):
                return [(spoken, name)]
        return ()

    async def _srv(self, name: str, transport: str, behind: int) -> list[Target]:
        rows = sorted(await self._ask(name, "SRV"), key=lambda row: row.priority)[:_MOST]
        found = await asyncio.gather(*(
            self._at(str(row.target), row.port, transport, (behind << 16) + row.priority,
                     row.weight)
            for row in rows if str(row.target) != "."
        ))  # fmt: skip
        return [target for each in found for target in each]

    async def _at(
        self, host: str, port: int, transport: str, priority: int, weight: int
    ) -> tuple[Target, ...]:
        """The addresses of a host, in the order of our families."""
        known = self._hosts.get(host.rstrip(".").lower())
        if known is None:
            kinds = [{4: "A", 6: "AAAA"}[family] for family in self.families]
            answers = await asyncio.gather(*(self._ask(host, kind) for kind in kinds))
            known = [row.address for rows in answers for row in rows]
        return tuple(Target(transport, at, port, priority, weight) for at in known[:_MOST])

    async def _ask(self, name: str, kind: str) -> tuple[Any, ...]:
        """Records of one kind, from memory while their TTL lasts."""
        key = (name.rstrip(".").lower(), kind)
        until, rows = self._records.get(key, (0.0, ()))
        if self._clock() < until:
            return rows
        async with self._slots:
            lasts, rows = await self._fetch(name, kind, rows)
        if len(self._records) >= _CACHED and key not in self._records:
            self._records.clear()
        self._records[key] = (self._clock() + lasts, rows)
        return rows

    async def _fetch(
        self, name: str, kind: str, before: tuple[Any, ...]
    ) -> tuple[float, tuple[Any, ...]]:
        # imported only where a name has to be looked up: it takes longer than all of ours
        import dns.exception
        import dns.resolver

        try:
            answer = await self._server().resolve(
                name, kind, raise_on_no_answer=False, search=False, lifetime=_LOOK_UP_S
            )
        except dns.resolver.NXDOMAIN:
            return _NONE_S, ()
        except (dns.exception.DNSException, OSError):
            return _FAILED_S, before
        if answer.rrset is None:
            return _NONE_S, ()
        return min(max(answer.rrset.ttl, _SHORTEST_S), _LONGEST_S), tuple(answer.rrset)

    def _server(self) -> Resolver:
        if self._resolver is None:
            from dns.asyncresolver import Resolver

            self._resolver = Resolver()
        return self._resolver


def order(targets: Sequence[Target], chance: Chance) -> list[int]:
    """Indices in the order to try: by priority, and by chance and weight within one (RFC 2782)."""
    waiting = sorted(range(len(targets)), key=lambda i: (targets[i].priority, targets[i].weight))
    ordered: list[int] = []
    while waiting:
        first = targets[waiting[0]].priority
        group = [i for i in waiting if targets[i].priority == first]
        drawn = chance.getrandbits(32) % (sum(targets[i].weight for i in group) + 1)
        for chosen in group:
            drawn -= targets[chosen].weight
            if drawn <= 0:
                break
        waiting.remove(chosen)
        ordered.append(chosen)
    return ordered


def _port(transport: str) -> int:
    return 5061 if transport == "tls" else 5060


def _read_hosts() -> dict[str, list[str]]:
    """Addresses by name of the system's hosts file (hosts(5)), which comes before DNS."""
    found: dict[str, list[str]] = {}
    try:
        lines = _HOSTS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return found
    for line in lines:
        address, *names = line.partition("#")[0].split() or [""]
        if is_literal(address):
            for name in names:
                found.setdefault(name.lower(), []).append(address)
    for addresses in found.values():
        addresses.sort(key=lambda address: family_of(address))
    return found
