# SPDX-License-Identifier: GPL-2.0-or-later
"""The called role: requests of the peer, and the answers given by us or by the owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from zlib import crc32

from vosd.sip.core import COOKIE, Headers, stop_resend
from vosd.sip.dialog import Dialog
from vosd.sip.events import (
    Acked,
    AckLost,
    Address,
    Cancelled,
    DialogRequest,
    Ended,
    Invited,
    Reinvited,
    Request,
)
from vosd.sip.message import Message, response, unsupported
from vosd.sip.requests import Requester
from vosd.sip.transaction import InviteServer, ServerTransaction

Act = Callable[..., None]

# A provisional answer is repeated before a proxy's timer C runs out (RFC 3261 13.3.1.1).
REFRESH_S: Final = 60.0


class Callee(Requester):
    """Receives requests and follows their server transactions."""

    def _step_server(
        self, tx: ServerTransaction, cause: str, message: Message | None, now: float
    ) -> None:
        tx.state, action = tx.table[tx.state][cause]
        if action != "-":
            SERVER_ACTS[action](self, tx, message, now)

    def _on_request(self, message: Message, source: Address, local: int, now: float) -> None:
        method = message.method
        via = message.via
        key = f"{via.branch} {via.sent_by}"
        if not via.branch.startswith(COOKIE):
            # RFC 2543 clients (17.2.3); the To tag is left out because an ACK brings another.
            key = f"{message.call_id} {message.cseq} {message.from_tag} {message.uri} {key}"
        if method == "CANCEL":
            self._on_cancel(key, message, source, local, now)
            return
        if method != "INVITE" and method != "ACK":
            key = f"{key} {method}"
        tx = self.servers.get(key)
        if tx is not None:
            self._step_server(tx, "ACK" if method == "ACK" else "request", message, now)
        elif message.to_tag:
            self._within(key, message, source, local, now)
        elif method != "ACK":
            self._outside(key, message, source, local, now)
        else:
            self.stray += 1

    # requests outside dialogs

    def _outside(
        self, key: str, message: Message, source: Address, local: int, now: float
    ) -> None:
        method = message.method
        merge = f"{message.call_id} {message.cseq} {message.from_tag} {method}"
        if merge in self.merges:
            self._refuse(message, 482, source, local)
            return
        if method == "BYE":
            self._refuse(message, 481, source, local)
            return
        if self._requires(message, source, local):
            return
        if method != "INVITE":
            tx = ServerTransaction(key, message, source, local)
            tx.tag = self._token()
            self._live(tx, "timeout", self.patience, now)
            self.events.append(Request(tx, message))
        elif message.get("contact") is None:
            self._refuse(message, 400, source, local, "Missing Contact")
            return
        else:
            tx = self._invited(key, message, source, local, now)
        tx.merge = merge
        self.merges[merge] = self.servers[key] = tx

    def _invited(
        self, key: str, message: Message, source: Address, local: int, now: float
    ) -> InviteServer:
        dialog = Dialog(message.call_id, self._token(), local, source)
        dialog.called = True
        dialog.remote_tag = message.from_tag
        dialog.remote_cseq = message.cseq
        dialog.sent_by = self._at(local, source)
        dialog.local_contact = self._contact(_user(message.uri), dialog.sent_by, local)
        dialog.local_party = f"{message.get('to')};tag={dialog.local_tag}"
        dialog.remote_party = message.get("from") or ""
        dialog.contact = message.get("contact")
        if message.get("record-route") is not None:
            dialog.record = tuple(message.all("record-route"))
        dialog.charset = message.charset
        dialog.invite_message = message
        self.dialogs_by_tag[dialog.local_tag] = dialog
        tx = dialog.server = InviteServer(key, message, source, local)
        tx.dialog = dialog
        tx.data = response(message, 100, received=source)
        self._send(tx.data, source, local)
        self.events.append(Invited(dialog, message))
        return tx

    def _requires(self, message: Message, source: Address, local: int) -> bool:
        """Refuse extensions we do not have (RFC 3261 8.2.2.3)."""
        if message.get("require") is None:
            return False
        unknown = unsupported(message, self.extensions)
        if unknown:
            headers = (("Unsupported", unknown), *self.response_fields)
            self._refuse(message, 420, source, local, headers=headers)
        return bool(unknown)

    def _refuse(
        self,
        message: Message,
        code: int,
        source: Address,
        local: int,
        reason: str = "",
        headers: Headers = (),
    ) -> None:
        """Answer without remembering: the To tag comes out the same each time (8.2.7)."""
        tag = self._stateless_tag(message)
        data = response(
            message, code, reason, to_tag=tag, received=source,
            headers=headers or self.response_fields,
        )  # fmt: skip
        self._send(data, source, local)

    def _stateless_tag(self, message: Message) -> str:
        text = f"{self.salt}{message.call_id}{message.cseq}{message.from_tag}{message.via.branch}"
        return f"{crc32(text.encode('utf-8', 'replace')):08x}"

    # requests inside dialogs

    def _within(self, key: str, message: Message, source: Address, local: int, now: float) -> None:
        method = message.method
        dialog = self.dialogs_by_tag.get(message.to_tag)
        if (
            dialog is None
            or dialog.call_id != message.call_id
            or not (
                dialog.remote_tag == message.from_tag
                or (dialog.state == "early" and not dialog.called)
            )
            or (dialog.state == "ended" and method != "BYE")
            or (dialog.farewell is not None and method not in ("ACK", "BYE"))
        ):
            if method == "ACK":
                self.stray += 1
            else:
                self._refuse(message, 481, source, local)
            return
        if method == "ACK":
            self._on_ack(dialog, message, now)
            return
        if message.cseq < dialog.remote_cseq:
            self._answer_new(key, message, source, local, 500, now)
            return
        dialog.remote_cseq = message.cseq
        if self._requires(message, source, local):
            return
        if method == "INVITE":
            self._on_reinvite(dialog, key, message, source, local, now)
        elif method == "BYE":
            self._on_bye(dialog, key, message, source, local, now)
        else:
            self._on_other(dialog, key, message, source, local, now)

    def _answer_new(
        self, key: str, message: Message, source: Address, local: int, code: int, now: float,
        headers: Headers = (),
    ) -> None:  # fmt: skip
        """Open a transaction that only carries this final answer."""
        kind = InviteServer if message.method == "INVITE" else ServerTransaction
        tx = self.servers[key] = kind(key, message, source, local)
        self.respond(tx, code, now, headers=headers)

    def _on_reinvite(
        self, dialog: Dialog, key: str, message: Message, source: Address, local: int, now: float
    ) -> None:
        if dialog.server is not None:
            # 14.2: an earlier INVITE of the peer is still open
            wait = self.chance.getrandbits(16) % 11
            fields = (("Retry-After", str(wait)),)
            self._answer_new(key, message, source, local, 500, now, fields)
        elif dialog.pending is not None:
            self._answer_new(key, message, source, local, 491, now)
        else:
            dialog.follow(message)
            if dialog.remote != source:
                dialog.remote = source
                dialog.way = None
            tx = self.servers[key] = dialog.server = InviteServer(key, message, source, local)
            tx.dialog = dialog
            tx.data = response(message, 100, received=source)
            self._send(tx.data, source, local)
            self.events.append(Reinvited(dialog, message))

    def _on_bye(
        self, dialog: Dialog, key: str, message: Message, source: Address, local: int, now: float
    ) -> None:
        open_invite = dialog.server
        told = dialog.state == "ended" or dialog.farewell is not None
        self._answer_new(key, message, source, local, 200, now)
        if dialog.state == "early" and not dialog.called:
            return
        if open_invite is not None and open_invite.state == "proceeding":
            self.respond(open_invite, 487, now)
        if dialog.state != "ended":
            dialog.farewell = None
            self._forget(dialog)
        if not told:
            self.events.append(Ended(dialog, message))

    def _on_other(
        self, dialog: Dialog, key: str, message: Message, source: Address, local: int, now: float
    ) -> None:
        if message.method == "UPDATE":
            dialog.follow(message)
        tx = self.servers[key] = ServerTransaction(key, message, source, local)
        tx.dialog = dialog
        self._live(tx, "timeout", self.patience, now)
        self.events.append(DialogRequest(dialog, tx, message))

    def _on_cancel(
        self, key: str, message: Message, source: Address, local: int, now: float
    ) -> None:
        tx = self.servers.get(key)
        if not isinstance(tx, InviteServer):
            self._refuse(message, 481, source, local)
            return
        dialog = tx.dialog
        tag = dialog.local_tag if dialog is not None else self._stateless_tag(message)
        self._send(response(message, 200, to_tag=tag, received=source), source, local)
        if tx.state != "proceeding":
            return
        self.respond(tx, 487, now)
        if dialog is not None:
            dialog.server = None
            if dialog.state == "early":
                self._forget(dialog)
            self.events.append(Cancelled(dialog, message))

    def _on_ack(self, dialog: Dialog, message: Message, now: float) -> None:
        tx = dialog.server
        if tx is None or tx.state != "accepted" or tx.cseq != message.cseq:
            self.stray += 1
            return
        stop_resend(tx)
        tx.dialog = dialog.server = dialog.invite_message = None
        if dialog.farewell is not None:
            self._farewell(dialog, dialog.farewell, now)
        else:
            self.events.append(Acked(dialog, message))

    # verbs of the owner

    def ring(
        self, dialog: Dialog, code: int, now: float, *,
        reason: str = "", body: bytes = b"", headers: Headers = (),
    ) -> None:  # fmt: skip
        """Send a provisional answer (101-199) to the peer's INVITE; none open: do nothing."""
        tx = dialog.server
        if tx is not None:
            contact = ("Contact", dialog.local_contact)
            self.respond(tx, code, now, reason=reason, body=body, headers=(contact, *headers))

    def accept(
        self, dialog: Dialog, now: float, *, body: bytes = b"", headers: Headers = ()
    ) -> None:
        """Send 200, again until its ACK comes: Acked or AckLost follows (RFC 3261 13.3.1.4)."""
        tx = dialog.server
        if tx is None or tx.state != "proceeding":
            return
        dialog.state = "confirmed"
        fields = (("Contact", dialog.local_contact), *self.accept_fields, *headers)
        self.respond(tx, 200, now, body=body, headers=fields)

    def reject(
        self, dialog: Dialog, code: int, now: float, *, reason: str = "", headers: Headers = ()
    ) -> None:
        """Refuse the peer's INVITE or re-INVITE with 300-699; the first ends the dialog."""
        tx = dialog.server
        if tx is None or tx.state != "proceeding":
            return
        self.respond(tx, code, now, reason=reason, headers=(*self.response_fields, *headers))
        tx.dialog = dialog.server = None
        if dialog.state == "early":
            self._forget(dialog)

    def respond(
        self, transaction: ServerTransaction, code: int, now: float, *,
        reason: str = "", headers: Headers = (), body: bytes = b"",
        content_type: str = "application/sdp",
    ) -> None:  # fmt: skip
        """Answer a request. Raises ValueError for CR or LF in a value; late answers do nothing."""
        tx = transaction
        message = tx.message
        cause = "1xx" if code < 200 else "2xx" if code < 300 else "final"
        if message is None or tx.table[tx.state][cause][1] == "-":
            return
        dialog = tx.dialog
        if dialog is not None and tx.method == "UPDATE" and cause == "2xx":
            headers = (("Contact", dialog.local_contact), *headers)
        tx.data = response(
            message, code, reason, to_tag=tx.tag if dialog is None else dialog.local_tag,
            received=tx.source, headers=headers, body=body, content_type=content_type,
        )  # fmt: skip
        self._step_server(tx, cause, None, now)

    # actions

    def _resend(self, tx: ServerTransaction, message: Message | None, now: float) -> None:
        self._send(tx.data, tx.source, tx.local)

    def _repeat_answer(self, tx: ServerTransaction, message: None, now: float) -> None:
        self._send(tx.data, tx.source, tx.local)
        self._next_gap(tx, now)

    def _refresh(self, tx: ServerTransaction, message: None, now: float) -> None:
        self._send(tx.data, tx.source, tx.local)
        tx.resend = self.timers.start(REFRESH_S, tx, "resend", now)

    def _provisional(self, tx: ServerTransaction, message: None, now: float) -> None:
        self._send(tx.data, tx.source, tx.local)
        if isinstance(tx, InviteServer):
            stop_resend(tx)
            tx.resend = self.timers.start(REFRESH_S, tx, "resend", now)

    def _accept(self, tx: InviteServer, message: None, now: float) -> None:
        """The dialog layer resends a 2xx on every transport (RFC 3261 13.3.1.4)."""
        tx.message = None
        stop_resend(tx)
        self._send(tx.data, tx.source, tx.local)
        tx.gaps = self.gaps
        self._next_gap(tx, now)
        tx.life = self.timers.start(self.patience, tx, "expire", now)

    def _invite_refused(self, tx: InviteServer, message: None, now: float) -> None:
        tx.message = None
        stop_resend(tx)
        self._send(tx.data, tx.source, tx.local)
        if not self.reliable[tx.local]:
            tx.gaps = self.gaps
            self._next_gap(tx, now)
        tx.life = self.timers.start(self.patience, tx, "timeout", now)

    def _finished(self, tx: ServerTransaction, message: None, now: float) -> None:
        tx.message = tx.dialog = None
        self._send(tx.data, tx.source, tx.local)
        self._wait(tx, self.timing.j, now)

    def _acked(self, tx: InviteServer, message: Message, now: float) -> None:
        """An ACK for a 2xx that wrongly kept the INVITE's branch."""
        if tx.dialog is not None:
            self._on_ack(tx.dialog, message, now)

    def _confirm_refusal(self, tx: InviteServer, message: Message, now: float) -> None:
        tx.data = b""
        self._wait(tx, self.timing.i, now)

    def _lapse(self, tx: InviteServer, message: None, now: float) -> None:
        """Timer L: without an ACK until now the dialog layer gives up on it."""
        dialog = tx.dialog
        self._end_server(tx)
        if dialog is None:
            return
        dialog.invite_message = None
        if dialog.farewell is not None:
            self._farewell(dialog, dialog.farewell, now)
        else:
            self.events.append(AckLost(dialog))

    def _end_answer(self, tx: ServerTransaction, message: None, now: float) -> None:
        self._end_server(tx)


def _user(uri: str) -> str:
    """The user part of a Request-URI when it is a plain number or name, for our Contact."""
    user = uri.partition(":")[2].rpartition("@")[0]
    return user if user.isascii() and user.lstrip("+").isalnum() else ""


SERVER_ACTS: Final[dict[str, Act]] = {
    "resend": Callee._resend,
    "repeat": Callee._repeat_answer,
    "refresh": Callee._refresh,
    "send": Callee._provisional,
    "accept": Callee._accept,
    "refuse": Callee._invite_refused,
    "finish": Callee._finished,
    "ack": Callee._acked,
    "confirm": Callee._confirm_refusal,
    "lapse": Callee._lapse,
    "end": Callee._end_answer,
}
