# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers to the peer's requests: how they are given, resent, and acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from zlib import crc32

from vosd.sip.core import Headers, stop_resend
from vosd.sip.dialog import Dialog
from vosd.sip.events import Acked, AckLost, Address
from vosd.sip.message import Message, response
from vosd.sip.requests import Requester
from vosd.sip.transaction import InviteServer, ServerTransaction

Act = Callable[..., None]

# A provisional answer is repeated before a proxy's timer C runs out (RFC 3261 13.3.1.1).
REFRESH_S: Final = 60.0


class Answerer(Requester):
    """The verbs that answer, and the actions of the two server tables."""

    def _step_server(
        self, tx: ServerTransaction, cause: str, message: Message | None, now: float
    ) -> None:
        tx.state, action = tx.table[tx.state][cause]
        if action != "-":
            SERVER_ACTS[action](self, tx, message, now)

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
        self, dialog: Dialog, code: int, now: float, *,
        reason: str = "", headers: Headers = (), once: bool = False,
    ) -> None:  # fmt: skip
        """Refuse the peer's INVITE or re-INVITE with 300-699; the first ends the dialog.

        `once` sends it a single time and forgets the INVITE: a forged source address gets no
        more than it sent, and a stranger no memory of ours.
        """
        tx = dialog.server
        if tx is None or tx.state != "proceeding":
            return
        self.respond(tx, code, now, reason=reason, headers=(*self.response_fields, *headers))
        tx.dialog = dialog.server = None
        if once:
            self._end_server(tx)
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


SERVER_ACTS: Final[dict[str, Act]] = {
    "resend": Answerer._resend,
    "repeat": Answerer._repeat_answer,
    "refresh": Answerer._refresh,
    "send": Answerer._provisional,
    "accept": Answerer._accept,
    "refuse": Answerer._invite_refused,
    "finish": Answerer._finished,
    "ack": Answerer._acked,
    "confirm": Answerer._confirm_refusal,
    "lapse": Answerer._lapse,
    "end": Answerer._end_answer,
}
