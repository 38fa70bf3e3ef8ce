# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP outside calls: new INVITEs are let in or not, phones register, the rest is short."""

from __future__ import annotations

import logging

from vosd.engine.admission import Admission, Refused
from vosd.engine.calls import Calls
from vosd.engine.clocks import Clocks
from vosd.engine.counters import Counters
from vosd.engine.dialogue import ALLOW, Dialogue, unserved
from vosd.engine.health import Health
from vosd.engine.live import Caller
from vosd.engine.registration import Registrar
from vosd.sip import events as sip
from vosd.sip.dialog import Dialog
from vosd.sip.endpoint import Endpoint
from vosd.sip.message import Message
from vosd.switch.leg import hops
from vosd.switch.limits import StartRate

log = logging.getLogger("vosd.sip")

_SDP = "application/sdp"

Reply = tuple[int, tuple[tuple[str, str], ...]]


class Outside:
    """Answers everything that no live call owns."""

    def __init__(
        self,
        endpoint: Endpoint,
        calls: Calls,
        admission: Admission,
        registrar: Registrar,
        dialogue: Dialogue,
        health: Health,
        counters: Counters,
        clocks: Clocks,
    ) -> None:
        self._endpoint = endpoint
        #: a promise of TLS is only taken by who can keep it
        secure = any(listen.transport == "tls" for listen in endpoint.listens)
        self._schemes = ("sip:", "sips:") if secure else ("sip:",)
        self._calls = calls
        self._admission = admission
        self._registrar = registrar
        self._dialogue = dialogue
        self._health = health
        self._counters = counters
        self._clocks = clocks
        #: strangers shall not fill the disk, however many of them fail to log in
        self._illegal = StartRate(1)

    def take(self, event: sip.Event, now: float) -> None:
        """One event that `Dialogue` did not take."""
        if isinstance(event, sip.Invited):
            self._invited(event.dialog, event.message, now)
        elif isinstance(event, sip.Request):
            self._request(event, now)
        elif isinstance(event, sip.Response):
            if not self._dialogue.response(event, now):
                self._health.response(event)
        elif isinstance(event, sip.Malformed):
            self._counters.add("sip_malformed")

    def _invited(self, dialog: Dialog, message: Message, now: float) -> None:
        clock = self._clocks.at(now)
        transport = self._endpoint.listens[dialog.local].transport
        caller = self._admission.caller(message, dialog.remote, transport, clock)
        if isinstance(caller, Refused):
            self._note(caller, dialog.remote, dialog.local)
            # once: a stranger's forged source is not sent the same again (reliability.md row 12)
            self._endpoint.reject(dialog, caller.code, now, headers=caller.headers, once=True)
            if caller.failed and self._illegal.admit(now):
                claimed = caller.claimed or Caller("")
                self._calls.turned_away(dialog, message, claimed, caller.failed, clock)
            return
        refusal = unacceptable(message, self._schemes)
        if refusal is not None:
            self._endpoint.reject(dialog, refusal[0], now, headers=refusal[1])
            return
        if caller.gateway is not None:
            self._health.heard(caller.name)
        least = self._calls.sessions.too_small(message)
        if least:
            self._endpoint.reject(dialog, 422, now, headers=least)
            self._calls.sessions.deny(dialog, message, 422, clock)
            self._calls.turned_away(dialog, message, caller, "interval_too_small", clock)
            return
        self._calls.begin(dialog, message, caller, now)

    def _note(self, refused: Refused, source: tuple[str, int], local: int) -> None:
        """Count it; wrong credentials get one stable line that log watchers read (ecosystem.md)."""
        if refused.code in (401, 407):
            self._counters.add("auth_challenges")
        if not refused.failed:
            return
        self._counters.add("auth_failures")
        user = refused.user.encode("unicode_escape").decode("ascii").replace(" ", "\\x20")[:64]
        transport = self._endpoint.listens[local].transport
        log.warning("auth failure src=%s user=%s proto=%s proven=yes", source[0], user, transport)
        if refused.suspends:
            self._counters.add("auth_suspensions")
            log.warning("auth suspended src=%s for=%ds", source[0], refused.suspends)

    def _request(self, event: sip.Request, now: float) -> None:
        message, transaction = event.message, event.transaction
        if message.method == "REGISTER":
            self._counters.add("registers")
            reply = self._registrar.answer(
                message, transaction.source, transaction.local, self._clocks.at(now)
            )
            if not isinstance(reply, Refused):
                self._endpoint.respond(transaction, reply[0], now, headers=reply[1])
                return
            self._note(reply, transaction.source, transaction.local)
            code, headers = reply.code, reply.headers
        else:
            code, headers = self._short(message)
        # the same question gets the same answer: nothing need be remembered of a stranger's
        self._endpoint.respond(transaction, code, now, headers=headers, once=True)

    def _short(self, message: Message) -> Reply:
        if message.method == "OPTIONS":
            self._counters.add("options")
            refusal = unacceptable(message, self._schemes)
            return refusal or (200, (("Allow", ALLOW), ("Accept", _SDP)))
        return unserved(message.method), (("Allow", ALLOW),)


def unacceptable(message: Message, schemes: tuple[str, ...]) -> Reply | None:
    """What no caller may ask, by code and header fields (RFC 3261 8.2, 16.3); None when fine."""
    if not message.uri.lower().startswith(schemes):
        return 416, ()
    if message.method == "INVITE" and hops(message) == 0:
        return 483, ()
    refuses = message.get("accept") is not None and not _accepts_sdp(message.all("accept"))
    if message.method == "INVITE" and refuses:
        return 406, (("Accept", _SDP),)
    kind = message.get("content-type")
    if message.body and kind is not None and kind.partition(";")[0].strip().lower() != _SDP:
        return 415, (("Accept", _SDP),)
    return None


def _accepts_sdp(accept: list[str]) -> bool:
    kinds = {kind.partition(";")[0].strip().lower() for kind in accept}
    return bool(kinds & {_SDP, "application/*", "*/*"})
