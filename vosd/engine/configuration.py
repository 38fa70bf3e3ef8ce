# SPDX-License-Identifier: GPL-2.0-or-later
"""The store's rows as one snapshot with its indexes; replaced whole, never changed in place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from vosd.net.resolver import Chance, Names, Target, Wanted, order
from vosd.store.store import Store
from vosd.switch.blacklist import Blacklist
from vosd.switch.routing import Routes
from vosd.switch.tables import Binding, Gateway, Listed, Phone

#: what is taken from an address written with a transport, where not everything is: only a
#: connection proves who is at its other end
_TAKEN = {"tcp": ("tcp", "tls"), "tls": ("tls",)}


class Configuration:
    """Gateways, phones, lists; and the bindings of registered phones."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.names = Names()
        self.gateways: dict[str, Gateway] = {}
        self.phones: dict[str, Phone] = {}
        self.blacklist: list[Listed] = []
        self.listed = Blacklist(())
        self.routes = Routes(())
        self._by_host: dict[str, tuple[tuple[Gateway, int | None, str], ...]] = {}
        self._ways: dict[str, tuple[Target, ...]] = {}
        self._servers: dict[tuple[str, int], tuple[str, Gateway]] = {}
        self._by_user: dict[str, Gateway] = {}
        #: addresses of gateways of either kind
        self.known: set[str] = set()
        self.bindings: dict[str, list[Binding]] = {}
        #: bindings per host their REGISTER came from
        self._homes: Counter[str] = Counter()
        #: told after each reload
        self.on_reload: Callable[[], None] = lambda: None
        self._read_bindings()
        self.reload()

    def reload(self) -> None:
        """Read the rows again and rebuild every index."""
        self.gateways = {gateway.name: gateway for gateway in self._store.gateways()}
        self.phones = {phone.number: phone for phone in self._store.phones()}
        self.blacklist = self._store.blacklist()
        self.listed = Blacklist(self.blacklist)
        self.routes = Routes(
            gateway for gateway in self.gateways.values() if gateway.kind == "routing"
        )
        self.index()
        self.on_reload()

    def index(self) -> None:
        """Rebuild who calls from which address and who is called where, after a reload or new
        name look-ups."""
        self._servers = {}
        self._ways = {name: self._lead(gateway) for name, gateway in self.gateways.items()}
        by_host: dict[str, list[tuple[Gateway, int | None, str]]] = {}
        self._by_user = {}
        self.known.clear()
        self.known.update(
            target.host
            for gateway in self.gateways.values()
            for target in (*self.places(gateway), *self.registrars(gateway))
        )
        for gateway in self.gateways.values():
            if gateway.kind != "mapping":
                continue
            if gateway.auth == "password":
                self._by_user[gateway.user or gateway.name] = gateway
                continue
            for at in gateway.addresses:
                for target in self.names.targets(Wanted(at.host, at.port, at.transport)):
                    # a connection comes from any port
                    fixed = gateway.auth == "ip_port" and target.transport == "udp"
                    port = target.port if fixed else None
                    by_host.setdefault(target.host, []).append((gateway, port, at.transport))
        # a gateway bound to a port is told from its neighbours at the same host first
        self._by_host = {
            host: tuple(sorted(rows, key=lambda row: row[1] is None))
            for host, rows in by_host.items()
        }

    def trusted(self, source: tuple[str, int], transport: str) -> Gateway | None:
        """The mapping gateway that is known by where and over what a request comes."""
        for gateway, port, written in self._by_host.get(source[0], ()):
            if port in (None, source[1]) and takes(written, transport):
                return gateway
        return None

    def familiar(self, host: str) -> bool:
        """Whether a gateway or a registered phone is at this host."""
        return host in self.known or host in self._homes

    def user(self, name: str) -> Gateway | Phone | None:
        """Who proves itself with the digest user `name`."""
        return self.phones.get(name) or self._by_user.get(name)

    def _lead(self, gateway: Gateway) -> tuple[Target, ...]:
        """Where a gateway is, all of its first address before any of the next."""
        found: list[Target] = []
        for position, at in enumerate(gateway.addresses):
            for target in self.names.targets(Wanted(at.host, at.port, at.transport)):
                place = (target.host, target.port)
                self._servers[place] = (at.host, gateway)
                found.append(target._replace(priority=(position << 32) + target.priority))
        return tuple(found)

    def destination(self, gateway: Gateway, address: int = 0) -> Target | None:
        """The `address` of `ways` that a gateway is reached by; None while it is not known."""
        ways = self._ways.get(gateway.name, ())
        return ways[address] if address < len(ways) else None

    def places(self, gateway: Gateway) -> tuple[Target, ...]:
        """Every address a gateway is known to be at."""
        return self._ways.get(gateway.name, ())

    def registrars(self, gateway: Gateway) -> tuple[Target, ...]:
        """Where we register with a gateway: at a registrar of its own, or where it is."""
        at = gateway.outward.registrar
        if at is None:
            return self.places(gateway)
        return self.names.targets(Wanted(at.host, at.port, at.transport))

    def ways(self, gateway: Gateway, chance: Chance) -> list[int]:
        """Places of a gateway's targets in the order to try them; one at least, known or not."""
        ways = self._ways.get(gateway.name, ())
        return order(ways, chance) if len(ways) > 1 else [0]

    def server(self, place: tuple[str, int]) -> tuple[str, Gateway | None]:
        """The name an address of a gateway was written as, and the gateway."""
        return self._servers.get(place, (place[0], None))

    def wanted(self) -> set[Wanted]:
        """Every address written in a gateway."""
        return {
            Wanted(at.host, at.port, at.transport)
            for gateway in self.gateways.values()
            for at in (*gateway.addresses, gateway.outward.registrar)
            if at is not None
        }

    def contacts(self, number: str, wall: float) -> list[Binding]:
        """Live bindings of a phone, newest first."""
        return [row for row in self.bindings.get(number, ()) if row.expires > wall]

    def bind(self, put: Iterable[Binding], removed: Iterable[Binding]) -> None:
        """Take over what a REGISTER changed, in memory and, lazily, on disk."""
        for row in removed:
            kept = [b for b in self.bindings.get(row.number, ()) if b.contact != row.contact]
            self._set(row.number, kept)
            self._store.remove_binding(row.number, row.contact)
        for row in put:
            kept = [b for b in self.bindings.get(row.number, ()) if b.contact != row.contact]
            self._set(row.number, [row, *kept])
            self._store.put_binding(row)

    def expire(self, wall: float) -> None:
        """Forget bindings that ran out."""
        for number, rows in list(self.bindings.items()):
            gone = [row for row in rows if row.expires <= wall]
            if gone:
                self._set(number, [row for row in rows if row.expires > wall])
                for row in gone:
                    self._store.remove_binding(number, row.contact)

    def _set(self, number: str, rows: list[Binding]) -> None:
        for row in self.bindings.get(number, ()):
            self._homes[row.host] -= 1
            if not self._homes[row.host]:
                del self._homes[row.host]
        self._homes.update(row.host for row in rows)
        if rows:
            self.bindings[number] = rows
        else:
            self.bindings.pop(number, None)

    def _read_bindings(self) -> None:
        for row in self._store.bindings():
            self.bindings.setdefault(row.number, []).append(row)
            self._homes[row.host] += 1
        for rows in self.bindings.values():
            rows.sort(key=lambda row: row.registered, reverse=True)


def takes(written: str, transport: str) -> bool:
    """Whether who is at an address `written` with a transport may send over `transport`; without
    one, or with udp, over any."""
    return transport in _TAKEN.get(written, (transport,))
