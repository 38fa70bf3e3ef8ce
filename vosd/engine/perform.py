# SPDX-License-Identifier: GPL-2.0-or-later
"""Carry out what `switch.call.step` decided: SIP out, media opened, records written.

Nothing is decided here. What cannot be done comes back as a happening for the next step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from vosd.engine import evidence
from vosd.engine.lines import Lines
from vosd.engine.live import LiveCall, endpoint_text
from vosd.engine.records import Records
from vosd.engine.relaying import Relaying
from vosd.engine.sessions import Sessions
from vosd.engine.settings import Settings
from vosd.sdp.session import SdpError
from vosd.sip.endpoint import Endpoint
from vosd.sip.message import Message
from vosd.sip.reliable import TAG, asked
from vosd.switch import leg as legs
from vosd.switch import loops
from vosd.switch.clock import Clock
from vosd.switch.events import (
    Abandon,
    Action,
    Alert,
    Clear,
    Close,
    Connect,
    Dial,
    Fail,
    Happening,
    Keep,
    Order,
    Refuse,
)
from vosd.switch.reasons import REASONS

log = logging.getLogger("vosd.calls")


class Performer:
    """Hands of the call control; `finished` is told of each closed call."""

    def __init__(
        self,
        endpoint: Endpoint,
        relaying: Relaying,
        records: Records,
        lines: Lines,
        sessions: Sessions,
        node: str,
        settings: Settings,
        finished: Callable[[LiveCall], None],
    ) -> None:
        self._endpoint = endpoint
        self._relaying = relaying
        self._records = records
        self._lines = lines
        self._sessions = sessions
        self._node = node
        self._settings = settings
        self._finished = finished
        self._by_action: dict[type[Action], Callable[..., Happening | None]] = {
            Dial: self._dial,
            Abandon: self._abandon,
            Alert: self._alert,
            Keep: self._keep,
            Connect: self._connect,
            Refuse: self._refuse,
            Clear: self._clear,
            Close: self._close,
        }

    def perform(self, live: LiveCall, action: Action, clock: Clock) -> Happening | None:
        """Do one action; a happening when it could not be done."""
        return self._by_action[type(action)](live, action, clock)

    def _dial(self, live: LiveCall, dial: Dial, clock: Clock) -> Happening | None:
        route = dial.route
        line = self._lines.line(route)
        if line is None or live.invite is None:
            return Fail(503, False)
        invite = live.invite
        try:
            refusal = self._relaying.prepare(live, route, line, clock.mono)
            if refusal is not None:
                return Order(refusal)
            body = live.media.for_leg("b", invite.body, clock.mono)
        except SdpError:
            return Order("codec_mismatch")
        passed = legs.passed(invite) if live.caller.gateway is not None else ()
        offered = _OFFERED if live.call.policy.reliable and body else ()
        trail = loops.trail(invite, self._node, live.call.callee)
        setup = legs.dial(
            route,
            caller=live.call.caller,
            display=live.display,
            callee=live.call.callee,
            here=line.here,
            destination=line.destination,
            local=line.local,
            headers=(*passed, *live.terms.asking, trail, *offered),
            body=body,
            max_forwards=legs.hops(invite) - 1,
            transport=line.transport,
            flow=line.flow,
        )
        b = self._endpoint.invite(setup, clock.mono)
        b.owner = live
        live.b = live.b_dialog = b
        live.b_call_id = b.call_id
        live.b_signalling = endpoint_text(line.destination)
        live.b_agent = ""
        return None

    def _abandon(self, live: LiveCall, abandon: Abandon, clock: Clock) -> None:
        b, live.b = live.b, None
        live.pending = None
        if b is None:
            return
        headers = legs.reason_header(REASONS[abandon.reason])
        if b.state == "confirmed":
            self._endpoint.bye(b, clock.mono, headers=headers)
        else:
            self._endpoint.cancel(b, clock.mono, headers=headers)

    def _alert(self, live: LiveCall, alert: Alert, clock: Clock) -> Happening | None:
        message = live.pending
        if live.a is None or message is None:
            return None
        try:
            body = self._relaying.pass_on(live, "b", message.body, clock.mono)
        except SdpError:
            body = b""
        invite = live.invite
        reliable = invite is not None and self._reliably(invite, body)
        if reliable and invite is not None and not invite.body:
            body = b""  # it would be an offer, whose answer the PRACK would have to carry
        self._endpoint.ring(live.a, alert.code, clock.mono, body=body, reliable=reliable)
        return None

    def _reliably(self, invite: Message, body: bytes) -> bool:
        """Whether the caller has to acknowledge a provisional answer (RFC 3262 3)."""
        if asked(invite, "require"):
            return True
        wanted = body and self._settings.snapshot.get("SS_SIP_100REL_ACCEPT") == "media"
        return bool(wanted) and asked(invite, "supported")

    def _keep(self, live: LiveCall, _: Keep, clock: Clock) -> None:
        live.stored = True
        self._records.opened(live, evidence.record(live, self._records.node, clock))

    def _connect(self, live: LiveCall, _: Connect, clock: Clock) -> None:
        invite = live.invite
        if live.a is None or live.b is None or invite is None:
            return
        offered = bool(invite.body)
        if offered:
            self._endpoint.acknowledge(live.b, clock.mono)
        live.confirming = not offered
        live.invite = live.pending = None
        headers = self._sessions.begin(live, live.a, invite, clock)
        self._endpoint.accept(live.a, clock.mono, body=live.shown, headers=headers)

    def _refuse(self, live: LiveCall, refuse: Refuse, clock: Clock) -> None:
        a, live.a = live.a, None
        if a is not None:
            headers = legs.reason_header(REASONS[refuse.reason])
            if refuse.reason in _RETRY_LATER:
                headers = (*headers, ("Retry-After", str(self._lines.retry_after())))
            self._endpoint.reject(a, refuse.code, clock.mono, headers=headers)

    def _clear(self, live: LiveCall, clear: Clear, clock: Clock) -> None:
        dialog = live.dialog(clear.leg)
        if dialog is None:
            return
        headers = legs.reason_header(REASONS[clear.reason])
        self._endpoint.bye(dialog, clock.mono, headers=headers)

    def _close(self, live: LiveCall, _: Close, clock: Clock) -> None:
        live.media.close(clock.mono)
        self.write(live, clock)
        live.a = live.b = None
        live.invite = live.pending = None
        self._finished(live)

    def write(self, live: LiveCall, clock: Clock) -> None:
        """The final record of an ended call, where it leaves one."""
        if live.stored or self._records.wanted(live.call):
            record = evidence.record(live, self._records.node, clock)
            self._records.closed(record, _kept(live, clock))


def _kept(live: LiveCall, clock: Clock) -> bytes | None:
    """The evidence; None where a mistake of ours spoils it, which costs no record."""
    try:
        return evidence.keep(live, clock)
    except Exception:
        log.exception("cannot keep the evidence of call %s", live.call.id)
        return None


#: 100rel, for a gateway that shall have it
_OFFERED = (("Supported", TAG),)
#: refusals that pass by themselves
_RETRY_LATER = frozenset(("draining", "record_unavailable", "limit_cps"))
