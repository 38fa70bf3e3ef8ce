# SPDX-License-Identifier: GPL-2.0-or-later
"""The called role: requests of the peer, from the first byte to an event or a refusal."""

from __future__ import annotations

from vosd.sip.answers import Answerer
from vosd.sip.core import COOKIE
from vosd.sip.dialog import Dialog
from vosd.sip.events import (
    Address,
    Cancelled,
    DialogRequest,
    Ended,
    Invited,
    Reinvited,
    Request,
)
from vosd.sip.message import Message, response, unsupported
from vosd.sip.transaction import InviteServer, ServerTransaction


class Callee(Answerer):
    """Receives requests, and decides what RFC 3261 leaves no choice about."""

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
        elif message.to_tag and not self._preset(message):
            self._within(key, message, source, local, now)
        elif method != "ACK":
            self._outside(key, message, source, local, now)
        else:
            self.stray += 1

    # requests outside dialogs

    def _preset(self, message: Message) -> bool:
        """Whether the To tag of an INVITE is a client's own: until RFC 3261 8.1.1.2 it was allowed
        one, and 12.2.2 lets us take it."""
        return (
            message.method == "INVITE"
            and not message.via.branch.startswith(COOKIE)
            and message.to_tag not in self.dialogs_by_tag
        )

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
        elif message.get("contact") is None and message.via.branch.startswith(COOKIE):
            # RFC 2543 clients need not say where they are: it is where they were heard from
            self._refuse(message, 400, source, local, "Missing Contact")
            return
        else:
            tx = self._invited(key, message, source, local, now)
        tx.merge = merge
        self.merges[merge] = self.servers[key] = tx

    def _invited(
        self, key: str, message: Message, source: Address, local: int, now: float
    ) -> InviteServer:
        dialog = Dialog(message.call_id, message.to_tag or self._token(), local, source)
        dialog.called = True
        dialog.flow = self.reliable[local]
        dialog.remote_tag = message.from_tag
        dialog.remote_cseq = message.cseq
        dialog.sent_by = self._at(local, source)
        dialog.local_contact = self._contact(_user(message.uri), dialog.sent_by, local)
        dialog.local_party = message.get("to") or ""
        if not message.to_tag:
            dialog.local_party += f";tag={dialog.local_tag}"
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
            self._refuse(message, 420, source, local, headers=(("Unsupported", unknown),))
        return bool(unknown)

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
        elif method == "PRACK":
            self._on_prack(dialog, key, message, source, local, now)
        else:
            self._on_other(dialog, key, message, source, local, now)

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
            if dialog.remote != source and dialog.local == local:
                dialog.remote = source
                dialog.flow = self.reliable[local]
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


def _user(uri: str) -> str:
    """The user part of a Request-URI when it is a plain number or name, for our Contact."""
    user = uri.partition(":")[2].rpartition("@")[0]
    return user if user.isascii() and user.lstrip("+").isalnum() else ""
