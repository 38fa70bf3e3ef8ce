# SPDX-License-Identifier: GPL-2.0-or-later
"""Sole owner of live calls: events in, the switch's steps taken, deadlines kept.

A call is indexed by its id and counted per gateway and phone by membership, never by a number
that could drift.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from vosd.engine import evidence
from vosd.engine.clocks import Clocks
from vosd.engine.configuration import Configuration
from vosd.engine.counters import Counters
from vosd.engine.lines import Chance
from vosd.engine.live import Caller, LiveCall
from vosd.engine.perform import Performer
from vosd.engine.policies import policy
from vosd.engine.records import Records
from vosd.engine.settings import Settings, Snapshot
from vosd.sip.dialog import Dialog
from vosd.sip.message import Message
from vosd.switch import leg as legs
from vosd.switch import limits, routing, screening
from vosd.switch.call import INFINITE, Call, Desk, Policy, step
from vosd.switch.clock import Clock
from vosd.switch.events import Dial, Expired, Happening, Order, Route, Try
from vosd.wire.records import CallView


class Calls:
    """Every call the switch carries now."""

    def __init__(
        self,
        configuration: Configuration,
        settings: Settings,
        records: Records,
        counters: Counters,
        chance: Chance,
        clocks: Clocks,
    ) -> None:
        self._configuration = configuration
        self._settings = settings
        self._records = records
        self._counters = counters
        self._chance = chance
        self._clocks = clocks
        #: set once, after both exist
        self.performer: Performer
        #: new calls are refused with this reason while not None
        self.refusing: str | None = None
        self._live: dict[str, LiveCall] = {}
        self._parties: dict[str, set[str]] = {}
        self._deadlines: list[tuple[float, str]] = []
        self._starts = limits.StartRate()
        self._policies: dict[str, Policy] = {}
        self._desk = Desk(self._screen, self._routes, self._policy, self._media_flows)
        self.reconfigure(settings.snapshot)

    def reconfigure(self, snapshot: Snapshot) -> None:
        """Parameters or gateways changed: calls from now on follow."""
        self._policies = {}
        limit = snapshot.get("SS_MAX_CPS")
        self._starts.resize(int(limit) if isinstance(limit, int | float) else 0)

    def begin(self, dialog: Dialog, message: Message, caller: Caller, now: float) -> None:
        """A caller who was let in asks for a number."""
        clock = self._clocks.at(now)
        number, display = legs.caller_of(message)
        call = Call(
            id=f"{self._chance.getrandbits(64):016x}",
            caller=number or (caller.phone.number if caller.phone else ""),
            callee=legs.callee_of(message),
            source=caller.name,
            source_kind="phone" if caller.phone is not None else "mapping",
            started_at=clock.wall,
            began=now,
        )
        live = LiveCall(call, caller, dialog, message)
        live.display = display
        dialog.owner = live
        self._live[call.id] = live
        self._counters.add("call_attempts")
        self.happen(live, Try(), clock)

    def happen(self, live: LiveCall, happening: Happening, clock: Clock) -> None:
        """Take the call one step on, and each step that follows from carrying it out."""
        waiting = [happening]
        while waiting:
            for action in step(live.call, waiting.pop(0), self._desk, clock):
                if type(action) is Dial:
                    self._join(action.route.party, live)
                outcome = self.performer.perform(live, action, clock)
                if outcome is not None:
                    waiting.append(outcome)
        deadline = live.call.deadline
        if deadline != live.armed and deadline != INFINITE:
            live.armed = deadline
            heapq.heappush(self._deadlines, (deadline, live.call.id))

    def _join(self, party: str, live: LiveCall) -> None:
        self._parties.setdefault(party, set()).add(live.call.id)

    def finished(self, live: LiveCall) -> None:
        """The performer closed a call."""
        call = live.call
        self._live.pop(call.id, None)
        for party in {
            call.source,
            *(t.party for t in call.tried),
            call.route.party if call.route else "",
        }:
            members = self._parties.get(party)
            if members is not None:
                members.discard(call.id)
                if not members:
                    del self._parties[party]
        if call.answered_at is None:
            self._counters.add("calls_failed" if call.route else "calls_refused")
        if call.reason == "media_timeout":
            self._counters.add("rtp_timeouts")

    # what `switch.call` asks

    def _screen(self, call: Call, clock: Clock) -> str | None:
        live = self._live[call.id]
        if self.refusing is not None:
            return self.refusing
        if not live.caller.enabled:
            return "caller_disabled"
        if not self._records.accepting:
            self._counters.add("records_refused")
            return "record_unavailable"
        if screening.screen(call.caller, call.callee, clock.wall, self._configuration.listed):
            return "blacklist"
        if live.caller.phone is not None and call.caller != live.caller.name:
            # a phone that shows another number is still the phone the list names
            screened = screening.screen(
                live.caller.name, call.callee, clock.wall, self._configuration.listed
            )
            if screened:
                return "blacklist"
        capacity = live.caller.gateway.capacity if live.caller.gateway is not None else 0
        refusal = limits.refusal(capacity, self.party_calls(call.source), self._starts, clock.mono)
        if refusal is None:
            self._join(call.source, live)
        return refusal

    def _routes(self, call: Call) -> Sequence[Route] | str:
        phone = self._configuration.phones.get(call.callee)
        if phone is not None:
            if not phone.enabled:
                return "callee_unavailable"
            contacts = self._configuration.contacts(call.callee, call.started_at)
            found = [Route(call.callee, contact=contact) for contact in contacts]
            return found or "callee_not_registered"
        index = self._configuration.routes
        gateways = routing.routes(call.callee, index, self.party_calls)
        if not gateways:
            return "route_capacity" if index.serves(call.callee) else "route_not_found"
        return [Route(gateway.name, gateway=gateway) for gateway in gateways]

    def _policy(self, route: Route) -> Policy:
        found = self._policies.get(route.party)
        if found is None:
            overrides = route.gateway.overrides if route.gateway is not None else {}
            found = self._policies[route.party] = policy(self._settings.snapshot, overrides)
        return found

    def _media_flows(self, call: Call) -> bool:
        live = self._live[call.id]
        side = live.media.side("b")
        return side is not None and side.received().packets > 0

    # time

    def deadline(self) -> float:
        """When `due` wants to run; infinite when nothing waits."""
        return self._deadlines[0][0] if self._deadlines else INFINITE

    def due(self, now: float) -> None:
        """Let waits run out."""
        while self._deadlines and self._deadlines[0][0] <= now:
            _, id_ = heapq.heappop(self._deadlines)
            live = self._live.get(id_)
            if live is not None and live.call.deadline <= now:
                self.happen(live, Expired(live.call.wait), self._clocks.at(now))

    # what handlers and the node ask

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(list(self._live.values()))

    def get(self, id_: str) -> LiveCall | None:
        """The live call with exactly this id."""
        return self._live.get(id_)

    def views(self) -> list[CallView]:
        """Every live call, oldest first."""
        clock = self._clocks.now()
        return [evidence.view(live, clock) for live in self]

    def view(self, id_: str) -> CallView | None:
        """One call by its id or the start of it; LookupError when several begin so."""
        live = self._find(id_)
        if live is None:
            return None
        return evidence.view(live, self._clocks.now())

    def _find(self, id_: str) -> LiveCall | None:
        found = [live for key, live in self._live.items() if key.startswith(id_)]
        if len(found) > 1:
            raise LookupError(f"cannot tell which call {id_!r} is: {len(found)} calls begin so")
        return found[0] if found else None

    def hangup(self, id_: str, reason: str = "forced") -> bool:
        """End one call; False when there is none with this id."""
        live = self._find(id_)
        if live is None:
            return False
        self.happen(live, Order(reason), self._clocks.now())
        return True

    def party_calls(self, name: str) -> int:
        """Calls of a gateway or phone now, as either side."""
        return len(self._parties.get(name, ()))

    gateway_calls = phone_calls = party_calls
