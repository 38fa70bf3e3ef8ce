# SPDX-License-Identifier: GPL-2.0-or-later
"""The store's rows as one snapshot with its indexes; replaced whole, never changed in place."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vosd.net.addresses import Names
from vosd.store.store import Store
from vosd.switch.blacklist import Blacklist
from vosd.switch.routing import Routes
from vosd.switch.tables import Binding, Gateway, Listed, Phone


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
        self._by_host: dict[str, tuple[tuple[Gateway, int | None], ...]] = {}
        self._by_user: dict[str, Gateway] = {}
        self.bindings: dict[str, list[Binding]] = {}
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
        """Rebuild who calls from which address, after a reload or new name look-ups."""
        by_host: dict[str, list[tuple[Gateway, int | None]]] = {}
        self._by_user = {}
        for gateway in self.gateways.values():
            if gateway.kind != "mapping":
                continue
            if gateway.auth == "password":
                self._by_user[gateway.user or gateway.name] = gateway
                continue
            for at in gateway.addresses:
                host = self.names.address(at.host)
                if host is not None:
                    port = at.port if gateway.auth == "ip_port" else None
                    by_host.setdefault(host, []).append((gateway, port))
        # a gateway bound to a port is told from its neighbours at the same host first
        self._by_host = {
            host: tuple(sorted(rows, key=lambda row: row[1] is None))
            for host, rows in by_host.items()
        }

    def trusted(self, source: tuple[str, int]) -> Gateway | None:
        """The mapping gateway that is known by where a request comes from."""
        for gateway, port in self._by_host.get(source[0], ()):
            if port is None or port == source[1]:
                return gateway
        return None

    def user(self, name: str) -> Gateway | Phone | None:
        """Who proves itself with the digest user `name`."""
        return self.phones.get(name) or self._by_user.get(name)

    def destination(self, gateway: Gateway, address: int = 0) -> tuple[str, int] | None:
        """Where to reach a gateway's `address`; None while its name is not known."""
        at = gateway.addresses[address] if address < len(gateway.addresses) else None
        host = self.names.address(at.host) if at is not None else None
        return (host, at.port) if at is not None and host is not None else None

    def hosts(self) -> set[str]:
        """Every host written in a gateway."""
        return {at.host for gateway in self.gateways.values() for at in gateway.addresses}

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
        if rows:
            self.bindings[number] = rows
        else:
            self.bindings.pop(number, None)

    def _read_bindings(self) -> None:
        for row in self._store.bindings():
            self.bindings.setdefault(row.number, []).append(row)
        for rows in self.bindings.values():
            rows.sort(key=lambda row: row.registered, reverse=True)
