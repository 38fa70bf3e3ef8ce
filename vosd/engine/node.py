# SPDX-License-Identifier: GPL-2.0-or-later
"""The running switch as daemon and control API see it: an exchange on real sockets."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from vosd import __version__
from vosd.engine.clocks import Clocks
from vosd.engine.exchange import Exchange
from vosd.engine.live import endpoint_text
from vosd.engine.policies import media_config
from vosd.engine.settings import Settings, Snapshot
from vosd.engine.signalling import Signalling
from vosd.engine.vendor import State
from vosd.media.relay import Relay
from vosd.media.session import MediaConfig, MediaEngine, MediaEvent, MediaSession
from vosd.net.addresses import SourceAddresses, is_wildcard
from vosd.net.stream import Limits, StreamSocket
from vosd.net.tls import Contexts, TlsError
from vosd.net.udp import UdpSocket
from vosd.sip.endpoint import Listen
from vosd.sip.framing import Framer
from vosd.store.store import Store
from vosd.switch.tables import Binding
from vosd.wire.records import Status

_RATE_WINDOW_S = 10
#: files beside RTP ports and connections: store, control socket, listening sockets
_OTHER_FILES = 256


class TlsFiles(Protocol):
    """Paths of PEM files; `authorities` None stands for the system's."""

    @property
    def certificate(self) -> str: ...
    @property
    def private_key(self) -> str: ...
    @property
    def authorities(self) -> str | None: ...


class Node:
    """One vosd: everything between the sockets below and the control API above."""

    def __init__(
        self,
        *,
        node: str,
        store: Store,
        listens: Sequence[Listen],
        media_address: str | None,
        relay: Relay,
        loop: asyncio.AbstractEventLoop,
        tls: TlsFiles | None = None,
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
        self._tls = tls
        self.sockets: list[UdpSocket | StreamSocket] = []
        self._signalling = Signalling(loop, self.sockets)
        self.sockets += [self._open(row, index) for index, row in enumerate(listens)]
        self._streams = [row for row in self.sockets if isinstance(row, StreamSocket)]
        self._listens = [
            Listen(row.transport, socket.host, socket.port)
            for row, socket in zip(listens, self.sockets, strict=True)
        ]
        self.exchange = self._exchange()
        self._signalling.serve(self.exchange)
        self.configuration = self.exchange.configuration
        self.calls = self.exchange.calls
        self.settings.watch("media", self._apply_media)
        self.settings.watch("qos", self._apply_qos)
        self.settings.watch("transport", self._apply_transport)
        self._apply_transport(self.settings.snapshot)
        self._apply_qos(self.settings.snapshot)

    def _exchange(self) -> Exchange:
        return Exchange(
            node=self.node,
            store=self.store,
            settings=self.settings,
            listens=self._listens,
            advertise=self._advertise,
            source=self._addresses.towards,
            # tags and branches prove where an answer comes from: none may be worked out from others
            chance=random.SystemRandom(),
            clocks=Clocks(),
            media=self._media_engine,
            hop=self.loop.call_soon_threadsafe,
            settle=self._signalling.settle,
            connected=self._connected,
        )

    def _open(self, row: Listen, index: int) -> UdpSocket | StreamSocket:
        if row.transport == "udp":
            return UdpSocket(row.host, row.port, index, self._signalling.datagrams)
        if row.transport == "tls" and self._tls is None:
            raise TlsError(f"cannot listen on {row.host} port {row.port}/tls without [tls]")
        socket = StreamSocket(row.transport, row.host, row.port, index, self._signalling, Framer)
        socket.server = self._server
        return socket

    def _connected(self, local: int, remote: tuple[str, int]) -> bool:
        socket = self.sockets[local]
        return isinstance(socket, UdpSocket) or socket.connected(remote)

    def _server(self, place: tuple[str, int]) -> tuple[str, bool]:
        """The name a TLS server's certificate carries, and whether that is looked at."""
        name, gateway = self.configuration.server(place)
        own = gateway.overrides if gateway is not None else {}
        return name, bool(self.settings.snapshot.get_for("SS_SIP_TLS_VERIFY", own))

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

    def _apply_transport(self, snapshot: Snapshot) -> None:
        limits = Limits(
            connect_s=float(snapshot.get("SS_SIP_TCP_CONNECT_TIMEOUT")),
            idle_s=float(snapshot.get("SS_SIP_TCP_IDLE")),
            per_source=int(snapshot.get("SS_SIP_TCP_PER_SOURCE")),
            total=int(snapshot.get("SS_SIP_TCP_CONNECTIONS")),
        )
        for socket in self._streams:
            socket.limits = limits
        self.exchange.endpoint.large_by_stream = snapshot.get("SS_SIP_LARGE_REQUESTS") == "tcp"
        self.read_certificates(self._tls, snapshot)

    def read_certificates(self, tls: TlsFiles | None, snapshot: Snapshot | None = None) -> None:
        """Read the files of [tls] again; connections from now on use them. TlsError when they
        cannot be used: those that were read before stay."""
        sockets = [row for row in self._streams if row.transport == "tls"]
        if tls is None or not sockets:
            return
        clients = (snapshot or self.settings.snapshot).get("SS_SIP_TLS_CLIENTS")
        contexts = Contexts(tls.certificate, tls.private_key, tls.authorities, clients)
        self._tls = tls
        for socket in sockets:
            socket.contexts = contexts

    # life

    def start(self) -> None:
        """Open the doors: from now on datagrams are read."""
        for socket in self.sockets:
            socket.start(self.loop)

    def tick(self, now: float) -> None:
        """Once a second."""
        for socket in self._streams:
            socket.tick(now)
        self.exchange.tick(now)
        self._attempts.append((now, self.exchange.counters.values["call_attempts"]))

    async def resolve(self) -> None:
        """Look the names of gateways up again; our own addresses may have changed too."""
        self._addresses.forget()
        await self.configuration.names.refresh(self.configuration.wanted())
        self.configuration.index()

    def drain(self) -> None:
        """Take no new calls, and leave the vendors that would send some; live ones go on."""
        self.state = "draining"
        self.calls.refusing = "draining"
        self.exchange.leave()

    @property
    def leaving(self) -> int:
        """Registrations with vendors that are being taken back."""
        return self.exchange.outward.leaving

    def close(self) -> None:
        """Shut the doors."""
        for socket in self.sockets:
            socket.close()

    @property
    def descriptors(self) -> int:
        """Files that are open when all RTP ports and connections there may be are in use."""
        connections = sum(socket.limits.total for socket in self._streams)
        return self.exchange.media.ports_total + connections + _OTHER_FILES

    # what handlers ask

    def hangup(self, id_: str) -> bool:
        """End one call for the operator; False when there is none with this id."""
        return self.exchange.hangup(id_)

    def health(self, name: str) -> tuple[bool | None, str]:
        """(up, note) of a gateway; up is None while it was never tried."""
        return self.exchange.health.state(name)

    def registration(self, gateway: str) -> State | None:
        """Our registration with a gateway; None where we shall have none."""
        return self.exchange.outward.state(gateway, time.monotonic())

    def unreachable(self, binding: Binding) -> bool:
        """Whether a registered phone stopped answering."""
        return self.exchange.keepalive.unreachable(binding)

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
            listens=[f"{endpoint_text((r.host, r.port))}/{r.transport}" for r in self._listens],
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
        down += self._unregistered()
        slow = self.exchange.keepalive.trouble()
        down += [slow] if slow else []
        return [f"records cannot be written: {error}", *down] if error else down

    def _unregistered(self) -> list[str]:
        states = ((name, self.registration(name)) for name in self.configuration.gateways)
        return [
            f"not registered with gateway {name}: {held.reason}"
            for name, held in states
            if held is not None and held.state == "failed"
        ]
