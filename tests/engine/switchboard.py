# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole switch in a world of virtual time: real engine, SIP and decisions; the edges are ours.

The edges are the store (rows in lists, a commit takes `commit_s` of the world's time) and the
relay (ports without sockets). Everything between them is what the daemon runs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from tests.sim.agents import Agent
from tests.sim.world import World
from vosd.engine.clocks import Clocks
from vosd.engine.exchange import Exchange
from vosd.engine.settings import Row, Settings
from vosd.media.relay import Tap
from vosd.media.session import MediaConfig, MediaEngine
from vosd.rtp.quality import Counters
from vosd.sip.auth import ha1
from vosd.sip.endpoint import Listen
from vosd.switch.tables import Binding, Gateway, GatewayAddress, Listed, Phone
from vosd.wire.records import Cdr

SWITCH = ("10.0.0.1", 5060)
ALICE = ("10.0.0.2", 5060)
BOB = ("10.0.0.3", 5060)
CAROL = ("10.0.0.4", 5060)
EPOCH = 1_800_000_000.0


class SilentRelay:
    """Ports without sockets."""

    name = "userspace"

    def open(self, family: int, host: str, port: int, dscp: int) -> Tap:
        tap = Tap(family, host, port)
        tap.dscp = dscp
        return tap

    def close(self, tap: Tap) -> None: ...

    def join(self, one: Tap, other: Tap) -> None:
        one.out, other.out = other, one

    def part(self, tap: Tap) -> None:
        tap.out = tap.owner = tap.expected = tap.destination = None

    def steer(self, tap: Tap, source: Any, destination: Any) -> None:
        tap.expected, tap.destination = source, destination

    def send(self, tap: Tap, data: bytes, at: int) -> bool:
        return tap.destination is not None

    def mark(self, tap: Tap, dscp: int) -> None:
        tap.dscp = dscp

    def figures(self, tap: Tap) -> Counters:
        return tap.counters


class Shelf:
    """The store's face towards the engine, over lists."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.commit_s = 0.002
        self.failing: str | None = None
        self.accepting = True
        self.open: dict[str, Cdr] = {}
        self.records: list[Cdr] = []
        self.evidence: dict[str, bytes | None] = {}
        self.rows: dict[str, list[Any]] = {
            "gateways": [], "phones": [], "bindings": [], "blacklist": []
        }
        self.cdr = self
        self.writer = self

    def gateways(self) -> list[Gateway]:
        return self.rows["gateways"]

    def phones(self) -> list[Phone]:
        return self.rows["phones"]

    def bindings(self) -> list[Binding]:
        return self.rows["bindings"]

    def blacklist(self) -> list[Listed]:
        return self.rows["blacklist"]

    def key(self, name: str) -> bytes:
        return name.encode()

    def put_binding(self, binding: Binding) -> None:
        self.remove_binding(binding.number, binding.contact)
        self.rows["bindings"].append(binding)

    def remove_binding(self, number: str, contact: str) -> None:
        self.rows["bindings"] = [
            b for b in self.rows["bindings"] if (b.number, b.contact) != (number, contact)
        ]

    def opened(self, row: Cdr, done: Callable[[str | None], None]) -> None:
        def commit() -> None:
            if self.failing is None:
                self.open[row.id] = row
            done(self.failing)

        self.world.after(self.commit_s, commit)

    def closed(self, row: Cdr, evidence: bytes | None) -> None:
        self.open.pop(row.id, None)
        self.records.append(row)
        self.evidence[row.id] = evidence

    def alive(self, ids: Iterable[str], at: float) -> None:
        for id_ in ids:
            if id_ in self.open:  # its commit may still be under way
                self.open[id_].alive_at = at


class Switchboard:
    """A world with a switch in it; gateways `carrier` (mapping, alice) and `vendor` (bob).

    A second one joins the first one's `world`, at an address and by a name of its own.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        world: World | None = None,
        at: tuple[str, int] = SWITCH,
        name: str = "switch",
        **parameters: str,
    ) -> None:
        self.world = world or World(seed)
        self.at = at
        self.shelf = Shelf(self.world)
        self.gateway("carrier", ALICE, kind="mapping")
        self.gateway("vendor", BOB)
        rows = [Row(name=name, gateway=None, value=value, source="operator")
                for name, value in parameters.items()]
        self.settings = Settings(rows)  # type: ignore[arg-type]
        self.switch = Exchange(
            node="test",
            store=self.shelf,  # type: ignore[arg-type]
            settings=self.settings,
            listens=[Listen("udp", *at)],
            advertise=lambda _, __: at,
            source=lambda _: at[0],
            chance=random.Random(seed),
            clocks=Clocks(lambda: self.world.now, lambda: EPOCH + self.world.now),
            media=self._media,
            hop=lambda job: job(),
            settle=self.world.flush,
        )
        self.world.add(name, self.switch, [at])
        self._tick()

    def _media(self, on_event: Any) -> MediaEngine:
        config = MediaConfig(advertise_v4=self.at[0])
        return MediaEngine(
            config, SilentRelay(), lambda: EPOCH + self.world.now, lambda: self.world.now, on_event
        )

    def _tick(self) -> None:
        self.switch.tick(self.world.now)
        self.world.after(1.0, self._tick)

    def gateway(self, name: str, address: tuple[str, int], kind: Any = "routing",
                **fields: Any) -> None:
        fields.setdefault("addresses", (GatewayAddress(*address),))
        row = Gateway(name=name, kind=kind, **fields)
        self.shelf.rows["gateways"] = [
            g for g in self.shelf.rows["gateways"] if g.name != name
        ] + [row]
        self._reload()

    def phone(self, number: str, password: str, **fields: Any) -> None:
        self.shelf.rows["phones"].append(Phone(
            number=number,
            ha1_md5=ha1(number, "vos", password, "MD5"),
            ha1_sha256=ha1(number, "vos", password, "SHA-256"),
            **fields,
        ))
        self._reload()

    def block(self, number: str, **fields: Any) -> None:
        self.shelf.rows["blacklist"].append(Listed(number=number, **fields))
        self._reload()

    def _reload(self) -> None:
        if hasattr(self, "switch"):
            self.switch.configuration.reload()

    def agent(self, name: str, address: tuple[str, int], **behaviour: Any) -> Agent:
        return Agent(self.world, name, address, **behaviour)

    def empty(self) -> bool:
        """Nothing is left of any call: no call, dialog, transaction or port."""
        return (
            not len(self.switch.calls)
            and not self.switch.endpoint.dialogs
            and not self.switch.endpoint.transactions
            and not self.switch.media.ports_used
        )
