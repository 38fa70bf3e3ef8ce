# SPDX-License-Identifier: GPL-2.0-or-later
"""A network in memory: virtual clock, links that lose, delay and reorder, and a ladder of it all.

A node is anything with receive/due/deadline/outgoing. Time moves only by `World.advance`; chance
comes from one seed, so a run repeats to the byte.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

Address = tuple[str, int]


class Node(Protocol):
    outgoing: list[tuple[bytes, Address, int]]

    def receive(self, data: bytes, source: Address, local: int, now: float, /) -> Any: ...
    def due(self, now: float, /) -> Any: ...
    def deadline(self) -> float: ...


class Link(msgspec.Struct):
    """What happens to datagrams: `loss` and `swap` are probabilities, times are seconds.

    A swapped datagram takes up to `jitter` longer, so later ones overtake it. `drop` sees each
    datagram and may lose it by name.
    """

    delay: float = 0.0
    loss: float = 0.0
    swap: float = 0.0
    jitter: float = 0.05
    drop: Callable[[bytes], bool] | None = None


class Entry(msgspec.Struct):
    """One datagram: when it left, from whom to whom, its first line in short, and its fate."""

    at: float
    source: str
    target: str
    text: str
    fate: str
    data: bytes

    def __str__(self) -> str:
        fate = f"  [{self.fate}]" if self.fate else ""
        return f"{self.at:8.3f}  {self.source} -> {self.target}  {self.text}{fate}"


def summary(data: bytes) -> str:
    """A message in short: `INVITE 1`, `180 INVITE 1`, a body marked `+`."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    cseq = next((line[5:].split() for line in lines if line[:5].lower() == "cseq:"), []) or ["?"]
    words = lines[0].split(" ")
    mark = " +" if body else ""
    if words[0] == "SIP/2.0":
        return f"{words[1]} {cseq[-1]} {cseq[0]}{mark}"
    return f"{words[0][:16]} {cseq[0]}{mark}"


class World:
    """Nodes, the links between them, and the time they share."""

    def __init__(self, seed: int = 1, *, link: Link | None = None, start: float = 0.0) -> None:
        self.now = start
        self.start = start
        self.chance = random.Random(seed)
        self.link = link or Link()
        self.links: dict[tuple[str, str], Link] = {}
        self.ladder: list[Entry] = []
        self.names: dict[Address, str] = {}
        self._nodes: dict[str, tuple[Node, list[Address]]] = {}
        self._handlers: dict[str, Callable[[Any], None]] = {}
        self._flying: list[tuple[float, int, bytes, Address, Address]] = []
        self._jobs: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def add(
        self,
        name: str,
        node: Node,
        addresses: Sequence[Address],
        handler: Callable[[Any], None] | None = None,
    ) -> None:
        """Put a node on the network; `handler` gets each non-empty list of events it returns."""
        self._nodes[name] = node, list(addresses)
        for address in addresses:
            self.names[address] = name
        if handler is not None:
            self._handlers[name] = handler

    def remove(self, name: str) -> None:
        """Take a node off the network."""
        _, addresses = self._nodes.pop(name)
        for address in addresses:
            del self.names[address]
        self._handlers.pop(name, None)

    def between(self, a: str, b: str, link: Link, back: Link | None = None) -> None:
        """Give the link from a to b (and back) its own behaviour."""
        self.links[a, b] = link
        self.links[b, a] = back or link

    def at(self, when: float, job: Callable[[], None]) -> None:
        """Do something at a time of the world's clock."""
        heapq.heappush(self._jobs, (max(when, self.now), next(self._count), job))

    def after(self, seconds: float, job: Callable[[], None]) -> None:
        self.at(self.now + seconds, job)

    def advance(self, seconds: float) -> None:
        """Let time pass, doing everything that falls into it in order."""
        end = self.now + seconds
        self.flush()
        while True:
            when = self._next()
            if when > end:
                break
            self.now = max(self.now, when)
            self._step()
            self.flush()
        self.now = end

    def settle(self, limit: float = 600.0) -> None:
        """Let time pass until nobody waits for anything; fails after `limit` seconds."""
        end = self.now + limit
        self.flush()
        while (when := self._next()) < math.inf:
            assert when <= end, f"cannot settle within {limit} s:\n{self}"
            self.advance(max(when - self.now, 0.0))

    def flush(self) -> None:
        """Put on the wire what nodes have queued."""
        for name, (node, addresses) in self._nodes.items():
            while node.outgoing:
                queued = _departing(node)
                for data, remote, local in queued:
                    self._send(name, data, addresses[local], remote)

    def inject(self, data: bytes, source: Address, target: Address) -> None:
        """Put a datagram on the wire from an address that needs no node."""
        self._send(self.names.get(source, source[0]), data, source, target)

    def text(self, *, since: int = 0) -> str:
        """The ladder, a line per datagram."""
        return "".join(f"{entry}\n" for entry in self.ladder[since:])

    def sent(self, name: str, start: str = "") -> list[float]:
        """When `name` sent messages whose summary begins so, lost ones too."""
        return [
            round(entry.at, 6)
            for entry in self.ladder
            if entry.source == name and entry.text.startswith(start)
        ]

    __str__ = text

    def _next(self) -> float:
        when = min((node.deadline() for node, _ in self._nodes.values()), default=math.inf)
        if self._flying:
            when = min(when, self._flying[0][0])
        return min(when, self._jobs[0][0]) if self._jobs else when

    def _step(self) -> None:
        while self._flying and self._flying[0][0] <= self.now:
            _, _, data, source, target = heapq.heappop(self._flying)
            self._deliver(data, source, target)
            self.flush()
        for name, (node, _) in self._nodes.items():
            if node.deadline() <= self.now:
                self._handle(name, node.due(self.now))
        while self._jobs and self._jobs[0][0] <= self.now:
            heapq.heappop(self._jobs)[2]()

    def _deliver(self, data: bytes, source: Address, target: Address) -> None:
        name = self.names.get(target)
        if name is not None:
            node, addresses = self._nodes[name]
            self._handle(name, node.receive(data, source, addresses.index(target), self.now))

    def _handle(self, name: str, events: Iterable[Any] | None) -> None:
        handler = self._handlers.get(name)
        if handler is not None:
            for event in events or ():
                handler(event)

    def _send(self, name: str, data: bytes, source: Address, target: Address) -> None:
        peer = self.names.get(target, f"{target[0]}:{target[1]}")
        link = self.links.get((name, peer), self.link)
        fate, extra = "", 0.0
        if target not in self.names:
            fate = "nobody"
        elif (link.drop is not None and link.drop(data)) or self.chance.random() < link.loss:
            fate = "lost"
        elif link.swap and self.chance.random() < link.swap:
            extra = self.chance.random() * link.jitter
        self.ladder.append(Entry(self.now - self.start, name, peer, summary(data), fate, data))
        if not fate:
            arrival = self.now + link.delay + extra
            heapq.heappush(self._flying, (arrival, next(self._count), data, source, target))


def _departing(node: Node) -> list[tuple[bytes, Address, int]]:
    """What a node has queued, by its own door where it has one (the exchange counts there)."""
    door = getattr(node, "departing", None)
    if door is not None:
        return list(door())
    queued, node.outgoing[:] = list(node.outgoing), []
    return queued


def dropping(*names: str, times: int = 1_000_000) -> Callable[[bytes], bool]:
    """A `Link.drop` that loses the first `times` datagrams whose summary begins with a name."""
    left = [times]

    def drop(data: bytes) -> bool:
        hit = left[0] > 0 and summary(data).startswith(names)
        left[0] -= hit
        return hit

    return drop
