# SPDX-License-Identifier: GPL-2.0-or-later
"""The switch without its sockets: datagrams and time in, datagrams out.

`receive` and `due` are the only doors for SIP; what has to be sent lies in `outgoing`. Nothing in
here awaits, so messages of a dialog cannot overtake one another.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from vosd import __version__
from vosd.engine.admission import Admission
from vosd.engine.calls import Calls
from vosd.engine.clocks import Clocks
from vosd.engine.configuration import Configuration
from vosd.engine.counters import Counters
from vosd.engine.dialogue import ALLOW, Dialogue
from vosd.engine.health import Health
from vosd.engine.lines import Chance, Lines
from vosd.engine.live import LiveCall
from vosd.engine.outside import Outside
from vosd.engine.perform import Performer
from vosd.engine.policies import timing
from vosd.engine.records import Records
from vosd.engine.registration import Registrar
from vosd.engine.relaying import Relaying
from vosd.engine.settings import Settings, Snapshot
from vosd.media.session import MediaEngine, MediaEvent, MediaSession
from vosd.sip import events as sip
from vosd.sip.endpoint import Datagram, Endpoint, Listen
from vosd.store.store import Store
from vosd.switch.events import MediaLost, Order, Stored

Address = tuple[str, int]


class Exchange:
    """Calls and registrations, from bytes to decisions and back."""

    def __init__(
        self,
        *,
        node: str,
        store: Store,
        settings: Settings,
        listens: Sequence[Listen],
        advertise: Callable[[int, Address], Address],
        source: Callable[[str], str],
        chance: Chance,
        clocks: Clocks,
        media: Callable[[Callable[[MediaSession, MediaEvent], None]], MediaEngine],
        hop: Callable[[Callable[[], None]], object],
        settle: Callable[[], None],
    ) -> None:
        """`hop` runs a function on this thread; `settle` sends what `outgoing` holds."""
        self.clocks = clocks
        self.settings = settings
        self.settle = settle
        self.counters = Counters()
        self.configuration = Configuration(store)
        self.endpoint = Endpoint(
            listens, chance, timing(settings.snapshot), advertise, server=f"vosd/{__version__}",
            allow=ALLOW,
        )
        lines = Lines(self.configuration, listens, advertise, source, chance)
        self.media = media(self._media_event)
        self.health = Health(self.endpoint, lines, settle)
        self.records = Records(store, settings, node, hop, self._stored)
        self.calls = Calls(
            self.configuration, settings, self.records, self.counters, chance, clocks,
            self.health.silent,
        )
        relaying = Relaying(self.media, settings)
        self.calls.performer = Performer(
            self.endpoint, relaying, self.records, lines, self.calls.finished
        )
        self._dialogue = Dialogue(self.endpoint, self.calls, relaying, self.health, clocks)
        self._outside = self._build_outside()
        self._watch()

    def _build_outside(self) -> Outside:
        admission = Admission(self.configuration, self.settings, secrets.token_bytes(32))
        registrar = Registrar(self.configuration, self.settings, admission, self._auth_failed)
        return Outside(
            self.endpoint,
            self.calls,
            admission,
            registrar,
            self._dialogue,
            self.health,
            self.counters,
            self.clocks,
        )

    def _watch(self) -> None:
        self.settings.watch("timeouts", self._apply_timeouts)
        self.settings.watch("routing", self.calls.reconfigure)
        self.configuration.on_reload = lambda: self.calls.reconfigure(self.settings.snapshot)

    def _apply_timeouts(self, snapshot: Snapshot) -> None:
        self.endpoint.timing = timing(snapshot)
        self.calls.reconfigure(snapshot)

    # datagrams and time

    @property
    def outgoing(self) -> list[Datagram]:
        """What to send; the owner clears it."""
        return self.endpoint.outgoing

    def receive(self, data: bytes, source: Address, local: int, now: float) -> None:
        """One message in."""
        for event in self.endpoint.receive(data, source, local, now):
            self._take(event, now)

    def due(self, now: float) -> None:
        """Let everything that waited for `now` happen."""
        for event in self.endpoint.due(now):
            self._take(event, now)
        self.calls.due(now)

    def deadline(self) -> float:
        """When `due` wants to run next; infinite when nothing waits."""
        return min(self.endpoint.deadline(), self.calls.deadline())

    def unsent(self, destination: Address, now: float) -> None:
        """There is no way to `destination`: what waits for its answer fails at once."""
        self.counters.add("sip_unsent")
        for event in self.endpoint.undeliverable(destination, now):
            self._take(event, now)

    def _take(self, event: sip.Event, now: float) -> None:
        if not self._dialogue.take(event, now):
            self._outside.take(event, now)

    def tick(self, now: float) -> None:
        """Once a second: media time-outs, heart-beats, bindings that ran out."""
        wall = self.clocks.wall()
        self.media.tick(now)
        self.records.beat(self.calls, now, wall)
        self.configuration.expire(wall)
        self.settle()

    # what comes back from below

    def _auth_failed(self, user: str, source: Address) -> None:
        self._outside.failed(user, source)

    def _stored(self, live: LiveCall, error: str | None) -> None:
        self.calls.happen(live, Stored(error), self.clocks.now())
        if error is not None:
            self.counters.add("records_refused")
        elif live.call.state == "connected":
            self.counters.add("calls_answered")
        self.settle()

    def _media_event(self, session: MediaSession, event: MediaEvent) -> None:
        if event.kind == "foreign_source":
            self.counters.add("rtp_foreign")
        live = self.calls.get(session.key) if event.kind == "rtp_timeout" else None
        if live is not None:
            self.calls.happen(live, MediaLost(event.side), self.clocks.now())
            self.settle()

    # orders

    def end_calls(self, reason: str) -> None:
        """End every call that is left, for a row of `switch.reasons`."""
        for live in self.calls:
            self.calls.happen(live, Order(reason), self.clocks.now())
        self.settle()

    def hangup(self, id_: str) -> bool:
        """The operator ends one call; False when there is none with this id."""
        ended = self.calls.hangup(id_)
        self.settle()
        return ended
