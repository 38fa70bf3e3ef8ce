# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP events of call legs: each becomes a happening of its call, or passes to the other leg."""

from __future__ import annotations

from collections.abc import Callable

from vosd.engine.calls import Calls
from vosd.engine.clocks import Clocks
from vosd.engine.health import Health
from vosd.engine.live import LiveCall, Renegotiation
from vosd.engine.relaying import Relaying
from vosd.sdp.session import SdpError
from vosd.sip import events as sip
from vosd.sip.dialog import Dialog
from vosd.sip.endpoint import Endpoint
from vosd.switch.clock import Clock
from vosd.switch.events import (
    Answer,
    Fail,
    GiveUp,
    Hangup,
    Leg,
    LegLost,
    Order,
    Proceeding,
    Ring,
    Unconfirmed,
)

#: codes with which a peer says it does not know the dialog (RFC 3261 12.2.1.2)
_GONE = (408, 481)


class Dialogue:
    """Feeds `Calls` from the endpoint's events; re-INVITE and INFO pass from leg to leg."""

    def __init__(
        self,
        endpoint: Endpoint,
        calls: Calls,
        relaying: Relaying,
        health: Health,
        clocks: Clocks,
    ) -> None:
        self._endpoint = endpoint
        self._calls = calls
        self._relaying = relaying
        self._health = health
        self._clocks = clocks
        self._by_event: dict[type[sip.Event], Callable[..., None]] = {
            sip.Trying: self._trying,
            sip.Progress: self._progress,
            sip.Answered: self._answered,
            sip.Failed: self._failed,
            sip.Cancelled: self._cancelled,
            sip.Acked: self._acked,
            sip.AckLost: self._ack_lost,
            sip.Ended: self._ended,
            sip.Reinvited: self._reinvited,
            sip.ReinviteAnswered: self._reinvite_answered,
            sip.ReinviteFailed: self._reinvite_failed,
            sip.DialogRequest: self._request,
        }

    def take(self, event: sip.Event, now: float) -> bool:
        """Handle one event; False when it is not about a call."""
        handler = self._by_event.get(type(event))
        if handler is None:
            return False
        dialog: Dialog = event.dialog  # type: ignore[attr-defined]
        live = dialog.owner
        if isinstance(live, LiveCall):
            leg = live.leg(dialog)
            if leg is not None:
                handler(event, live, leg, self._clocks.at(now))
        return True

    def response(self, event: sip.Response, now: float) -> bool:
        """The outcome of an INFO we passed on; False when it is not ours."""
        if not isinstance(event.token, sip.DialogRequest):
            return False
        self._endpoint.respond(event.token.transaction, event.code, now)
        return True

    def _trying(self, _: sip.Trying, live: LiveCall, leg: Leg, clock: Clock) -> None:
        self._heard_from(live)
        self._calls.happen(live, Proceeding(), clock)

    def _progress(self, event: sip.Progress, live: LiveCall, leg: Leg, clock: Clock) -> None:
        message = live.pending = event.message
        live.b_agent = live.b_agent or message.get("user-agent") or message.get("server") or ""
        self._heard_from(live)
        self._calls.happen(live, Ring(message.code, bool(message.body)), clock)

    def _answered(self, event: sip.Answered, live: LiveCall, leg: Leg, clock: Clock) -> None:
        message = event.message
        live.b_agent = message.get("user-agent") or message.get("server") or live.b_agent
        self._heard_from(live)
        try:
            live.shown = self._relaying.pass_on(live, "b", message.body, clock.mono)
        except SdpError:
            self._calls.happen(live, Order("codec_mismatch"), clock)
            return
        self._calls.happen(live, Answer(), clock)

    def _failed(self, event: sip.Failed, live: LiveCall, leg: Leg, clock: Clock) -> None:
        live.b = None
        if event.cause == "response":
            self._heard_from(live)
        else:
            self._calls.silent(live, f"INVITE: no answer ({event.cause})")
        self._calls.happen(live, Fail(event.code, event.cause == "response"), clock)

    def _heard_from(self, live: LiveCall) -> None:
        route = live.call.route
        if route is not None and route.gateway is not None:
            self._health.heard(route.party)

    def _cancelled(self, _: sip.Cancelled, live: LiveCall, leg: Leg, clock: Clock) -> None:
        if live.call.state == "connected":
            self._reinvite_cancelled(live, leg, clock)
            return
        live.a = None
        self._calls.happen(live, GiveUp(), clock)

    def _reinvite_cancelled(self, live: LiveCall, leg: Leg, clock: Clock) -> None:
        """What `leg` offered is off; the other side is put back should it still accept."""
        change = live.renegotiation
        if change is not None and change.asker == leg:
            change.asker = None
            self._restore(live, change, clock)

    def _acked(self, event: sip.Acked, live: LiveCall, leg: Leg, clock: Clock) -> None:
        """The call stands for both sides: from here silence counts. The ACK's body may answer an
        offer made in the 2xx (RFC 3261 13.2.1)."""
        if not live.acked:
            live.acked = True
            live.media.expect(clock.mono)
        other = live.other(leg)
        if other is None or not live.confirming:
            return
        live.confirming = False
        try:
            body = self._relaying.pass_on(live, leg, event.message.body, clock.mono)
        except SdpError:
            body = b""
        self._endpoint.acknowledge(other, clock.mono, body=body)

    def _ack_lost(self, _: sip.AckLost, live: LiveCall, leg: Leg, clock: Clock) -> None:
        self._calls.happen(live, Unconfirmed(), clock)

    def _ended(self, _: sip.Ended, live: LiveCall, leg: Leg, clock: Clock) -> None:
        if leg == "a":
            live.a = None
            self._calls.happen(live, Hangup(leg), clock)
            return
        live.b = None
        # b gave up waiting for an ACK that had to come from a (offer in the answer)
        unconfirmed = live.confirming and not live.acked
        self._calls.happen(live, Unconfirmed() if unconfirmed else Hangup(leg), clock)

    def _reinvited(self, event: sip.Reinvited, live: LiveCall, leg: Leg, clock: Clock) -> None:
        other = live.other(leg)
        busy = live.confirming or live.renegotiation is not None
        if live.call.state != "connected" or other is None or busy:
            self._endpoint.reject(event.dialog, 491, clock.mono)
            return
        change = Renegotiation(leg, bool(event.message.body), live.standing())
        try:
            body = self._relaying.pass_on(live, leg, event.message.body, clock.mono)
        except SdpError:
            self._restore(live, change, clock)
            self._endpoint.reject(event.dialog, 488, clock.mono)
            return
        live.renegotiation = change
        self._endpoint.reinvite(other, clock.mono, body=body)

    def _reinvite_answered(
        self, event: sip.ReinviteAnswered, live: LiveCall, leg: Leg, clock: Clock
    ) -> None:
        change, live.renegotiation = live.renegotiation, None
        asker = live.dialog(change.asker) if change is not None and change.asker else None
        if change is None or asker is None:
            self._endpoint.acknowledge(event.dialog, clock.mono)
            if change is not None and not change.restoring:
                self._put_back(live, leg, change, clock)
            return
        try:
            body = self._relaying.pass_on(live, leg, event.message.body, clock.mono)
        except SdpError:
            self._endpoint.acknowledge(event.dialog, clock.mono)
            self._endpoint.reject(asker, 488, clock.mono)
            self._restore(live, change, clock)
            self._put_back(live, leg, change, clock)
            return
        if change.offered:
            self._endpoint.acknowledge(event.dialog, clock.mono)
        else:
            live.confirming = True
        self._endpoint.accept(asker, clock.mono, body=body)

    def _reinvite_failed(
        self, event: sip.ReinviteFailed, live: LiveCall, leg: Leg, clock: Clock
    ) -> None:
        change, live.renegotiation = live.renegotiation, None
        asker = live.dialog(change.asker) if change is not None and change.asker else None
        if asker is not None:
            self._endpoint.reject(asker, event.code, clock.mono)
        if event.code in _GONE:
            self._calls.happen(live, LegLost(leg), clock)
        elif change is not None:
            self._restore(live, change, clock)

    def _restore(self, live: LiveCall, change: Renegotiation, clock: Clock) -> None:
        for leg, body in change.standing.items():
            dialog = live.dialog(leg)
            if dialog is not None and body != live.media.leg(leg).body:
                live.media.restore(leg, body, dialog.remote[0], clock.mono)

    def _put_back(self, live: LiveCall, leg: Leg, change: Renegotiation, clock: Clock) -> None:
        """`leg` accepted what nobody wants any more: offer it again what stood."""
        dialog = live.dialog(leg)
        said = change.standing["b" if leg == "a" else "a"]
        if dialog is None or not said:
            return
        body = live.media.for_leg(leg, said, clock.mono)
        live.renegotiation = Renegotiation(None, True, change.standing, restoring=True)
        self._endpoint.reinvite(dialog, clock.mono, body=body)

    def _request(self, event: sip.DialogRequest, live: LiveCall, leg: Leg, clock: Clock) -> None:
        """INFO passes to the other side (DTMF, RFC 6086); OPTIONS is ours; nothing else is."""
        message = event.message
        other = live.other(leg)
        if message.method == "OPTIONS":
            self._endpoint.respond(event.transaction, 200, clock.mono)
        elif message.method == "INFO" and other is not None and live.call.state == "connected":
            self._endpoint.request(
                other,
                "INFO",
                clock.mono,
                token=event,
                body=message.body,
                content_type=message.get("content-type") or "",
            )
        else:
            self._endpoint.respond(event.transaction, 405, clock.mono, headers=(("Allow", ALLOW),))


ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO"
