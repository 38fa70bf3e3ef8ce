# SPDX-License-Identifier: GPL-2.0-or-later
"""A NAT in the world's network: agents inside are seen outside by ports that it lends them.

A binding lives `life` seconds from the last packet the inside sent; `refreshed_inward` lets
packets from outside prolong it too, which RFC 4787 REQ-6 leaves to the NAT. `filtering` is that of
RFC 4787 5: "endpoint" lets anyone in, "port" only the address and port that were sent to.

    nat = Nat(world, "203.0.113.9", life=60)
    phone = behind(nat, "phone", ("192.168.1.100", 5060), answer_after=0.2)
"""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from tests.sim.agents import Agent
from tests.sim.world import Address, World

#: never lent twice in one run
_PORTS = 100


class Lent(msgspec.Struct):
    """One binding: who inside has it, until when, and whom it sent to and when."""

    inside: Address
    until: float
    sent_to: dict[Address, float] = {}


class Nat:
    """One public address; also the world's node that stands for everybody inside."""

    def __init__(
        self,
        world: World,
        host: str,
        *,
        life: float,
        refreshed_inward: bool = True,
        filtering: Literal["endpoint", "port"] = "port",
        first_port: int = 45678,
    ) -> None:
        self.world, self.host, self.life = world, host, life
        self.refreshed_inward = refreshed_inward
        self.filtering = filtering
        self._queued: list[tuple[bytes, Address, int]] = []
        self.lent: dict[int, Lent] = {}
        #: what came in for nobody: time and octets
        self.dropped: list[tuple[float, bytes]] = []
        self._agents: dict[Address, Agent] = {}
        self._addresses = [(host, first_port + each) for each in range(_PORTS)]
        self._name = f"nat {host}"
        world.add(self._name, self, self._addresses)

    def inside(self, agent: Agent) -> Agent:
        """Put an agent of the world behind this NAT; the world reaches it by us from now on."""
        self.world.remove(agent.name)
        self._agents[agent.address] = agent
        return agent

    def public(self, agent: Agent) -> Address | None:
        """Where the agent is seen now."""
        return next(((self.host, port) for port, lent in self.lent.items()
                     if lent.inside == agent.address and lent.until > self.world.now), None)

    # a node of the world

    @property
    def outgoing(self) -> list[tuple[bytes, Address, int]]:
        """What the agents want to send: octets, destination, index of our address."""
        for agent in self._agents.values():
            self._leave(agent)
        return self._queued

    def receive(self, data: bytes, source: Address, local: int, now: float) -> None:
        lent = self.lent.get(self._addresses[local][1])
        if lent is None or lent.until <= now or not self._admits(lent, source, now):
            self.dropped.append((now, data))
            return
        if self.refreshed_inward:
            lent.until = now + self.life
            lent.sent_to[source] = now + self.life
        self._agents[lent.inside].receive(data, source, 0, now)

    def _admits(self, lent: Lent, source: Address, now: float) -> bool:
        return self.filtering == "endpoint" or lent.sent_to.get(source, -math.inf) > now

    def due(self, now: float) -> None:
        for agent in self._agents.values():
            if agent.deadline() <= now:
                agent.due(now)

    def deadline(self) -> float:
        return min((agent.deadline() for agent in self._agents.values()), default=math.inf)

    def _leave(self, agent: Agent) -> None:
        queued, agent.outgoing[:] = list(agent.outgoing), []
        for data, remote, _ in queued:
            port = self._lend(agent.address, remote)
            self._queued.append((data, remote, self._addresses.index((self.host, port))))

    def _lend(self, inside: Address, remote: Address) -> int:
        """The port of a live binding, or a new one: whoever falls silent is seen elsewhere."""
        now = self.world.now
        found = next((port for port, lent in self.lent.items()
                      if lent.inside == inside and lent.until > now), None)
        if found is None:
            found = self._addresses[len(self.lent)][1]
            self.lent[found] = Lent(inside, 0.0)
        lent = self.lent[found]
        lent.until = lent.sent_to[remote] = now + self.life
        return found


def behind(nat: Nat, name: str, address: Address, **behaviour: Any) -> Agent:
    """A scripted agent behind `nat`."""
    return nat.inside(Agent(nat.world, name, address, **behaviour))
