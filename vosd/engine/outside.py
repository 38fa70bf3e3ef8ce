# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP outside calls: new INVITEs are let in or not, phones register, the rest is short."""

from __future__ import annotations

import logging

from vosd.engine.admission import Admission, Refused
from vosd.engine.calls import Calls
from vosd.engine.clocks import Clocks
from vosd.engine.counters import Counters
from vosd.engine.dialogue import ALLOW, Dialogue
from vosd.engine.health import Health
from vosd.engine.registration import Registrar
from vosd.sip import events as sip
from vosd.sip.dialog import Dialog
from vosd.sip.endpoint import Endpoint
from vosd.sip.message import Message
from vosd.switch.leg import hops

log = logging.getLogger("vosd.sip")

_SDP = "application/sdp"
#: methods RFC 3261 and its extensions name that we know and do not serve outside a call
_KNOWN = frozenset(
    ("BYE", "INFO", "MESSAGE", "NOTIFY", "PRACK", "PUBLISH", "REFER", "SUBSCRIBE", "UPDATE")
)

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
        self._calls = calls
        self._admission = admission
        self._registrar = registrar
        self._dialogue = dialogue
        self._health = health
        self._counters = counters
        self._clocks = clocks

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
        refusal = unacceptable(message)
        if refusal is not None:
            self._endpoint.reject(dialog, refusal[0], now, headers=refusal[1])
            return
        caller = self._admission.caller(message, dialog.remote, now)
        if isinstance(caller, Refused):
            self._note(caller, dialog.remote)
            # once: a stranger's forged source is not sent the same again (reliability.md row 12)
            self._endpoint.reject(dialog, caller.code, now, headers=caller.headers, once=True)
            return
        if caller.gateway is not None:
            self._health.heard(caller.name)
        self._calls.begin(dialog, message, caller, now)

    def _note(self, refused: Refused, source: tuple[str, int]) -> None:
        if refused.failed:
            self.failed(refused.user, source)
        else:
            self._counters.add("auth_challenges")

    def failed(self, user: str, source: tuple[str, int]) -> None:
        """Wrong credentials: one stable line that log watchers understand (ecosystem.md)."""
        self._counters.add("auth_failures")
        shown = user.encode("unicode_escape").decode("ascii").replace(" ", "\\x20")[:64]
        log.warning("auth failure src=%s user=%s proto=udp proven=yes", source[0], shown)

    def _request(self, event: sip.Request, now: float) -> None:
        message, transaction = event.message, event.transaction
        if message.method == "REGISTER":
            self._counters.add("registers")
            clock = self._clocks.at(now)
            code, headers = self._registrar.answer(
                message, transaction.source, transaction.local, clock
            )
            if code == 401:
                self._counters.add("auth_challenges")
        else:
            code, headers = self._short(message)
        self._endpoint.respond(transaction, code, now, headers=headers)

    def _short(self, message: Message) -> Reply:
        if message.method == "OPTIONS":
            self._counters.add("options")
            refusal = unacceptable(message)
            return refusal or (200, (("Allow", ALLOW), ("Accept", _SDP)))
        return (405 if message.method in _KNOWN else 501), (("Allow", ALLOW),)


def unacceptable(message: Message) -> Reply | None:
    """What no caller may ask, by code and header fields (RFC 3261 8.2, 16.3); None when fine."""
    if not message.uri.lower().startswith(("sip:", "sips:")):
        return 416, ()
    if message.method == "INVITE" and hops(message) == 0:
        return 483, ()
    accept = [value for name, value in message.headers if name == "accept"]
    if message.method == "INVITE" and accept and not _accepts_sdp(",".join(accept)):
        return 406, (("Accept", _SDP),)
    kind = message.get("content-type")
    if message.body and kind is not None and kind.partition(";")[0].strip().lower() != _SDP:
        return 415, (("Accept", _SDP),)
    return None


def _accepts_sdp(accept: str) -> bool:
    kinds = {kind.partition(";")[0].strip().lower() for kind in accept.split(",")}
    return bool(kinds & {_SDP, "application/*", "*/*"})
