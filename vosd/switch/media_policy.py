# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a call's audio goes through the switch, and why (design: media policy; D11, D12).

Three values have a say: the system's and, where set, each leg's gateway's. Any `must_on` relays;
else any `off` goes direct; else any `on` relays; else `auto`: NAT or different networks relay.
So `off` on one gateway takes nothing away from a `must_on` of the system.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, TypeAlias

import msgspec

Mode: TypeAlias = Literal["off", "on", "auto", "must_on"]
_Ip: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

# Not ipaddress.is_private: that counts the documentation ranges, which labs use as public ones.
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  # RFC 1918
        "100.64.0.0/10",  # carrier NAT, RFC 6598
        "169.254.0.0/16", "fe80::/10", "fc00::/7",  # link-local, unique local (RFC 4193)
        "127.0.0.0/8", "::1/128",
    )
)  # fmt: skip
_CARRIER_NAT = ipaddress.ip_network("100.64.0.0/10")
_LINK_LOCAL_6 = ipaddress.ip_network("fe80::/10")
_SITE_BITS = {4: 16, 6: 48}


class Decision(msgspec.Struct, frozen=True):
    """`mode` is the word that decided, `why` one phrase for the operator."""

    relay: bool
    mode: Mode
    why: str


class Network(msgspec.Struct, frozen=True):
    """What `auto` goes by."""

    nat_a: bool
    nat_b: bool
    same: bool


def decide(
    system: str, a_mode: str | None, b_mode: str | None, network: Callable[[], Network]
) -> Decision:
    """Decide for one call; modes are words, a leg without a value of its own says None.

    `network` is asked only when it comes to `auto`: finding out costs reading the offer.
    """
    said = (a_mode, b_mode, system)
    for word, relay in _ORDER:
        if word in said:
            return Decision(relay, word, f"{word} set for the {_WHO[said.index(word)]}")
    return _automatic(network())


_ORDER: tuple[tuple[Mode, bool], ...] = (("must_on", True), ("off", False), ("on", True))
_WHO = ("gateway of leg a", "gateway of leg b", "system")


def _automatic(network: Network) -> Decision:
    nat_a, nat_b = network.nat_a, network.nat_b
    if nat_a and nat_b:
        return Decision(True, "auto", "auto: both legs are behind NAT")
    if nat_a or nat_b:
        return Decision(True, "auto", f"auto: leg {'a' if nat_a else 'b'} is behind NAT")
    if not network.same:
        return Decision(True, "auto", "auto: the legs are in different networks")
    return Decision(False, "auto", "auto: same network and no NAT")


@lru_cache(maxsize=4096)
def _ip(host: str) -> _Ip | None:
    try:
        found = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if found.version == 6 else None
    return mapped or found


@lru_cache(maxsize=4096)
def is_private(host: str) -> bool:
    """Whether `host` is an address that the public Internet does not route to.

    Also true for the unspecified address; false for a name, of which nothing is known.
    """
    found = _ip(host)
    if found is None:
        return False
    return found.is_unspecified or any(found in network for network in _PRIVATE)


def same_network(one: str, other: str) -> bool:
    """Whether two addresses reach each other without help.

    Both public in one address family; or both private in one site, taken as the /16 (IPv4) or
    /48 (IPv6): wider ranges join sites that are often not routed to each other. Carrier NAT and
    IPv6 link-local addresses reach nobody else for certain. A name counts as elsewhere.
    """
    a, b = _ip(one), _ip(other)
    if a is None or b is None or a.version != b.version:
        return False
    if is_private(one) != is_private(other):
        return False
    if not is_private(one):
        return True
    if a == b:
        return True
    if a in _CARRIER_NAT or a in _LINK_LOCAL_6 or a.is_unspecified or b.is_unspecified:
        return False
    shift = (32 if a.version == 4 else 128) - _SITE_BITS[a.version]
    return int(a) >> shift == int(b) >> shift


def behind_nat(said: str, seen: str) -> bool:
    """Whether a party that names address `said` (Contact, Via, SDP) and sends from `seen` is
    behind NAT: what it names is private and not in the network it is seen from.
    """
    return is_private(said) and not same_network(said, seen)
