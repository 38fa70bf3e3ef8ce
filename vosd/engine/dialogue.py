# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP events of call legs: each becomes a happening of its call, or passes to the other leg."""

from __future__ import annotations

from collections.abc import Callable

from vosd.engine.calls import Calls
from vosd.engine.clocks import Clocks
from vosd.engine.health import Health
from vosd.engine.live import LiveCall
from vosd.engine.offers import Offers
from vosd.engine.relaying import Relaying
from vosd.engine.sessions import Sessions
from vosd.engine.settings import Settings
from vosd.sdp.session import SdpError
from vosd.sip import events as sip
from vosd.sip.dialog import Dialog
from vosd.sip.endpoint import Endpoint
from vosd.sip.grammar import METHODS
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


class Dialogue:
    """Feeds `Calls` from the endpoint's events; offers and INFO pass from leg to leg."""

    def __init__(
        self,
        endpoint: Endpoint,
        calls: Calls,
        relaying: Relaying,
        offers: Offers,
        sessions: Sessions,
        health: Health,
        clocks: Clocks,
        settings: Settings,
    ) -> None:
        self._endpoint = endpoint
        self._calls = calls
        self._relaying = relaying
        self._offers = offers
        self._sessions = sessions
        self._health = health
        self._clocks = clocks
        self._settings = settings
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
        """The outcome of a request inside a call; False when it is not about one."""
        if self._sessions.response(event, self._clocks.at(now)):
            return True
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
        self._sessions.heard(event.dialog, message)
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
            self._calls.silent(live, f"no answer to INVITE ({event.cause})")
        self._calls.happen(live, Fail(event.code, event.cause == "response"), clock)

    def _heard_from(self, live: LiveCall) -> None:
        route = live.call.route
        if route is not None and route.gateway is not None:
            self._health.heard(route.party)

    def _cancelled(self, _: sip.Cancelled, live: LiveCall, leg: Leg, clock: Clock) -> None:
        if live.call.state == "connected":
            self._offers.cancelled(live, leg, clock)
            return
        live.a = None
        self._calls.happen(live, GiveUp(), clock)

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

    def _ended(self, event: sip.Ended, live: LiveCall, leg: Leg, clock: Clock) -> None:
        live.farewell = (event.message.get("reason") or "")[:_SHOWN]
        if leg == "a":
            live.a = None
            self._calls.happen(live, Hangup(leg), clock)
            return
        live.b = None
        # b gave up waiting for an ACK that had to come from a (offer in the answer)
        unconfirmed = live.confirming and not live.acked
        self._calls.happen(live, Unconfirmed() if unconfirmed else Hangup(leg), clock)

    def _reinvited(self, event: sip.Reinvited, live: LiveCall, leg: Leg, clock: Clock) -> None:
        self._offers.reinvited(event, live, leg, clock)

    def _reinvite_answered(
        self, event: sip.ReinviteAnswered, live: LiveCall, leg: Leg, clock: Clock
    ) -> None:
        self._offers.answered(event, live, leg, clock)

    def _reinvite_failed(
        self, event: sip.ReinviteFailed, live: LiveCall, leg: Leg, clock: Clock
    ) -> None:
        if not self._offers.failed(event, live, leg, clock):
            self._calls.happen(live, LegLost(leg), clock)

    def _request(self, event: sip.DialogRequest, live: LiveCall, leg: Leg, clock: Clock) -> None:
        """INFO passes to the other side (DTMF, RFC 6086), and so do offers in an UPDATE."""
        message = event.message
        other = live.other(leg)
        if message.method == "OPTIONS":
            self._endpoint.respond(event.transaction, 200, clock.mono)
        elif message.method == "UPDATE":
            self._offers.update(event, live, leg, clock)
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
            code = unserved(message.method)
            if message.method == "REFER":
                code = _REFER[self._settings.snapshot.get("SS_SIP_REFER")]
            self._endpoint.respond(event.transaction, code, clock.mono, headers=(("Allow", ALLOW),))


#: characters kept of what a peer gives as its reason
_SHOWN = 80
#: answers to a transfer request, by what SS_SIP_REFER says
_REFER = {"not_allowed": 405, "decline": 603}


def unserved(method: str) -> int:
    """The answer to a method we do not serve: 405 where we know it, 501 else (RFC 3261 8.2.1)."""
    if method == "NOTIFY":
        return 481  # nobody here subscribed (RFC 6665 4.1.3)
    return 405 if method in METHODS else 501


ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, UPDATE, PRACK"
