# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a route leads and from which of our sockets it is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from vosd.engine.configuration import Configuration
from vosd.net.addresses import family_of
from vosd.sip.endpoint import Listen
from vosd.switch.events import Route


class Chance(Protocol):
    """What the engine asks of a random source."""

    def getrandbits(self, k: int, /) -> int: ...


class Line(msgspec.Struct, frozen=True):
    """A way out: `local` is the index of our socket, `here` our host as the far end sees it."""

    destination: tuple[str, int]
    local: int
    here: str


class Lines:
    """Chooses the socket and address for each destination."""

    def __init__(
        self,
        configuration: Configuration,
        listens: Sequence[Listen],
        advertise: Callable[[int, tuple[str, int]], tuple[str, int]],
        source: Callable[[str], str],
        chance: Chance,
    ) -> None:
        """`source` gives the address of ours that the system would send from."""
        self._configuration = configuration
        self._listens = listens
        self._advertise = advertise
        self._source = source
        self._chance = chance

    def line(self, route: Route) -> Line | None:
        """How to reach a route; None while its name is unknown or no socket of ours fits."""
        if route.contact is not None:
            destination = (route.contact.host, route.contact.port)
            return self.towards(destination, route.contact.local)
        if route.gateway is None:
            return None
        found = self._configuration.destination(route.gateway, route.address)
        return self.towards(found) if found is not None else None

    def towards(self, destination: tuple[str, int], preferred: int | None = None) -> Line | None:
        """The line to an address, from socket `preferred` when its family fits."""
        family = family_of(destination[0])
        fit = [
            index
            for index, listen in enumerate(self._listens)
            if listen.transport == "udp" and family_of(listen.host) == family
        ]
        if not fit:
            return None
        if preferred not in fit:
            ours = self._source(destination[0]) if len(fit) > 1 else ""
            preferred = next((i for i in fit if self._listens[i].host == ours), fit[0])
        return Line(destination, preferred, self._advertise(preferred, destination)[0])

    def retry_after(self) -> int:
        """Seconds for Retry-After, spread over 5-30 so that callers do not return together."""
        return 5 + self._chance.getrandbits(16) % 26
