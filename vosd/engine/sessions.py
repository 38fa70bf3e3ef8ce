# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps connected calls' sessions alive, and ends those that nobody keeps (RFC 4028).

Each leg has its own agreement (`sip.session_timer`). A leg whose peer knows no session timers is
asked with OPTIONS whether it lives, and its call is cut at a greatest length.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from vosd.engine.lines import Chance
from vosd.engine.live import LiveCall
from vosd.engine.policies import session_terms
from vosd.engine.settings import Snapshot
from vosd.sip import events as sip
from vosd.sip import session_timer
from vosd.sip.dialog import Dialog
from vosd.sip.endpoint import Endpoint
from vosd.sip.message import Message
from vosd.sip.session_timer import Fields, Session, Terms, Trouble
from vosd.switch.clock import Clock
from vosd.switch.events import Leg, Order

#: until a refresh that was refused without a time is tried again, and while a re-INVITE is open
_AGAIN_S: Final = 10.0
_BUSY_S: Final = 1.0
#: a peer without session timers that cannot be sent to is given up after 64*T1
_UNSENT_S: Final = 32.0
#: characters kept of what a peer wrote
_SHOWN: Final = 32


class Refresh:
    """The token of an UPDATE or OPTIONS of ours."""

    __slots__ = ("heard", "leg", "live")

    def __init__(self, live: LiveCall, leg: Leg, heard: int) -> None:
        self.live = live
        self.leg = leg
        #: RTP packets that had come from the leg when it was asked
        self.heard = heard


class Sessions:
    """Session timers of every live call."""

    def __init__(
        self,
        endpoint: Endpoint,
        chance: Chance,
        snapshot: Snapshot,
        happen: Callable[[LiveCall, Order, Clock], None],
        wake: Callable[[LiveCall, float], None],
    ) -> None:
        """`happen` ends a call, `wake` has `due` called at a time."""
        self._endpoint = endpoint
        self._happen = happen
        self._wake = wake
        self._chance = chance
        self.reconfigure(snapshot)

    def reconfigure(self, snapshot: Snapshot) -> None:
        """Parameters changed: calls that start from now on follow."""
        self.terms: Terms = session_terms(snapshot)

    # agreements

    def too_small(self, message: Message) -> Fields:
        """Header fields of the 422 a request deserves; empty when its interval will do."""
        least = self.terms.min_se
        if message.get("session-expires") is None or not session_timer.too_small(message, least):
            return ()
        return (("Min-SE", str(least)),)

    def accept(self, live: LiveCall, dialog: Dialog, message: Message, clock: Clock) -> Fields:
        """A re-INVITE or UPDATE is answered with 2xx now: the header fields to add to that."""
        session = dialog.session = dialog.session or Session()
        lines = session.accept(message, live.terms)
        self._restart(live, session, clock, _method(message))
        return lines

    def deny(self, dialog: Dialog, message: Message, code: int, clock: Clock) -> None:
        """A request that would have refreshed the session is refused: kept with the call."""
        session = dialog.session = dialog.session or Session()
        note = ""
        if code == 422:
            asked, least = message.get("session-expires"), self.terms.min_se
            note = f"asked for {(asked or '')[:_SHOWN]} s, {least} s is the least here"
        session.troubled(Trouble(clock.mono, False, _method(message), code, note))

    def heard(self, dialog: Dialog, message: Message) -> Session:
        """The peer's 2xx to our INVITE, re-INVITE, UPDATE or OPTIONS."""
        session = dialog.session = dialog.session or Session()
        session.agreed(message)
        return session

    def answered(self, live: LiveCall, dialog: Dialog, message: Message, clock: Clock) -> None:
        """The same in a connected call: its time begins anew."""
        self._restart(live, self.heard(dialog, message), clock, _method(message))

    def asking(self, dialog: Dialog) -> Fields:
        """Header fields of a re-INVITE of ours."""
        return dialog.session.asking() if dialog.session is not None else ()

    def begin(self, live: LiveCall, a: Dialog, invite: Message, clock: Clock) -> Fields:
        """The caller's INVITE is answered now: both legs' times run; what to add to the 2xx."""
        session = a.session = Session()
        lines = session.accept(invite, live.terms)
        session.restart(live.terms, clock.mono)
        b = live.b.session if live.b is not None else None
        if b is not None:
            b.restart(live.terms, clock.mono)
        self._cap(live, clock)
        self._arm(live)
        return lines

    def _restart(self, live: LiveCall, session: Session, clock: Clock, granted: str) -> None:
        """Count from now: a method was `granted`, or "" where audio was the only sign of life."""
        if granted:
            session.refreshed(granted, clock.mono)
        session.restart(live.terms, clock.mono)
        self._cap(live, clock)
        self._arm(live)

    def _cap(self, live: LiveCall, clock: Clock) -> None:
        """From when on a leg keeps no time, its call has a greatest length."""
        sessions = [dialog.session for _, dialog in live.legs()]
        if live.cut_at == math.inf and any(each and not each.interval for each in sessions):
            live.cut_at = clock.mono + live.terms.longest

    def _arm(self, live: LiveCall) -> None:
        when = live.cut_at
        for dialog in (live.a, live.b):
            if dialog is not None and dialog.session is not None:
                when = min(when, dialog.session.due, dialog.session.ends)
        self._wake(live, when)

    # time

    def due(self, live: LiveCall, clock: Clock) -> None:
        """Refresh what has to be refreshed; end what was not."""
        if clock.mono >= live.cut_at:
            self._happen(live, Order("session_limit"), clock)
            return
        for leg, dialog in live.legs():
            session = dialog.session
            if session is None:
                continue
            if clock.mono >= session.ends:
                note = f"no refresh in {session.interval} s" if session.interval else ""
                session.troubled(Trouble(clock.mono, session.ours, "", 0, note))
                self._happen(live, Order("session_timeout"), clock)
                return
            if clock.mono >= session.due:
                self._refresh(live, leg, dialog, session, clock)
        self._arm(live)

    def _refresh(
        self, live: LiveCall, leg: Leg, dialog: Dialog, session: Session, clock: Clock
    ) -> None:
        if dialog.pending is not None or dialog.server is not None or live.busy:
            # a re-INVITE under way refreshes the session itself
            session.due = clock.mono + _BUSY_S
            return
        session.due = math.inf
        said = live.media.leg("b" if leg == "a" else "a").body
        if not session.interval:
            self._ask(live, leg, dialog, "OPTIONS", (), clock)
        elif session.updates or not said:
            headers = (*session.asking(), ("Supported", "timer"))
            self._ask(live, leg, dialog, "UPDATE", headers, clock)
        else:
            # the same description with the same o= version changes nothing (RFC 4028 7.4)
            session.reinviting = True
            body = live.media.for_leg(leg, said, clock.mono)
            self._endpoint.reinvite(dialog, clock.mono, body=body, headers=session.asking())

    def _ask(
        self, live: LiveCall, leg: Leg, dialog: Dialog, method: str, headers: Fields, clock: Clock
    ) -> None:
        token = Refresh(live, leg, self._packets(live, leg))
        self._endpoint.request(dialog, method, clock.mono, token=token, headers=headers)

    def _packets(self, live: LiveCall, leg: Leg) -> int:
        side = live.media.side(leg)
        return side.received().packets if side is not None else 0

    # outcomes

    def response(self, event: sip.Response, clock: Clock) -> bool:
        """The outcome of an UPDATE or OPTIONS; False when it is not ours."""
        token = event.token
        if not isinstance(token, Refresh):
            return False
        live, leg = token.live, token.leg
        dialog = live.dialog(leg)
        if dialog is None or dialog.session is None or live.call.state != "connected":
            return True
        if event.message is not None and event.code < 300:
            self.answered(live, dialog, event.message, clock)
        elif dialog.session.interval:
            self.failed(live, dialog, event.code, event.message, event.cause, clock)
        else:
            self._unknown(live, leg, dialog.session, event, token.heard, clock)
        return True

    def _unknown(
        self, live: LiveCall, leg: Leg, session: Session, event: sip.Response, heard: int,
        clock: Clock,
    ) -> None:  # fmt: skip
        """An OPTIONS was not granted: only 481 and silence are the end, and audio is life."""
        answered = event.cause == "response" and event.code not in (408, 481)
        if not answered:
            session.troubled(_trouble("OPTIONS", event.code, event.cause, clock))
        if event.cause == "transport":
            session.ends = min(session.ends, clock.mono + _UNSENT_S)
            self._later(live, session, _AGAIN_S, clock)
        elif event.code == 481:
            self._happen(live, Order("leg_lost"), clock)
        elif event.code == 408 and self._packets(live, leg) == heard:
            self._happen(live, Order("session_timeout"), clock)
        else:
            self._restart(live, session, clock, "OPTIONS" if answered else "")

    def failed(
        self, live: LiveCall, dialog: Dialog, code: int, message: Message | None,
        cause: sip.Cause, clock: Clock,
    ) -> None:  # fmt: skip
        """A refresh was not granted (RFC 4028 10); what can be, is tried until the session ends."""
        session = dialog.session
        assert session is not None
        method = "re-INVITE" if session.reinviting else "UPDATE"
        session.troubled(_trouble(method, code, cause, clock))
        session.reinviting = False
        after = message.number("retry-after") if message is not None else None
        if cause != "transport" and code in (408, 481):
            self._happen(live, Order("session_timeout"), clock)
        elif code == 491:
            delay = session_timer.glare_delay(not dialog.called, self._chance.getrandbits(16))
            self._later(live, session, delay, clock)
        elif message is not None and code == 422 and session.refused(message):
            self._later(live, session, 0.0, clock)
        elif after is not None:
            self._later(live, session, after, clock)
        else:
            # whoever cannot do UPDATE may still take a re-INVITE
            soon = session.updates and cause == "response"
            session.updates = False
            self._later(live, session, 0.0 if soon else _AGAIN_S, clock)

    def refused(self, dialog: Dialog, event: sip.ReinviteFailed, clock: Clock) -> None:
        """A re-INVITE that carried an offer was not granted: kept with the call."""
        if dialog.session is not None:
            dialog.session.troubled(_trouble("re-INVITE", event.code, event.cause, clock))

    def _later(self, live: LiveCall, session: Session, seconds: float, clock: Clock) -> None:
        session.due = clock.mono + seconds
        self._arm(live)


def _trouble(method: str, code: int, cause: sip.Cause, clock: Clock) -> Trouble:
    answered = cause == "response"
    return Trouble(clock.mono, True, method, code if answered else 0, "" if answered else cause)


def _method(message: Message) -> str:
    again = message.method == "INVITE" and message.to_tag
    return "re-INVITE" if again else message.method
