# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a route leads and from which of our sockets it is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from vosd.engine.configuration import Configuration
from vosd.net.addresses import family_of
from vosd.sip.dialog import read_target
from vosd.sip.endpoint import Listen
from vosd.switch.events import Route
from vosd.switch.tables import Binding

Address = tuple[str, int]


class Chance(Protocol):
    """What the engine asks of a random source."""

    def getrandbits(self, k: int, /) -> int: ...


class Line(msgspec.Struct, frozen=True):
    """A way out: `local` is the index of our socket, `here` our host as the far end sees it.

    `flow` tells that `destination` is the far end of a connection the peer opened.
    """

    destination: Address
    local: int
    here: str
    transport: str = "udp"
    flow: bool = False


class Lines:
    """Chooses the socket and address for each destination."""

    def __init__(
        self,
        configuration: Configuration,
        listens: Sequence[Listen],
        advertise: Callable[[int, Address], Address],
        source: Callable[[str], str],
        chance: Chance,
        connected: Callable[[int, Address], bool] = lambda _, __: True,
    ) -> None:
        """`source` gives the address of ours that the system would send from."""
        self._configuration = configuration
        self._listens = listens
        #: indexes of our sockets by transport and family
        self._fit: dict[tuple[str, int], list[int]] = {}
        for index, listen in enumerate(listens):
            self._fit.setdefault((listen.transport, family_of(listen.host)), []).append(index)
        self._advertise = advertise
        self._source = source
        self._chance = chance
        self._connected = connected

    def line(self, route: Route) -> Line | None:
        """How to reach a route; None while its name is unknown or no socket of ours fits."""
        if route.contact is not None:
            return self._to_phone(route.contact)
        if route.gateway is None:
            return None
        found = self._configuration.destination(route.gateway, route.address)
        if found is None:
            return None
        return self.towards((found.host, found.port), found.transport)

    def _to_phone(self, binding: Binding) -> Line | None:
        """By the connection a phone registered on while it stands; later a phone that is not
        behind NAT may still listen where its Contact says."""
        at, transport = (binding.host, binding.port), binding.transport
        line = self.towards(at, transport, binding.local)
        if transport == "udp" or line is None:
            return line
        if self._connected(line.local, at):
            return msgspec.structs.replace(line, flow=True)
        contact = None if binding.nat else read_target(f"<{binding.contact}>")
        if contact is None or contact.host != binding.host:
            return None
        return self.towards((contact.host, contact.port), transport, binding.local)

    def obstacle(self, route: Route) -> str:
        """Why `line` has none, in words."""
        gateway = route.gateway
        found = self._configuration.destination(gateway, route.address) if gateway else None
        if found is None:
            return "no address is known"
        family = "IPv6" if ":" in found.host else "IPv4"
        return f"vosd listens on no {found.transport} socket of {family}; add a [[listen]]"

    def towards(
        self, destination: Address, transport: str = "udp", preferred: int | None = None
    ) -> Line | None:
        """The line to an address, from socket `preferred` when it fits."""
        fit = self._fit.get((transport, family_of(destination[0])))
        if fit is None:
            return None
        if preferred not in fit:
            ours = self._source(destination[0]) if len(fit) > 1 else ""
            preferred = next((i for i in fit if self._listens[i].host == ours), fit[0])
        here = self._advertise(preferred, destination)[0]
        return Line(destination, preferred, here, transport)

    def retry_after(self) -> int:
        """Seconds for Retry-After, spread over 5-30 so that callers do not return together."""
        return 5 + self._chance.getrandbits(16) % 26
