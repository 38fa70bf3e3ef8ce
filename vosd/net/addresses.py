# SPDX-License-Identifier: GPL-2.0-or-later
"""Which of our own addresses a peer sees, and what a name stands for."""

from __future__ import annotations

import asyncio
import socket

_CACHED = 4096
#: an answer that takes longer is no answer
_LOOK_UP_S = 5.0
#: any port; nothing is sent, connect only asks the routing table
_ANY_PORT = 9


def family_of(host: str) -> socket.AddressFamily:
    """Address family of an IP literal."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def is_wildcard(host: str) -> bool:
    return host in ("0.0.0.0", "::")


class SourceAddresses:
    """The local address the routing table picks towards a host, remembered."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def towards(self, remote: str) -> str:
        """Our address towards the IP literal `remote`; loopback's when there is no route."""
        known = self._known.get(remote)
        if known is None:
            if len(self._known) >= _CACHED:
                self._known.clear()
            known = self._known[remote] = _ask(remote)
        return known

    def forget(self) -> None:
        """Addresses or routes may have changed."""
        self._known.clear()


def _ask(remote: str) -> str:
    family = family_of(remote)
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((remote, _ANY_PORT))
        except OSError:
            return "::1" if family == socket.AF_INET6 else "127.0.0.1"
        return str(probe.getsockname()[0])


class Names:
    """Host names of gateways and their addresses, looked up off the loop and kept."""

    def __init__(self) -> None:
        self._addresses: dict[str, str] = {}

    def address(self, host: str) -> str | None:
        """The IP literal for `host`, or None while the name is unknown."""
        if _is_literal(host):
            return host
        return self._addresses.get(host)

    async def refresh(self, hosts: set[str]) -> None:
        """Look every name up again; a name that fails now keeps its last address."""
        names = [host for host in hosts if not _is_literal(host)]
        await asyncio.gather(*(self._look_up(name) for name in names))

    async def _look_up(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_LOOK_UP_S):
                found = await loop.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
        except OSError:  # a time-out is one
            return
        self._addresses[name] = str(found[0][4][0])


def _is_literal(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except OSError:
            continue
        return True
    return False
