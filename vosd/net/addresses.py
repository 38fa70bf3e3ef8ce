# SPDX-License-Identifier: GPL-2.0-or-later
"""Which of our own addresses a peer sees, and what is an address at all."""

from __future__ import annotations

import socket

_CACHED = 4096
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
            known = _ask(remote)
            if known is None:
                return "::1" if ":" in remote else "127.0.0.1"
            self._known[remote] = known
        return known

    def forget(self) -> None:
        """Addresses or routes may have changed."""
        self._known.clear()


def _ask(remote: str) -> str | None:
    """None without a route, or without a descriptor to ask with."""
    try:
        with socket.socket(family_of(remote), socket.SOCK_DGRAM) as probe:
            probe.connect((remote, _ANY_PORT))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def is_literal(host: str) -> bool:
    """Whether `host` is an address and no name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except OSError:
            continue
        return True
    return False
