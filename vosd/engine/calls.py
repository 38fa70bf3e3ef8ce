# SPDX-License-Identifier: GPL-2.0-or-later
"""Sole owner of live calls: events in, the switch's steps taken, deadlines kept.

A call is indexed by its id and counted per gateway and phone by membership, never by a number
that could drift.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

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
from vosd.switch import limits, loops, routing, screening
from vosd.switch.call import INFINITE, Call, Desk, Policy, step
from vosd.switch.clock import Clock
from vosd.switch.events import Dial, Expired, Happening, Order, Route, Try
from vosd.wire.records import CallView

if TYPE_CHECKING:
    from vosd.engine.sessions import Sessions
    from vosd.engine.traces import Traces

#: left behind by calls that ended, this many deadlines are not worth clearing away
_SPARE_DEADLINES = 4096

#: characters kept of what a stranger wrote
_SHOWN = 64

log = logging.getLogger("vosd.calls")


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
        on_silence: Callable[[str, str], None],
    ) -> None:
        """`on_silence(gateway, note)` is told of a gateway that did not answer."""
        self._configuration = configuration
        self._settings = settings
        self._records = records
        self._counters = counters
        self._chance = chance
        self._clocks = clocks
        self._on_silence = on_silence
        #: set once, after they exist
        self.performer: Performer
        self.sessions: Sessions
        self.traces: Traces
        #: new calls are refused with this reason while not None
        self.refusing: str | None = None
        self._live: dict[str, LiveCall] = {}
        #: ids of the calls from and to a party, by (kind, name)
        self._from: dict[tuple[str, str], set[str]] = {}
        self._to: dict[tuple[str, str], set[str]] = {}
        self._deadlines: list[tuple[float, str]] = []
        self._starts = limits.StartRate()
        #: this switch in the trail of the calls that passed it
        self.node = loops.node(f"{chance.getrandbits(64):x}")
        self._policies: dict[str, Policy] = {}
        self._desk = Desk(
            self._screen, self._routes, self._policy, self._usable, self._media_flows
        )
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
            # a phone is its number, whatever its From says: that is what lists and vendors see
            caller=caller.phone.number if caller.phone is not None else number,
            callee=legs.callee_of(message, caller.account),
            source=caller.name,
            source_kind=caller.kind,
            started_at=clock.wall,
        )
        live = LiveCall(call, caller, dialog, message, self.sessions.terms)
        live.display = (caller.phone.display if caller.phone is not None else "") or display
        dialog.owner = live
        dialog.pinned = caller.nat
        self._live[call.id] = live
        self._counters.add("call_attempts")
        self._counters.attempt(caller.party, "in")
        self.traces.joined(live)
        self.happen(live, Try(), clock)

    def turned_away(
        self, dialog: Dialog, message: Message, claimed: Caller, reason: str, clock: Clock
    ) -> None:
        """Record an INVITE that was refused already, of a sender who proved where he is and not
        who: `claimed` is whom he names, with the name "" when there is nobody of that name."""
        number, _ = legs.caller_of(message)
        call = Call(
            id=f"{self._chance.getrandbits(64):016x}",
            caller=number[:_SHOWN],
            callee=legs.callee_of(message)[:_SHOWN],
            source=claimed.name,
            source_kind=claimed.kind,
            started_at=clock.wall,
        )
        live = LiveCall(call, claimed, dialog, message, self.sessions.terms)
        live.a = None
        live.a_agent = live.a_agent[:_SHOWN]
        self._live[call.id] = live
        self.happen(live, Order(reason), clock)

    def happen(self, live: LiveCall, happening: Happening, clock: Clock) -> None:
        """Take the call one step on, and each step that follows from carrying it out.

        A mistake of ours ends this call and no other.
        """
        try:
            self._advance(live, happening, clock)
        except Exception:
            log.exception("cannot go on with call %s", live.call.id)
            self._give_up(live, clock)
        self._arm(live)

    def wake(self, live: LiveCall, when: float) -> None:
        """Look at the call's session timers at `when`, and no longer at the time said before."""
        live.wakes_at = when
        self._arm(live)

    def _arm(self, live: LiveCall) -> None:
        """See that the call is looked at in time; when it is, and has longer, it is armed anew."""
        when = min(live.call.deadline, live.wakes_at)
        if when >= live.armed:
            return
        live.armed = when
        if len(self._deadlines) > _SPARE_DEADLINES + 4 * len(self._live):
            # calls that ended leave theirs behind
            self._deadlines = [entry for entry in self._deadlines if entry[1] in self._live]
            heapq.heapify(self._deadlines)
        heapq.heappush(self._deadlines, (when, live.call.id))

    def _advance(self, live: LiveCall, happening: Happening, clock: Clock) -> None:
        waiting = [happening]
        while waiting:
            for action in step(live.call, waiting.pop(0), self._desk, clock):
                if type(action) is Dial:
                    self._route_to(live, action.route)
                outcome = self.performer.perform(live, action, clock)
                if type(action) is Dial:
                    self.traces.joined(live)
                if outcome is not None:
                    waiting.append(outcome)

    def _give_up(self, live: LiveCall, clock: Clock) -> None:
        try:
            self._advance(live, Order("internal_error"), clock)
        except Exception:
            log.exception("cannot end call %s in order", live.call.id)
        if live.call.id in self._live:
            try:
                if live.call.ended_at is not None:
                    self.performer.write(live, clock)
            finally:
                self.finished(live)
            live.media.close(clock.mono)

    def _route_to(self, live: LiveCall, route: Route) -> None:
        """The call counts at the party it is sent to now, and no longer at the one before."""
        self._leave(self._to, live.route_party, live)
        live.route_party = _party(route)
        self._counters.attempt(live.route_party, "out")
        self._to.setdefault(live.route_party, set()).add(live.call.id)

    def _leave(
        self,
        parties: dict[tuple[str, str], set[str]],
        party: tuple[str, str] | None,
        live: LiveCall,
    ) -> None:
        members = parties.get(party) if party is not None else None
        if members is not None and party is not None:
            members.discard(live.call.id)
            if not members:
                del parties[party]

    def finished(self, live: LiveCall) -> None:
        """The performer closed a call."""
        call = live.call
        self._live.pop(call.id, None)
        live.wakes_at = INFINITE
        self._leave(self._from, live.caller.party, live)
        self._leave(self._to, live.route_party, live)
        self._counters.ended(call)
        if live.media.session is not None:
            for side in (live.media.session.a, live.media.session.b):
                self._counters.stream(side.received(), side.sent())
        # dialogs know their call: what knows them back would wait for the collector, which is rare
        live.a_dialog = live.b_dialog = None
        if call.answered_at is None:
            self._counters.add("calls_failed" if call.route else "calls_refused")
        if call.reason == "media_timeout":
            self._counters.add("rtp_timeouts")

    def silent(self, live: LiveCall, note: str) -> None:
        """The gateway a call was sent to did not answer."""
        route = live.call.route
        if route is not None and route.gateway is not None:
            self._on_silence(route.party, note)

    # what `switch.call` asks

    def _screen(self, call: Call, clock: Clock) -> str | None:
        live = self._live[call.id]
        if self.refusing is not None:
            return self.refusing
        if not live.caller.enabled:
            return "caller_disabled"
        if live.invite is not None and loops.looped(live.invite, self.node, call.callee):
            return "loop_detected"
        if not self._records.accepting:
            self._counters.add("records_refused")
            return "record_unavailable"
        if screening.screen(call.caller, call.callee, clock.wall, self._configuration.listed):
            return "blacklist"
        party = live.caller.party
        capacity = live.caller.gateway.capacity if live.caller.gateway is not None else 0
        carried = len(self._from.get(party, ()))
        refusal = limits.refusal(capacity, carried, self._starts, clock.mono)
        if refusal is None:
            self._from.setdefault(party, set()).add(call.id)
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
        gateways = routing.routes(call.callee, index, self._routed)
        if not gateways:
            return "route_capacity" if index.serves(call.callee) else "route_not_found"
        return [
            Route(gateway.name, gateway=gateway, address=address)
            for gateway in gateways
            for address in self._configuration.ways(gateway, self._chance)
        ]

    def _usable(self, route: Route) -> bool:
        if route.gateway is None:
            return True
        gateway = self._configuration.gateways.get(route.party)
        if gateway is None or not gateway.enabled:
            return False
        return not limits.full(gateway.capacity, self._routed(route.party))

    def _routed(self, gateway: str) -> int:
        return len(self._to.get(("gateway", gateway), ()))

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
            when, id_ = heapq.heappop(self._deadlines)
            live = self._live.get(id_)
            if live is None or live.armed != when:
                continue
            live.armed = INFINITE
            if live.call.deadline <= now:
                if live.call.wait == "invite":
                    self.silent(live, "no answer to INVITE")
                self.happen(live, Expired(live.call.wait), self._clocks.at(now))
            elif live.wakes_at <= now:
                self._look(live, self._clocks.at(now))
            else:
                self._arm(live)

    def _look(self, live: LiveCall, clock: Clock) -> None:
        try:
            self.sessions.due(live, clock)
        except Exception:
            log.exception("cannot keep the session of call %s", live.call.id)
            self._give_up(live, clock)

    # what handlers and the node ask

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(list(self._live.values()))

    def get(self, id_: str) -> LiveCall | None:
        """The live call with exactly this id."""
        return self._live.get(id_)

    def views(self, party: str | None = None) -> Iterator[CallView]:
        """Live calls, of one party or of all, oldest first; each is looked at when it is taken."""
        for live in self:
            route = live.call.route
            if party in (None, live.call.source, route.party if route else None):
                yield evidence.view(live, self._clocks.now())

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

    def gateway_calls(self, name: str) -> int:
        """Calls of a gateway now, from it or to it."""
        return self._carried(("gateway", name))

    def phone_calls(self, number: str) -> int:
        """Calls of a phone now, from it or to it."""
        return self._carried(("phone", number))

    def _carried(self, party: tuple[str, str]) -> int:
        return len(self._from.get(party, ())) + len(self._to.get(party, ()))


def _party(route: Route) -> tuple[str, str]:
    return ("phone" if route.contact is not None else "gateway"), route.party
