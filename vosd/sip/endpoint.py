# SPDX-License-Identifier: GPL-2.0-or-later
"""A SIP endpoint without sockets: datagrams in, events and datagrams out, time as an argument.

The owner feeds `receive` and `due`, acts on the events they return, then sends and clears
`outgoing` and arms one timer for `deadline`. Verbs of the owner never return events: what they
cause at once comes with the next `receive` or `due`, and `deadline` asks for that.
"""

from __future__ import annotations

import math

from vosd.sip.core import Chance, Datagram, Headers, Listen
from vosd.sip.dialog import Dialog, Invite, default_port
from vosd.sip.errors import SipParseError
from vosd.sip.events import Address, Event, Malformed
from vosd.sip.message import fields, response
from vosd.sip.parse import parse, remains
from vosd.sip.timing import Timer, Timing
from vosd.sip.transaction import ClientTransaction, ServerTransaction
from vosd.sip.uac import Caller
from vosd.sip.uas import Callee

__all__ = ["Chance", "Datagram", "Dialog", "Endpoint", "Invite", "Listen", "Timing"]


class Endpoint(Caller, Callee):
    """Transactions and dialogs of any number of calls."""

    def receive(self, data: bytes, source: Address, local: int, now: float) -> list[Event]:
        """Take one datagram. Never raises for what it holds."""
        if source in self.own:
            self.blocked += 1  # a loop, or a forged source that would make one
            return []
        try:
            message = parse(data)
        except SipParseError as error:
            return self._malformed(error, data, source, local)
        if message.is_request:
            self._on_request(message, source, local, now)
        else:
            self._on_response(message, now)
        events, self.events = self.events, []
        return events

    def shed(self, data: bytes, source: Address, local: int, wait_s: int) -> bool:
        """Refuse a new INVITE with 503 and forget it (RFC 3261 21.5.4).

        False when it begins nothing: it is to be received then.
        """
        try:
            message = parse(data)
        except SipParseError:
            return False
        via = message.via
        if message.method != "INVITE" or f"{via.branch} {via.sent_by}" in self.servers:
            return False
        self._refuse(message, 503, source, local, headers=(("Retry-After", str(wait_s)),))
        return True

    def due(self, now: float) -> list[Event]:
        """Do what time asks for."""
        for timer in self.timers.take(now):
            tx = timer.owner
            if tx is None:
                continue  # stopped by one that was due earlier
            timer.owner = None
            if isinstance(tx, ClientTransaction):
                _fired(tx, timer)
                self._step_client(tx, timer.kind, None, now)
            elif isinstance(tx, ServerTransaction):
                _fired(tx, timer)
                self._step_server(tx, timer.kind, None, now)
        events, self.events = self.events, []
        return events

    def deadline(self) -> float:
        """When `due` has to be called next; -inf when events wait, inf when nothing runs."""
        return -math.inf if self.events else self.timers.deadline()

    def broken(
        self, data: bytes, code: int, reason: str, source: Address, local: int
    ) -> list[Event]:
        """Refuse what a stream cannot go on from; `data` is its head (`framing.Frame`)."""
        error = SipParseError(code, reason)
        error.message = remains(data)
        return self._malformed(error, data, source, local)

    def _malformed(
        self, error: SipParseError, data: bytes, source: Address, local: int
    ) -> list[Event]:
        if not data.strip(b"\r\n\0"):
            return []  # a keep-alive (RFC 5626 3.5.1 and its habits)
        answered = False
        if error.message is not None:
            tag = self._stateless_tag(error.message)
            try:
                data = response(error.message, error.code, to_tag=tag, received=source)
                answered = self._send_once(data, error.message, source, local)
            except ValueError:
                pass  # what would be echoed does not stay within its line
        return [Malformed(source, error.code, error.reason, answered)]

    def bye(self, dialog: Dialog, now: float, *, headers: Headers = ()) -> None:
        """End a dialog; it is gone for the owner and reports nothing more.

        A BYE waits for the ACK of our 2xx (RFC 3261 15). Before an answer the called side refuses
        with 480 and the calling side cancels, which still reports Failed.
        """
        lines = fields(headers)
        if dialog.state == "ended" or dialog.farewell is not None:
            return
        if dialog.state == "early":
            if dialog.called:
                self.reject(dialog, 480, now, headers=headers)
            else:
                self.cancel(dialog, now, headers=headers)
            return
        server = dialog.server
        if server is not None and server.state == "accepted":
            dialog.farewell = lines
            return
        self._close_invites(dialog, now)
        self._farewell(dialog, lines, now)

    def _close_invites(self, dialog: Dialog, now: float) -> None:
        """End re-INVITEs of either side that are still open."""
        server, dialog.server = dialog.server, None
        if server is not None:
            self.respond(server, 487, now)
            server.dialog = None
        self.acknowledge(dialog, now)
        pending, dialog.pending = dialog.pending, None
        if pending is not None:
            pending.dialog = None

    def drop(self, dialog: Dialog) -> None:
        """Forget a dialog at once, without a BYE and without events.

        An INVITE of ours that is answered later is acknowledged and ended.
        """
        server = dialog.server
        if server is not None and server.state == "proceeding":
            self._end_server(server)
        self._forget(dialog)

    def undeliverable(self, remote: Address, now: float, local: int = 0) -> list[Event]:
        """Socket `local` cannot send to `remote`: unanswered requests fail at once.

        A large one that may go by UDP does; an answer whose connection is gone goes to where its
        request said its sender listens (RFC 3261 18.2.2).
        """
        there = (remote, local)
        for tx in [tx for tx in self.clients.values() if (tx.remote, tx.local) == there]:
            if tx.reserve is not None:
                self._shrink(tx, *tx.reserve, now)
            else:
                self._step_client(tx, "error", None, now)
        if self.reliable[local]:
            for server in [tx for tx in self.servers.values() if (tx.source, tx.local) == there]:
                self._answer_elsewhere(server)
        events, self.events = self.events, []
        return events

    def _answer_elsewhere(self, tx: ServerTransaction) -> None:
        via = parse(tx.data).via if tx.data else tx.message.via if tx.message else None
        if via is not None:
            source = (tx.source[0], via.port or default_port(self.listens[tx.local].transport))
            if source != tx.source and tx.data:
                self._send(tx.data, source, tx.local)
            tx.source = source

    def disconnected(self, remote: Address, local: int, now: float) -> list[Event]:
        """A connection ended: what nobody answered on it yet is sent once more, on a new one.

        A large request that may go by UDP does when that one ends too.
        """
        for tx in [tx for tx in self.clients.values() if (tx.remote, tx.local) == (remote, local)]:
            if tx.state not in ("calling", "trying"):
                continue
            if not tx.sends and self._send(tx.data, remote, local):
                tx.sends = 1
            elif tx.reserve is not None:
                self._shrink(tx, *tx.reserve, now)
            else:
                self._step_client(tx, "error", None, now)
        events, self.events = self.events, []
        return events


def _fired(tx: ClientTransaction | ServerTransaction, timer: Timer) -> None:
    if tx.resend is timer:
        tx.resend = None
    else:
        tx.life = None
