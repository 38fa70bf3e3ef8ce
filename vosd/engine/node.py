# SPDX-License-Identifier: GPL-2.0-or-later
"""The running switch as the control API sees it; builds and joins the engine's parts."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from collections.abc import Sequence

from vosd import __version__
from vosd.engine.admission import Admission
from vosd.engine.calls import Calls
from vosd.engine.configuration import Configuration
from vosd.engine.counters import Counters
from vosd.engine.dialogue import Dialogue
from vosd.engine.health import Health
from vosd.engine.lines import Lines
from vosd.engine.live import LiveCall, endpoint_text
from vosd.engine.outside import Outside
from vosd.engine.perform import Performer
from vosd.engine.policies import media_config, timing
from vosd.engine.records import Records
from vosd.engine.registration import Registrar
from vosd.engine.relaying import Relaying
from vosd.engine.settings import Settings, Snapshot
from vosd.engine.signalling import Signalling
from vosd.media.relay import Relay
from vosd.media.session import MediaConfig, MediaEngine, MediaEvent, MediaSession
from vosd.net.addresses import SourceAddresses, is_wildcard
from vosd.net.udp import UdpSocket
from vosd.sip.endpoint import Endpoint, Listen
from vosd.store.database import Store
from vosd.switch.clock import Clock
from vosd.switch.events import MediaLost, Order, Stored
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
        self.lock = asyncio.Lock()
        self.started_at = time.time()
        self._began = time.monotonic()
        self.state = "running"
        self.lag_ms = 0.0
        self.counters = Counters()
        self.settings = Settings(store.parameters())
        self.configuration = Configuration(store)
        self._addresses = SourceAddresses()
        self._media_address = media_address
        self._answered: list[tuple[float, int]] = []
        self._listen(listens)
        self._build(relay)
        self._watch()

    def _listen(self, listens: Sequence[tuple[str, int]]) -> None:
        self.sockets = [
            UdpSocket(host, port, index, self._datagram)
            for index, (host, port) in enumerate(listens)
        ]
        self._listens = [Listen("udp", socket.host, socket.port) for socket in self.sockets]

    def _datagram(self, data: bytes, source: tuple[str, int], local: int) -> None:
        self.signalling.datagram(data, source, local)

    def _advertise(self, local: int, remote: tuple[str, int]) -> tuple[str, int]:
        """The address of ours a peer can answer to, also on a wildcard socket."""
        listen = self._listens[local]
        if is_wildcard(listen.host):
            return self._addresses.towards(remote[0]), listen.port
        return listen.host, listen.port

    def _build(self, relay: Relay) -> None:
        chance = random.SystemRandom()
        quick = random.Random(chance.getrandbits(128))
        snapshot = self.settings.snapshot
        self.endpoint = Endpoint(
            self._listens, quick, timing(snapshot), self._advertise, server=f"vosd/{__version__}"
        )
        lines = Lines(self.configuration, self._listens, self._advertise, quick)
        self.health_of = Health(self.endpoint, lines, self._settle)
        self.media = MediaEngine(
            self._media_config(snapshot), relay, time.time, time.monotonic, self._media_event
        )
        relaying = Relaying(self.media, self.settings)
        self.records = Records(
            self.store, self.settings, self.node, self.loop, self._stored
        )
        self.calls = Calls(
            self.configuration, self.settings, self.records, self.counters, quick
        )
        self.calls.performer = Performer(
            self.endpoint, relaying, self.records, lines, self.calls.finished
        )
        self.signalling = Signalling(self.loop, self.endpoint, self.sockets, self.counters)
        dialogue = Dialogue(
            self.endpoint, self.calls, relaying, self.health_of, self.counters
        )
        admission = Admission(self.configuration, self.settings, secrets.token_bytes(32))
        registrar = Registrar(
            self.configuration, self.settings, admission, self._auth_failed
        )
        self._outside = Outside(
            self.endpoint, self.calls, admission, registrar, dialogue, self.health_of,
            self.counters,
        )
        self.signalling.calls = self.calls
        self.signalling.dialogue = dialogue
        self.signalling.outside = self._outside.take

    def _auth_failed(self, user: str, source: tuple[str, int]) -> None:
        self._outside.failed(user, source)

    def _settle(self) -> None:
        self.signalling.settle()

    def _media_config(self, snapshot: Snapshot) -> MediaConfig:
        return media_config(snapshot, self._listens, self._media_address, self._addresses)

    # what parameters reach

    def _watch(self) -> None:
        self.settings.watch("media", self._apply_media)
        self.settings.watch("qos", self._apply_qos)
        self.settings.watch("timeouts", self._apply_timeouts)
        self.settings.watch("routing", self.calls.reconfigure)
        self.configuration.on_reload = lambda: self.calls.reconfigure(self.settings.snapshot)
        self._apply_qos(self.settings.snapshot)

    def _apply_media(self, snapshot: Snapshot) -> None:
        self.media.configure(self._media_config(snapshot))

    def _apply_qos(self, snapshot: Snapshot) -> None:
        for socket in self.sockets:
            socket.mark(int(snapshot.get("SS_QOS_SIGNAL")))
        self._apply_media(snapshot)

    def _apply_timeouts(self, snapshot: Snapshot) -> None:
        self.endpoint.timing = timing(snapshot)
        self.calls.reconfigure(snapshot)

    # what comes back from below

    def _stored(self, live: LiveCall, error: str | None) -> None:
        clock = self._clock()
        if error is None:
            self.counters.add("calls_answered")
        else:
            self.counters.add("records_refused")
        self.calls.happen(live, Stored(error), clock)
        self._settle()

    def _media_event(self, session: MediaSession, event: MediaEvent) -> None:
        if event.kind == "foreign_source":
            self.counters.add("rtp_foreign")
        if event.kind != "rtp_timeout":
            return
        live = self.calls.get(session.key)
        if live is not None:
            self.calls.happen(live, MediaLost(event.side), self._clock())
            self._settle()

    # time and life

    def start(self) -> None:
        """Open the doors: from now on datagrams are read."""
        for socket in self.sockets:
            socket.start(self.loop)

    def tick(self, now: float) -> None:
        """Once a second: media time-outs, heart-beats, bindings that ran out."""
        wall = time.time()
        self.media.tick(now)
        self.records.beat(self.calls, now, wall)
        self.configuration.expire(wall)
        self._answered.append((now, self.counters.values["call_attempts"]))
        del self._answered[:-_RATE_WINDOW_S - 1]
        self._settle()

    async def resolve(self) -> None:
        """Look the names of gateways up again; addresses of ours may have changed too."""
        await self.configuration.names.refresh(self.configuration.hosts())
        self.configuration.index()
        self._addresses.forget()

    def drain(self) -> None:
        """Take no new calls; live ones go on."""
        self.state = "draining"
        self.calls.refusing = "draining"

    def end_calls(self, reason: str) -> None:
        """End every call that is left."""
        for live in self.calls:
            self.calls.happen(live, Order(reason), self._clock())
        self._settle()

    def hangup(self, id_: str) -> bool:
        """The operator ends one call; False when there is none with this id."""
        ended = self.calls.hangup(id_)
        self._settle()
        return ended

    def close(self) -> None:
        """Shut the doors."""
        for socket in self.sockets:
            socket.close()

    def _clock(self) -> Clock:
        return Clock(time.monotonic(), time.time())

    # what handlers ask

    def health(self, name: str) -> tuple[bool | None, str]:
        """(up, note) of a gateway; up is None while it was never tried."""
        return self.health_of.state(name)

    async def probe(self, name: str) -> tuple[bool, str, float]:
        """Ask a gateway with OPTIONS: (up, what came back, milliseconds)."""
        await self.resolve()
        return await self.health_of.probe(self.configuration.gateways[name])

    def status(self) -> Status:
        """The switch at a glance."""
        up = [self.health(name)[0] for name in self.configuration.gateways]
        writer = self.store.writer
        registrations = sum(
            1 for number in self.configuration.bindings
            if self.configuration.contacts(number, time.time())
        )
        return Status(
            node=self.node,
            software=f"vosd {__version__}",
            pid=os.getpid(),
            uptime_s=round(time.monotonic() - self._began, 1),
            state=self.state,
            listens=[f"{endpoint_text((s.host, s.port))}/udp" for s in self.sockets],
            calls=len(self.calls),
            calls_per_s=self._rate(),
            attempts_total=self.counters.values["call_attempts"],
            answered_total=self.counters.values["calls_answered"],
            registrations=registrations,
            gateways_up=up.count(True),
            gateways_down=up.count(False),
            gateways_unknown=up.count(None),
            relay="userspace",
            relay_reason="the kernel relay is not built into this version",
            rtp_ports_used=self.media.ports_used,
            rtp_ports_total=self.media.ports_total,
            loop_lag_ms=round(self.lag_ms, 1),
            record_queue=writer.depth,
            record_error=writer.error or "",
            alarms=self._alarms(),
            counters=dict(self.counters.values),
        )

    def _rate(self) -> float:
        if len(self._answered) < 2:
            return 0.0
        (t0, n0), (t1, n1) = self._answered[0], self._answered[-1]
        return round((n1 - n0) / (t1 - t0), 1) if t1 > t0 else 0.0

    def _alarms(self) -> list[str]:
        alarms = []
        if self.store.writer.error:
            alarms.append(f"records cannot be written: {self.store.writer.error}")
        alarms += [
            f"gateway {name} is down: {self.health(name)[1]}"
            for name, gateway in self.configuration.gateways.items()
            if gateway.enabled and self.health(name)[0] is False
        ]
        return alarms
