# SPDX-License-Identifier: GPL-2.0-or-later
"""Offers inside a call: a re-INVITE or UPDATE of one leg becomes a re-INVITE on the other.

One offer at a time is between the two sides. A re-INVITE that changes nothing is a session
refresh: it is answered here and the other side never hears of it (RFC 4028 7.4).
"""

from __future__ import annotations

from vosd.engine.lines import Chance
from vosd.engine.live import LiveCall, Renegotiation
from vosd.engine.mediation import audio_of
from vosd.engine.relaying import Relaying
from vosd.engine.sessions import Sessions
from vosd.sdp.session import SdpError
from vosd.sip import events as sip
from vosd.sip.dialog import Dialog
from vosd.sip.endpoint import Endpoint
from vosd.sip.session_timer import Fields
from vosd.switch.clock import Clock
from vosd.switch.events import Leg


class Offers:
    """What one side offers, shown to the other; what that answers, shown to the first."""

    def __init__(
        self, endpoint: Endpoint, relaying: Relaying, sessions: Sessions, chance: Chance
    ) -> None:
        self._endpoint = endpoint
        self._relaying = relaying
        self._sessions = sessions
        self._chance = chance

    # what a side offers

    def reinvited(self, event: sip.Reinvited, live: LiveCall, leg: Leg, clock: Clock) -> None:
        """A re-INVITE."""
        dialog, message = event.dialog, event.message
        least = self._sessions.too_small(message)
        if live.call.state != "connected" or live.busy:
            self._sessions.deny(dialog, message, 491, clock)
            self._endpoint.reject(dialog, 491, clock.mono)
        elif least:
            self._sessions.deny(dialog, message, 422, clock)
            self._endpoint.reject(dialog, 422, clock.mono, headers=least)
        elif _same(message.body, live.media.leg(leg).body):
            body = live.media.for_leg(leg, _said(live, leg), clock.mono)
            headers = self._sessions.accept(live, dialog, message, clock)
            self._endpoint.accept(dialog, clock.mono, body=body, headers=headers)
        else:
            self._pass(event, live, leg, clock)

    def update(self, event: sip.DialogRequest, live: LiveCall, leg: Leg, clock: Clock) -> None:
        """An UPDATE; without a body it only refreshes the session (RFC 3311 5.2, RFC 4028 7.4)."""
        dialog, message = event.dialog, event.message
        least = self._sessions.too_small(message)
        if least:
            self._sessions.deny(dialog, message, 422, clock)
            self._respond(event, 422, clock, least)
        elif not message.body:
            connected = live.call.state == "connected"
            headers = self._sessions.accept(live, dialog, message, clock) if connected else ()
            self._respond(event, 200, clock, headers)
        elif dialog.server is not None or _asks(live, leg):
            # an offer of the peer's is still without its answer
            self._respond(event, 500, clock, self._soon())
        elif dialog.pending is not None or live.busy:
            self._sessions.deny(dialog, message, 491, clock)
            self._respond(event, 491, clock)
        elif live.call.state != "connected":
            self._respond(event, 488, clock)
        else:
            self._pass(event, live, leg, clock)

    def _soon(self) -> Fields:
        """RFC 3311 5.2: a random time of 0 to 10 seconds."""
        return (("Retry-After", str(self._chance.getrandbits(16) % 11)),)

    def _pass(
        self, event: sip.Reinvited | sip.DialogRequest, live: LiveCall, leg: Leg, clock: Clock
    ) -> None:
        other = live.other(leg)
        if other is None:
            self._deny(event, 491, clock)
            return
        if other.session is not None and other.session.reinviting:
            live.deferred = event
            return
        offer = event.message.body
        change = Renegotiation(leg, bool(offer), live.standing(), request=event)
        try:
            body = self._relaying.pass_on(live, leg, offer, clock.mono)
        except SdpError:
            self._restore(live, change, clock)
            self._deny(event, 488, clock)
            return
        self._offer(live, other, change, body, clock)

    def _offer(
        self, live: LiveCall, dialog: Dialog, change: Renegotiation, body: bytes, clock: Clock
    ) -> None:
        live.renegotiation = change
        headers = self._sessions.asking(dialog)
        self._endpoint.reinvite(dialog, clock.mono, body=body, headers=headers)

    def _resume(self, live: LiveCall, clock: Clock) -> None:
        """The refresh an offer waited for is answered."""
        event, live.deferred = live.deferred, None
        leg = live.leg(event.dialog) if event is not None else None
        if event is not None and leg is not None and live.call.state == "connected":
            self._pass(event, live, leg, clock)

    def cancelled(self, live: LiveCall, leg: Leg, clock: Clock) -> None:
        """What `leg` offered is off; the other side is put back should it still accept."""
        if live.deferred is not None and live.leg(live.deferred.dialog) == leg:
            live.deferred = None
        change = live.renegotiation
        if change is not None and change.asker == leg:
            change.asker = None
            self._restore(live, change, clock)

    # what the other side says to it

    def answered(
        self, event: sip.ReinviteAnswered, live: LiveCall, leg: Leg, clock: Clock
    ) -> None:
        """A 2xx to a re-INVITE of ours."""
        dialog, message = event.dialog, event.message
        refresh = dialog.session is not None and dialog.session.reinviting
        self._sessions.answered(live, dialog, message, clock)
        if refresh:
            self._refreshed(live, leg, dialog, message.body, clock)
            return
        change, live.renegotiation = live.renegotiation, None
        request = change.request if change is not None and change.asker else None
        if change is None or request is None:
            self._endpoint.acknowledge(dialog, clock.mono)
            if change is not None and not change.restoring:
                self._put_back(live, leg, change, clock)
            return
        try:
            body = self._relaying.pass_on(live, leg, message.body, clock.mono)
        except SdpError:
            self._endpoint.acknowledge(dialog, clock.mono)
            self._deny(request, 488, clock)
            self._restore(live, change, clock)
            self._put_back(live, leg, change, clock)
            return
        if change.offered:
            self._endpoint.acknowledge(dialog, clock.mono)
        else:
            live.confirming = True
        self._grant(live, request, body, clock)

    def _refreshed(
        self, live: LiveCall, leg: Leg, dialog: Dialog, body: bytes, clock: Clock
    ) -> None:
        """A refresh of ours was granted; a peer that moved its media meanwhile says so here."""
        self._endpoint.acknowledge(dialog, clock.mono)
        other = live.other(leg)
        if other is not None and not live.busy and _moved(body, live.media.leg(leg).body):
            change = Renegotiation(None, True, live.standing(), restoring=True)
            try:
                shown = self._relaying.pass_on(live, leg, body, clock.mono)
            except SdpError:
                self._restore(live, change, clock)
            else:
                self._offer(live, other, change, shown, clock)
        self._resume(live, clock)

    def failed(self, event: sip.ReinviteFailed, live: LiveCall, leg: Leg, clock: Clock) -> bool:
        """A re-INVITE of ours was refused or lost; True when the session goes on as it was."""
        dialog, message = event.dialog, event.message
        if dialog.session is not None and dialog.session.reinviting:
            self._sessions.failed(live, dialog, event.code, message, event.cause, clock)
            self._resume(live, clock)
            return True
        self._sessions.refused(dialog, event, clock)
        change, live.renegotiation = live.renegotiation, None
        if change is not None and change.asker and change.request is not None:
            later = message.get("retry-after") if message is not None else None
            headers = (("Retry-After", later),) if later is not None else ()
            self._deny(change.request, event.code, clock, headers)
        if event.code in GONE:
            return False
        if change is not None:
            self._restore(live, change, clock)
        return True

    # answers to who asked

    def _grant(
        self, live: LiveCall, request: sip.Reinvited | sip.DialogRequest, body: bytes, clock: Clock
    ) -> None:
        headers = self._sessions.accept(live, request.dialog, request.message, clock)
        if isinstance(request, sip.Reinvited):
            self._endpoint.accept(request.dialog, clock.mono, body=body, headers=headers)
        else:
            self._respond(request, 200, clock, headers, body)

    def _deny(
        self, request: sip.Reinvited | sip.DialogRequest, code: int, clock: Clock,
        headers: Fields = (),
    ) -> None:  # fmt: skip
        if isinstance(request, sip.Reinvited):
            self._endpoint.reject(request.dialog, code, clock.mono, headers=headers)
        else:
            self._respond(request, code, clock, headers)

    def _respond(
        self, request: sip.DialogRequest, code: int, clock: Clock, headers: Fields = (),
        body: bytes = b"",
    ) -> None:  # fmt: skip
        self._endpoint.respond(
            request.transaction, code, clock.mono, headers=headers, body=body
        )

    # putting things back

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
        back = Renegotiation(None, True, change.standing, restoring=True)
        self._offer(live, dialog, back, body, clock)


#: codes with which a peer says it does not know the dialog (RFC 3261 12.2.1.2)
GONE = (408, 481)


def _said(live: LiveCall, leg: Leg) -> bytes:
    """What the side across from `leg` last said."""
    return live.media.leg("b" if leg == "a" else "a").body


def _asks(live: LiveCall, leg: Leg) -> bool:
    """Whether an offer of `leg` is under way to the other side."""
    change, deferred = live.renegotiation, live.deferred
    return (change is not None and change.asker == leg) or (
        deferred is not None and live.leg(deferred.dialog) == leg
    )


def _same(body: bytes, known: bytes) -> bool:
    """Whether two descriptions say the same; a new o= version alone is no news."""
    return bool(body) and _without_origin(body) == _without_origin(known)


def _without_origin(body: bytes) -> list[bytes]:
    return [line for line in body.splitlines() if not line.startswith(b"o=")]


def _moved(body: bytes, known: bytes) -> bool:
    """Whether an answer names another place or direction for audio than was known."""
    now, then = audio_of(body), audio_of(known)
    return now is not None and then is not None and (
        (now.address, now.port, now.direction) != (then.address, then.port, then.direction)
    )
