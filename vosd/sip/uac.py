# SPDX-License-Identifier: GPL-2.0-or-later
"""The calling role: what answers, timers and transport failures do to requests of ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vosd.sip.auth import answer
from vosd.sip.core import COOKIE, stop
from vosd.sip.dialog import Dialog
from vosd.sip.events import (
    Answered,
    Cause,
    Failed,
    Progress,
    ReinviteAnswered,
    ReinviteFailed,
    Response,
    Trying,
)
from vosd.sip.grammar import WRITTEN
from vosd.sip.message import Message, fields
from vosd.sip.reliable import sequence
from vosd.sip.requests import Requester
from vosd.sip.session_timer import Session, lengthened
from vosd.sip.transaction import ClientTransaction, InviteClient, Retry

Act = Callable[..., None]

# More realms than this on one request is a peer that plays with us.
MAX_CHALLENGES: Final = 4
# Answers to one INVITE that are taken as branches of a fork.
MAX_FORKS: Final = 16
_realm = re.compile(r'\brealm[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"', re.I).search
_stale = re.compile(r'\bstale[ \t]*=[ \t]*"?true', re.I).search


class Caller(Requester):
    """Actions of the two client tables; each is named in a cell."""

    def _step_client(
        self, tx: ClientTransaction, cause: str, message: Message | None, now: float
    ) -> None:
        tx.state, action = tx.table[tx.state][cause]
        if action != "-":
            acts = INVITE_ACTS if tx.method == "INVITE" else CLIENT_ACTS
            acts[action](self, tx, message, now)

    def _on_response(self, message: Message, now: float) -> None:
        key, method, code = message.via.branch, message.method, message.code
        tx = self.clients.get(f"{key} CANCEL" if method == "CANCEL" else key)
        if tx is None or tx.method != method:
            self.stray += 1
            return
        cause = "1xx" if code < 200 else "2xx" if code < 300 else "final"
        self._step_client(tx, cause, message, now)

    def _repeat(self, tx: ClientTransaction, message: None, now: float) -> None:
        self._send(tx.data, tx.remote, tx.local)
        if tx.state == "proceeding":
            tx.resend = self.timers.start(self.timing.t2, tx, "resend", now)
        else:
            self._next_gap(tx, now)

    def _end(self, tx: ClientTransaction, message: None, now: float) -> None:
        self._end_client(tx)

    # INVITE

    def _invite_tell(self, tx: InviteClient, message: Message, now: float) -> None:
        if not tx.heard:
            tx.heard = True
            tx.data = b""
            stop(tx)
            if tx.cancelling is not None:
                self._send_cancel(tx, now)
            elif message.code == 100 and tx.dialog is not None and not tx.again:
                self.events.append(Trying(tx.dialog))
        dialog = tx.dialog
        if message.code > 100 and dialog is not None and tx.cancelling is None and not tx.again:
            if message.to_tag:
                number = sequence(message)
                if number is not None and not self._prack(tx, dialog, message, number, now):
                    return
                dialog.early = message
            self.events.append(Progress(dialog, message))

    def _prack(
        self, tx: InviteClient, dialog: Dialog, message: Message, number: int, now: float
    ) -> bool:
        """Acknowledge a reliable answer; False for one that was, or came out of order (4)."""
        last = dialog.rseq
        if last is not None and last[0] == message.to_tag and number != last[1] + 1:
            return False
        dialog.rseq = message.to_tag, number
        dialog.early = message
        lines = f"RAck: {number} {tx.cseq} INVITE\r\n"
        self._in_dialog(dialog, "PRACK", lines, b"", None, now)
        return True

    def _invite_accept(self, tx: InviteClient, message: Message, now: float) -> None:
        # timer M runs on every transport (RFC 6026 7.2): the owner may take its time for the ACK
        stop(tx)
        self._live(tx, "expire", self.patience, now)
        tx.data = b""
        dialog = tx.dialog
        if tx.again:
            self._reinvite_accept(tx, message, now)
        elif dialog is None or tx.cancelling is not None:
            self._part(tx, message, now)
            if dialog is not None:
                self._forget(dialog)
                self.events.append(Failed(dialog, 487, message, "response"))
        else:
            self._confirm(dialog, message)
            self.events.append(Answered(dialog, message))

    def _reinvite_accept(self, tx: InviteClient, message: Message, now: float) -> None:
        dialog = tx.dialog
        if dialog is None:
            self._part(tx, message, now, bye=False)
            return
        dialog.follow(message)
        self.events.append(ReinviteAnswered(dialog, message))

    def _confirm(self, dialog: Dialog, message: Message) -> None:
        dialog.learn(message)
        dialog.state = "confirmed"
        dialog.early = dialog.invite = None

    def _invite_again(self, tx: InviteClient, message: Message, now: float) -> None:
        """A 2xx after the first: a retransmission, or another branch of a fork."""
        known = tx.acks.get(message.to_tag) if tx.acks else None
        if known is not None:
            self._send(*known)
            dialog = self.dialogs_by_tag.get(message.from_tag)
            if dialog is not None:
                dialog.again += 1
        elif tx.dialog is None or tx.dialog.remote_tag != message.to_tag:
            self._part(tx, message, now, bye=not tx.again)

    def _part(self, tx: InviteClient, message: Message, now: float, bye: bool = True) -> None:
        """ACK a 2xx nobody wants and end its dialog (RFC 3261 13.2.2.4, 15)."""
        dialog = Dialog(message.call_id, message.from_tag, tx.local, tx.remote)
        dialog.sent_by = message.via.sent_by
        dialog.local_party = message.get("from") or ""
        dialog.local_cseq = tx.cseq
        if tx.dialog is not None:
            dialog.credentials = tx.dialog.credentials
        self._confirm(dialog, message)
        ack = self._write(dialog, "ACK", tx.cseq, "", b"", COOKIE + self._token())
        if tx.acks is None:
            tx.acks = {}
        # A stranger on the path could claim forks for ever.
        if len(tx.acks) < MAX_FORKS:
            tx.acks[message.to_tag] = ack
            self._send(*ack)
            if bye:
                self._farewell(dialog, "", now)

    def _invite_refuse(self, tx: InviteClient, message: Message, now: float) -> None:
        to = message.get("to") or tx.to
        text = f"ACK{tx.common}{to}{tx.tail}ACK\r\nContent-Length: 0\r\n\r\n"
        tx.data = text.encode(message.charset, "replace")
        tx.common = tx.to = tx.tail = ""
        self._send(tx.data, tx.remote, tx.local)
        self._wait(tx, self.timing.d, now)
        dialog, tx.dialog = tx.dialog, None
        if dialog is None:
            return
        if dialog.pending is tx:
            dialog.pending = None
        if tx.cancelling is None and (
            self._prove(tx, dialog, message) or self._lengthen(tx, dialog, message)
        ):
            self._invite_retry(tx, dialog, now)
        elif tx.again:
            self.events.append(ReinviteFailed(dialog, message.code, message, "response"))
        else:
            self._forget(dialog)
            self.events.append(Failed(dialog, message.code, message, "response"))

    def _invite_retry(self, tx: InviteClient, dialog: Dialog, now: float) -> None:
        retry, tx.retry = tx.retry, None
        assert retry is not None
        if tx.again:
            self._reinvite(dialog, retry, now)
        elif dialog.invite is not None:
            self._first_invite(dialog, dialog.invite, retry.headers, retry, now)

    def _lengthen(self, tx: InviteClient, dialog: Dialog, message: Message) -> bool:
        """A 422: ask again for the session interval it wants (RFC 4028 7.3)."""
        if message.code != 422:
            return False
        session = dialog.session = dialog.session or Session()
        if not session.refused(message):
            return False
        invite = dialog.invite
        if tx.again and tx.retry is not None:
            lines, body = lengthened(tx.retry.headers, session.min_se), tx.retry.body
        elif invite is not None:
            lines, body = lengthened(fields(invite.headers), session.min_se), invite.body
        else:
            return False
        tx.retry = Retry(lines, body) if lines is not None else None
        return lines is not None

    def _invite_reack(self, tx: InviteClient, message: Message, now: float) -> None:
        self._send(tx.data, tx.remote, tx.local)

    def _invite_timeout(self, tx: InviteClient, message: None, now: float) -> None:
        self._invite_lost(tx, 408, "timeout")

    def _invite_fail(self, tx: InviteClient, message: None, now: float) -> None:
        self._invite_lost(tx, 503, "transport")

    def _invite_lost(self, tx: InviteClient, code: int, cause: Cause) -> None:
        dialog = tx.dialog
        self._end_client(tx)
        if dialog is None:
            return
        if tx.again:
            self.events.append(ReinviteFailed(dialog, code, None, cause))
        else:
            self._forget(dialog)
            self.events.append(Failed(dialog, code, None, cause))

    # everything but INVITE

    def _tell(self, tx: ClientTransaction, message: Message, now: float) -> None:
        """A provisional answer: nothing but the state changes; E goes on at T2."""

    def _finish(self, tx: ClientTransaction, message: Message, now: float) -> None:
        self._wait(tx, self.timing.k, now)
        tx.data = b""
        dialog, tx.dialog = tx.dialog, None
        retry, tx.retry = tx.retry, None
        if dialog is not None and retry is not None and message.code in (401, 407):
            tx.retry = retry
            if self._prove(tx, dialog, message):
                self._in_dialog(
                    dialog, tx.method, retry.headers, retry.body, tx.token, now, retry
                )
                return
        if dialog is not None and tx.method == "UPDATE" and message.code < 300:
            dialog.follow(message)
        self._outcome(tx, dialog, message.code, message, "response")

    def _timeout(self, tx: ClientTransaction, message: None, now: float) -> None:
        dialog = tx.dialog
        self._end_client(tx)
        self._outcome(tx, dialog, 408, None, "timeout")

    def _fail(self, tx: ClientTransaction, message: None, now: float) -> None:
        dialog = tx.dialog
        self._end_client(tx)
        self._outcome(tx, dialog, 503, None, "transport")

    def _outcome(
        self,
        tx: ClientTransaction,
        dialog: Dialog | None,
        code: int,
        message: Message | None,
        cause: Cause,
    ) -> None:
        if tx.method == "BYE" and dialog is not None:
            self._forget(dialog)
        elif tx.method not in ("BYE", "CANCEL"):
            self.events.append(Response(tx.token, code, message, cause))

    def _prove(self, tx: ClientTransaction, dialog: Dialog, message: Message) -> bool:
        """Answer a challenge with the dialog's credentials, once per realm and staleness."""
        retry = tx.retry
        if retry is None or dialog.credentials is None or message.code not in (401, 407):
            return False
        name = "authorization" if message.code == 401 else "proxy-authorization"
        asked = "www-authenticate" if message.code == 401 else "proxy-authenticate"
        challenges = message.all(asked)
        met = {(name, realm(text), _stale(text) is not None) for text in challenges}
        if not met or met & retry.tried or len(retry.tried) >= MAX_CHALLENGES:
            return False
        retry.tried |= met
        user, password = dialog.credentials
        uri = dialog.invite.uri if dialog.invite is not None else self._way(dialog).uri
        value = answer(challenges, tx.method, uri, user, password, self._token())
        if value is None:
            return False
        retry.proofs[name, realm(value)] = f"{WRITTEN[name]}: {value}\r\n"
        return True


def realm(text: str) -> str:
    match = _realm(text)
    return match[1] if match else ""


INVITE_ACTS: Final[dict[str, Act]] = {
    "tell": Caller._invite_tell,
    "accept": Caller._invite_accept,
    "again": Caller._invite_again,
    "refuse": Caller._invite_refuse,
    "reack": Caller._invite_reack,
    "repeat": Caller._repeat,
    "timeout": Caller._invite_timeout,
    "fail": Caller._invite_fail,
    "end": Caller._end,
}
CLIENT_ACTS: Final[dict[str, Act]] = {
    "tell": Caller._tell,
    "finish": Caller._finish,
    "repeat": Caller._repeat,
    "timeout": Caller._timeout,
    "fail": Caller._fail,
    "end": Caller._end,
}
