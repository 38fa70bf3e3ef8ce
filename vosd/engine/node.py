# SPDX-License-Identifier: GPL-2.0-or-later
"""The running switch as daemon and control API see it: an exchange on real sockets."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import deque
from collections.abc import Callable, Sequence

from vosd import __version__
from vosd.engine.clocks import Clocks
from vosd.engine.exchange import Exchange
from vosd.engine.live import endpoint_text
from vosd.engine.policies import media_config
from vosd.engine.settings import Settings, Snapshot
from vosd.engine.signalling import Signalling
from vosd.media.relay import Relay
from vosd.media.session import MediaConfig, MediaEngine, MediaEvent, MediaSession
from vosd.net.addresses import SourceAddresses, is_wildcard
from vosd.net.udp import UdpSocket
from vosd.sip.endpoint import Listen
from vosd.store.store import Store
from vosd.wire.records import Status

_RATE_WINDOW_S = 10


class Node:
    """One vosd: everything between the sockets below and the control API above."""

    def __init__(
        self,
        *,
        node: str,
        store: Store,
        listens: Sequence[tuple[str, int]],
        media_address: str | None,
        relay: Relay,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.node = node
        self.store = store
        self.loop = loop
        #: held while a change of configuration is checked, stored and applied
        self.lock = asyncio.Lock()
        self.state = "running"
        self.lag_ms = 0.0
        self.settings = Settings(store.parameters())
        self._began = time.monotonic()
        self._relay = relay
        self._addresses = SourceAddresses()
        self._media_address = media_address
        #: (monotonic second, attempts so far) of the last ticks
        self._attempts: deque[tuple[float, int]] = deque(maxlen=_RATE_WINDOW_S + 1)
        self.sockets: list[UdpSocket] = []
        self._signalling = Signalling(loop, self.sockets)
        self.sockets += [
            UdpSocket(host, port, index, self._signalling.datagrams)
            for index, (host, port) in enumerate(listens)
        ]
        self._listens = [Listen("udp", socket.host, socket.port) for socket in self.sockets]
        self.exchange = self._signalling.exchange = self._exchange()
        self.configuration = self.exchange.configuration
        self.calls = self.exchange.calls
        self.settings.watch("media", self._apply_media)
        self.settings.watch("qos", self._apply_qos)
        self._apply_qos(self.settings.snapshot)

    def _exchange(self) -> Exchange:
        return Exchange(
            node=self.node,
            store=self.store,
            settings=self.settings,
            listens=self._listens,
            advertise=self._advertise,
            source=self._addresses.towards,
            chance=random.Random(random.SystemRandom().getrandbits(256)),
            clocks=Clocks(),
            media=self._media_engine,
            hop=self.loop.call_soon_threadsafe,
            settle=self._signalling.settle,
        )

    def _media_engine(self, on_event: Callable[[MediaSession, MediaEvent], None]) -> MediaEngine:
        config = self._media_config(self.settings.snapshot)
        chance = random.Random(random.SystemRandom().getrandbits(256))
        return MediaEngine(config, self._relay, time.time, time.monotonic, on_event, chance)

    def _media_config(self, snapshot: Snapshot) -> MediaConfig:
        return media_config(snapshot, self._listens, self._media_address, self._addresses)

    def _advertise(self, local: int, remote: tuple[str, int]) -> tuple[str, int]:
        """The address of ours a peer can answer to, also on a wildcard socket."""
        listen = self._listens[local]
        if is_wildcard(listen.host):
            return self._addresses.towards(remote[0]), listen.port
        return listen.host, listen.port

    def _apply_media(self, snapshot: Snapshot) -> None:
        self.exchange.media.configure(self._media_config(snapshot))

    def _apply_qos(self, snapshot: Snapshot) -> None:
        for socket in self.sockets:
            socket.mark(int(snapshot.get("SS_QOS_SIGNAL")))
        self._apply_media(snapshot)

    # life

    def start(self) -> None:
        """Open the doors: from now on datagrams are read."""
        for socket in self.sockets:
            socket.start(self.loop)

    def tick(self, now: float) -> None:
        """Once a second."""
        self.exchange.tick(now)
        self._attempts.append((now, self.exchange.counters.values["call_attempts"]))

    async def resolve(self) -> None:
        """Look the names of gateways up again; our own addresses may have changed too."""
        self._addresses.forget()
        await self.configuration.names.refresh(self.configuration.hosts())
        self.configuration.index()

    def drain(self) -> None:
        """Take no new calls; live ones go on."""
        self.state = "draining"
        self.calls.refusing = "draining"

    def close(self) -> None:
        """Shut the doors."""
        for socket in self.sockets:
            socket.close()

    # what handlers ask

    def hangup(self, id_: str) -> bool:
        """End one call for the operator; False when there is none with this id."""
        return self.exchange.hangup(id_)

    def health(self, name: str) -> tuple[bool | None, str]:
        """(up, note) of a gateway; up is None while it was never tried."""
        return self.exchange.health.state(name)

    async def probe(self, name: str) -> tuple[bool, str, float]:
        """Ask a gateway with OPTIONS: (up, what came back, milliseconds)."""
        await self.resolve()
        return await self.exchange.health.probe(self.configuration.gateways[name])

    def status(self) -> Status:
        """The switch at a glance."""
        up = [self.health(name)[0] for name in self.configuration.gateways]
        counters = self.exchange.counters.values
        writer = self.store.writer
        return Status(
            node=self.node,
            software=f"vosd {__version__}",
            pid=os.getpid(),
            uptime_s=round(time.monotonic() - self._began, 1),
            state=self.state,
            listens=[f"{endpoint_text((s.host, s.port))}/udp" for s in self.sockets],
            calls=len(self.calls),
            calls_per_s=self._rate(),
            attempts_total=counters["call_attempts"],
            answered_total=counters["calls_answered"],
            registrations=len(self.configuration.bindings),
            gateways_up=up.count(True),
            gateways_down=up.count(False),
            gateways_unknown=up.count(None),
            relay="userspace",
            relay_reason="the kernel relay is not built into this version",
            rtp_ports_used=self.exchange.media.ports_used,
            rtp_ports_total=self.exchange.media.ports_total,
            loop_lag_ms=round(self.lag_ms, 1),
            record_queue=writer.depth,
            record_error=writer.error or "",
            alarms=self._alarms(),
            counters=dict(counters),
        )

    def _rate(self) -> float:
        if len(self._attempts) < 2:
            return 0.0
        (first, before), (last, after) = self._attempts[0], self._attempts[-1]
        return round((after - before) / (last - first), 1) if last > first else 0.0

    def _alarms(self) -> list[str]:
        error = self.store.writer.error
        down = [
            f"gateway {name} is down: {self.health(name)[1]}"
            for name, gateway in self.configuration.gateways.items()
            if gateway.enabled and self.health(name)[0] is False
        ]
        return [f"records cannot be written: {error}", *down] if error else down
