# SPDX-License-Identifier: GPL-2.0-or-later
"""The switch without its sockets: datagrams and time in, datagrams out.

`receive` and `due` are the only doors for SIP; what has to be sent lies in `outgoing`. Nothing in
here awaits, so messages of a dialog cannot overtake one another. A mistake of ours is logged and
costs the message or event it befell, never the pass.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from vosd import __version__
from vosd.engine.admission import Admission
from vosd.engine.calls import Calls
from vosd.engine.clocks import Clocks
from vosd.engine.configuration import Configuration
from vosd.engine.counters import Counters
from vosd.engine.dialogue import ALLOW, Dialogue
from vosd.engine.health import Health
from vosd.engine.keepalive import KeepAlive
from vosd.engine.lines import Chance, Lines
from vosd.engine.live import LiveCall
from vosd.engine.offers import Offers
from vosd.engine.outside import Outside
from vosd.engine.outward import Registrations
from vosd.engine.perform import Performer
from vosd.engine.policies import timing
from vosd.engine.records import Records
from vosd.engine.registration import Registrar
from vosd.engine.relaying import Relaying
from vosd.engine.sessions import Sessions
from vosd.engine.settings import Settings, Snapshot
from vosd.engine.traces import Traces
from vosd.media.session import MediaEngine, MediaEvent, MediaSession
from vosd.sip import events as sip
from vosd.sip.endpoint import Datagram, Endpoint, Listen
from vosd.store.store import Store
from vosd.switch.events import MediaLost, Order, Stored

log = logging.getLogger("vosd.sip")

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
        connected: Callable[[int, Address], bool] = lambda _, __: True,
    ) -> None:
        """`hop` runs a function on this thread; `settle` sends what `outgoing` holds;
        `connected(listen, remote)` tells whether a connection of a stream stands."""
        self.clocks = clocks
        self._chance = chance
        self.settings = settings
        self.settle = settle
        self.counters = Counters()
        self._store = store
        self.configuration = Configuration(store)
        self.endpoint = Endpoint(
            listens, chance, timing(settings.snapshot), advertise, server=f"vosd/{__version__}",
            allow=ALLOW, extensions=("100rel", "timer"), connected=connected,
        )
        self.configuration.names.speak(listens)
        self.endpoint.known = self.configuration.known
        lines = Lines(self.configuration, listens, advertise, source, chance, connected)
        self.media = media(self._media_event)
        self.health = Health(self.endpoint, lines, settle)
        self.records = Records(store, settings, node, hop, self._stored)
        self.calls = Calls(
            self.configuration, settings, self.records, self.counters, chance, clocks,
            self.health.silent,
        )
        relaying = Relaying(self.media, settings)
        self.traces = self.calls.traces = Traces(
            self.calls, self.configuration, self.counters, clocks,
            lambda local, remote: (listens[local].transport, advertise(local, remote)),
        )
        self.sessions = self.calls.sessions = Sessions(
            self.endpoint, chance, settings.snapshot, self.calls.happen, self.calls.wake
        )
        self.calls.performer = Performer(
            self.endpoint, relaying, self.records, lines, self.sessions, self.calls.node,
            settings, self.calls.finished,
        )
        offers = Offers(self.endpoint, relaying, self.sessions, chance)
        self._dialogue = Dialogue(
            self.endpoint, self.calls, relaying, offers, self.sessions, self.health, clocks,
            settings,
        )
        self.keepalive = KeepAlive(
            self.endpoint, self.configuration, lines, self.counters, settings.snapshot
        )
        self.outward = Registrations(
            self.endpoint, self.configuration, lines, settings, self.counters, chance,
            store.key("outward"),
        )  # fmt: skip
        self._outside = self._build_outside()
        self._watch()

    def _build_outside(self) -> Outside:
        admission = Admission(
            self.configuration, self.settings, self._store.key("nonces"), self.clocks.wall()
        )
        admission.vendor = self.outward.caller
        registrar = Registrar(self.configuration, self.settings, admission)
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
        self.settings.watch("session", self.sessions.reconfigure)
        self.settings.watch("trace", self.traces.configure)
        self.traces.configure(self.settings.snapshot)
        self.settings.watch("nat", self.keepalive.configure)
        self.configuration.on_reload = self._reloaded
        self.outward.reload(self.clocks.mono())

    def _reloaded(self) -> None:
        self.calls.reconfigure(self.settings.snapshot)
        self.outward.reload(self.clocks.mono())

    def _apply_timeouts(self, snapshot: Snapshot) -> None:
        self.endpoint.timing = timing(snapshot)
        self.calls.reconfigure(snapshot)

    # datagrams and time

    @property
    def outgoing(self) -> list[Datagram]:
        """What to send; `departing` takes it."""
        return self.endpoint.outgoing

    def receive(self, data: bytes, source: Address, local: int, now: float) -> None:
        """One message in."""
        tap = self.traces.tap
        at = self.clocks.wall() if tap is not None else 0.0
        self.counters.received.add(data)
        try:
            events = self.endpoint.receive(data, source, local, now)
        except Exception:
            self._mistake("take a message of %s:%d", *source)
            events = []
        for event in events:
            self._take(event, now)
        if tap is not None:
            # now it is known which call it began
            tap(True, data, source, local, at)

    def shed(self, data: bytes, source: Address, local: int, now: float) -> None:
        """Take a message nobody has time for: a new call is refused at little cost."""
        # not the same for all, or they would all come back together (RFC 6357 5.3)
        wait_s = 5 + self._chance.getrandbits(8) % 26
        if source not in self.endpoint.own and self.endpoint.shed(data, source, local, wait_s):
            self.counters.add("overload_rejects")
            self.counters.received.add(data)
            if self.traces.tap is not None:
                self.traces.tap(True, data, source, local, self.clocks.wall())
        else:
            self.receive(data, source, local, now)

    def departing(self) -> list[Datagram]:
        """What to send now, counted and shown to who traces; `outgoing` is empty afterwards."""
        queued = list(self.endpoint.outgoing)
        self.endpoint.outgoing.clear()
        count = self.counters.sent.add
        for data, _, _ in queued:
            count(data)
        tap = self.traces.tap
        if tap is not None:
            at = self.clocks.wall()
            for data, destination, local in queued:
                tap(False, data, destination, local, at)
        return queued

    def due(self, now: float) -> None:
        """Let everything that waited for `now` happen."""
        for fire in (self._endpoint_due, self.calls.due, self.keepalive.due, self.outward.due):
            self._guarded(fire, now)

    def _guarded(self, part: Callable[[float], None], now: float) -> None:
        try:
            part(now)
        except Exception:
            self._mistake("do what was due in %s", part.__qualname__)

    def _endpoint_due(self, now: float) -> None:
        for event in self.endpoint.due(now):
            self._take(event, now)

    def deadline(self) -> float:
        """When `due` wants to run next; infinite when nothing waits."""
        return min(
            self.endpoint.deadline(), self.calls.deadline(), self.keepalive.deadline(),
            self.outward.deadline(),
        )  # fmt: skip

    def unsent(self, destination: Address, local: int, now: float) -> None:
        """There is no way to `destination`: what waits for its answer fails at once."""
        self.counters.add("sip_unsent")
        for event in self.endpoint.undeliverable(destination, now, local):
            self._take(event, now)

    def disconnected(self, peer: Address, local: int, now: float) -> None:
        """The connection with `peer` ended."""
        for event in self.endpoint.disconnected(peer, local, now):
            self._take(event, now)

    def broken(
        self, data: bytes, code: int, reason: str, source: Address, local: int, now: float
    ) -> None:
        """A stream that cannot be read on: refuse what was read of its last message."""
        if self.traces.tap is not None:
            self.traces.tap(True, data, source, local, self.clocks.wall())
        for event in self.endpoint.broken(data, code, reason, source, local):
            self._take(event, now)

    def _take(self, event: sip.Event, now: float) -> None:
        try:
            if type(event) is sip.Response and callable(event.token):
                event.token(event, now)
            elif not self._dialogue.take(event, now):
                self._outside.take(event, now)
        except Exception:
            self._mistake("act on %s", type(event).__name__)

    def _mistake(self, what: str, *about: object) -> None:
        self.counters.add("internal_errors")
        log.exception(f"cannot {what}", *about)

    def tick(self, now: float) -> None:
        """Once a second: media time-outs, heart-beats, bindings that ran out."""
        for part in (self.media.tick, self._beat, self.traces.tick):
            self._guarded(part, now)
        self.counters.values["sip_withheld"] = self.endpoint.withheld
        self.settle()

    def _beat(self, now: float) -> None:
        wall = self.clocks.wall()
        self.records.beat(self.calls, now, wall)
        self.configuration.expire(wall)

    # what comes back from below

    def _stored(self, live: LiveCall, error: str | None) -> None:
        self.calls.happen(live, Stored(error), self.clocks.now())
        if error is not None:
            self.counters.add("records_refused")
        elif live.call.state == "connected":
            self.counters.answered(live.caller.party, live.route_party)
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

    def leave(self) -> None:
        """Take every registration of ours with vendors back, for good."""
        self.outward.close(self.clocks.mono())
        self.settle()

    def hangup(self, id_: str) -> bool:
        """The operator ends one call; False when there is none with this id."""
        ended = self.calls.hangup(id_)
        self.settle()
        return ended
