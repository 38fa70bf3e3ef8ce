# SPDX-License-Identifier: GPL-2.0-or-later
"""Which routing gateways serve a number, best first.

The longest matching prefix wins; inside it the lower priority number, then the lower share of
capacity in use, then the name. Gateways of shorter matching prefixes follow as later
alternatives: a vendor with the exact prefix is preferred, the default vendor is the last resort.
A gateway listed under several matching prefixes is tried once, at its longest.

Every prefix that matches a number is a prefix of the longest one, so the index keeps the whole
order beside each prefix and a look-up finds one entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import TypeAlias

from vosd.switch.tables import Gateway

Loads: TypeAlias = Callable[[str], int]
#: gateways of one prefix and one priority, by name: only their loads order them
Tier: TypeAlias = tuple[Gateway, ...]


class Routes:
    """Index over the enabled routing gateways of one configuration snapshot."""

    __slots__ = ("_lengths", "_tiers")

    def __init__(self, gateways: Iterable[Gateway]) -> None:
        groups: dict[str, list[Gateway]] = {}
        for gateway in gateways:
            if gateway.kind == "routing" and gateway.enabled:
                for prefix in set(gateway.prefixes):
                    groups.setdefault(prefix, []).append(gateway)
        self._lengths = tuple(sorted({len(prefix) for prefix in groups}, reverse=True))
        self._tiers = {prefix: self._order(prefix, groups) for prefix in groups}

    def _order(self, prefix: str, groups: dict[str, list[Gateway]]) -> tuple[Tier, ...]:
        tiers: dict[tuple[int, int], list[Gateway]] = {}
        seen: set[str] = set()
        for length in self._lengths:
            group = groups.get(prefix[:length], ()) if length <= len(prefix) else ()
            for gateway in sorted(group, key=_standing):
                if gateway.name not in seen:
                    seen.add(gateway.name)
                    tiers.setdefault((length, gateway.priority), []).append(gateway)
        return tuple(tuple(tier) for tier in tiers.values())

    def tiers(self, called: str) -> tuple[Tier, ...]:
        """The gateways that serve `called`, full ones included; empty when there is none."""
        known = self._tiers
        for length in self._lengths:
            found = known.get(called[:length])
            # a number shorter than `length` is cut to itself and may not match that long
            if found is not None and length <= len(called):
                return found
        return ()

    def serves(self, called: str) -> bool:
        """Whether any enabled gateway has a matching prefix, free or full.

        Tells `route_not_found` from `route_capacity` when `routes` comes back empty.
        """
        return bool(self.tiers(called))


def routes(called: str, index: Routes, loads: Loads) -> list[Gateway]:
    """Gateways to try for `called`, best first; `loads(name)` is a gateway's calls now."""
    chosen: list[Gateway] = []
    for tier in index.tiers(called):
        if len(tier) > 1:
            chosen += _by_load(tier, loads)
        elif not tier[0].capacity or loads(tier[0].name) < tier[0].capacity:
            chosen.append(tier[0])
    return chosen


def _by_load(tier: Tier, loads: Loads) -> list[Gateway]:
    ranked = []
    for gateway in tier:
        calls, capacity = loads(gateway.name), gateway.capacity
        if not capacity:
            ranked.append((0.0, gateway))
        elif calls < capacity:
            ranked.append((calls / capacity, gateway))
    # a tier stands in the order of names and the sort is stable, so equal ratios keep it
    ranked.sort(key=itemgetter(0))
    return [gateway for _, gateway in ranked]


def _standing(gateway: Gateway) -> tuple[int, str]:
    return gateway.priority, gateway.name
