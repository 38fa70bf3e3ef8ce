# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers to the peer's requests: how they are given, resent, and acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from zlib import crc32

from vosd.sip.core import Headers, stop, stop_resend
from vosd.sip.dialog import Dialog
from vosd.sip.events import Acked, AckLost, Address
from vosd.sip.message import Message, response
from vosd.sip.reliable import Answer, Reliable
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
            message, code, reason, to_tag=tag, received=source, lines=self.response_lines,
            headers=headers,
        )  # fmt: skip
        self._send_once(data, message, source, local)

    def _send_once(self, data: bytes, message: Message, source: Address, local: int) -> bool:
        """Send an answer that nothing is remembered of. A stranger's datagram may have a forged
        source, so it gets at most 1.5 times the octets that came: nobody is flooded through us."""
        if self._excessive(data, message, source, local):
            self.withheld += 1
            return False
        return self._send(data, source, local)

    def _excessive(self, data: bytes, message: Message, source: Address, local: int) -> bool:
        large = 2 * len(data) > 3 * message.size
        return large and not self.reliable[local] and source[0] not in self.known

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
        reason: str = "", body: bytes = b"", headers: Headers = (), reliable: bool = False,
    ) -> None:  # fmt: skip
        """Send a provisional answer (101-199) to the peer's INVITE; none open: do nothing.

        `reliable` repeats it until its PRACK comes (RFC 3262); without one in 64*T1 the INVITE is
        refused and AckLost follows.
        """
        tx = dialog.server
        if tx is None:
            return
        if reliable and tx.state == "proceeding":
            self._ring_reliably(tx, dialog, Answer(code, reason, body, tuple(headers)), now)
        else:
            lines = dialog.contact_line
            self.respond(tx, code, now, reason=reason, body=body, lines=lines, headers=headers)

    def _ring_reliably(
        self, tx: InviteServer, dialog: Dialog, answer: Answer, now: float
    ) -> None:
        if dialog.reliable is None:
            dialog.reliable = Reliable(1 + self.chance.getrandbits(30), tx.cseq)
        if dialog.reliable.hold(answer):
            return
        code, reason, body, headers = answer
        numbered = (*headers, *dialog.reliable.next(bool(body)))
        lines = dialog.contact_line
        self.respond(tx, code, now, reason=reason, body=body, lines=lines, headers=numbered)
        stop_resend(tx)
        tx.gaps, tx.sends = self.invite_gaps, 0
        self._next_gap(tx, now)
        self._live(tx, "timeout", self.patience, now)

    def _on_prack(
        self, dialog: Dialog, key: str, message: Message, source: Address, local: int, now: float
    ) -> None:
        """RFC 3262 3: 200 for the answer that is open, 481 for any other."""
        tx, reliable = dialog.server, dialog.reliable
        if reliable is None or not reliable.acknowledged(message):
            self._answer_new(key, message, source, local, 481, now)
            return
        # an offer in a PRACK is refused: the session stays as the answer made it (5)
        self._answer_new(key, message, source, local, 488 if message.body else 200, now)
        if tx is None or tx.state != "proceeding":
            return  # the final answer went ahead
        stop(tx)
        tx.resend = self.timers.start(REFRESH_S, tx, "resend", now)
        waiting, reliable.waiting = reliable.waiting, []
        for answer in waiting:
            if answer.code >= 200:
                self.accept(dialog, now, body=answer.body, headers=answer.headers)
            else:
                self._ring_reliably(tx, dialog, answer, now)

    def _answer_new(
        self, key: str, message: Message, source: Address, local: int, code: int, now: float,
        headers: Headers = (),
    ) -> None:  # fmt: skip
        """Open a transaction that only carries this final answer."""
        kind = InviteServer if message.method == "INVITE" else ServerTransaction
        tx = self.servers[key] = kind(key, message, source, local)
        self.respond(tx, code, now, headers=headers)

    def accept(
        self, dialog: Dialog, now: float, *, body: bytes = b"", headers: Headers = ()
    ) -> None:
        """Send 200, again until its ACK comes: Acked or AckLost follows (RFC 3261 13.3.1.4)."""
        tx = dialog.server
        if tx is None or tx.state != "proceeding":
            return
        if dialog.reliable is not None and dialog.reliable.hold(
            Answer(200, "", body, tuple(headers))
        ):
            return
        dialog.state = "confirmed"
        lines = dialog.contact_line + self.accept_lines
        self.respond(tx, 200, now, body=body, lines=lines, headers=headers)

    def reject(
        self, dialog: Dialog, code: int, now: float, *,
        reason: str = "", headers: Headers = (), once: bool = False,
    ) -> None:  # fmt: skip
        """Refuse the peer's INVITE or re-INVITE with 300-699; the first ends the dialog.

        `once` as in `respond`; the 100 that has not left yet stays here too (17.2.1).
        """
        tx = dialog.server
        if tx is None or tx.state != "proceeding":
            return
        if once and self.outgoing and self.outgoing[-1][0] is tx.data:
            self.outgoing.pop()
        lines = "" if once else self.response_lines
        self.respond(tx, code, now, reason=reason, lines=lines, headers=headers, once=once)
        tx.dialog = dialog.server = None
        if dialog.state == "early":
            self._forget(dialog)

    def respond(
        self, transaction: ServerTransaction, code: int, now: float, *,
        reason: str = "", lines: str = "", headers: Headers = (), body: bytes = b"",
        content_type: str = "application/sdp", once: bool = False,
    ) -> None:  # fmt: skip
        """Answer a request. Raises ValueError for CR or LF in a value; late answers do nothing.

        `lines` are whole header lines that stand before `headers`.

        `once` sends a refusal a single time and forgets the request: a forged source address gets
        hardly more than it sent, and a stranger no memory of ours (RFC 3261 8.2.7).
        """
        tx = transaction
        message = tx.message
        cause = "1xx" if code < 200 else "2xx" if code < 300 else "final"
        if message is None or tx.table[tx.state][cause][1] == "-":
            return
        dialog = tx.dialog
        if cause != "1xx" and dialog is not None and dialog.reliable is not None:
            stop(tx)
        if dialog is not None and tx.method == "UPDATE" and cause == "2xx":
            lines = dialog.contact_line + lines
        tx.data = response(
            message, code, reason, to_tag=tx.tag if dialog is None else dialog.local_tag,
            received=tx.source, lines=lines, headers=headers, body=body, content_type=content_type,
        )  # fmt: skip
        if once:
            fewest = tuple(dict(headers).items())
            if (
                self._excessive(tx.data, message, tx.source, tx.local)
                and len(fewest) < len(tuple(headers))
            ):
                # of several challenges the last, MD5, which is the one that small phones know
                self.respond(
                    tx, code, now, reason=reason, headers=fewest, body=body,
                    content_type=content_type, once=True,
                )  # fmt: skip
                return
            self._send_once(tx.data, message, tx.source, tx.local)
            self._end_server(tx)
        else:
            self._step_server(tx, cause, None, now)

    # actions

    def _resend(self, tx: ServerTransaction, message: Message | None, now: float) -> None:
        self._send(tx.data, tx.source, tx.local)

    def _repeat_answer(self, tx: ServerTransaction, message: None, now: float) -> None:
        self._send(tx.data, tx.source, tx.local)
        self._next_gap(tx, now)

    def _refresh(self, tx: ServerTransaction, message: None, now: float) -> None:
        self._send(tx.data, tx.source, tx.local)
        dialog = tx.dialog
        reliable = dialog.reliable if dialog is not None and dialog.state == "early" else None
        if reliable is not None and reliable.open:
            self._next_gap(tx, now)
            return
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

    def _unproved(self, tx: InviteServer, message: None, now: float) -> None:
        """No PRACK in 64*T1: the INVITE is refused with a 5xx (RFC 3262 3)."""
        dialog = tx.dialog
        if dialog is not None and dialog.reliable is not None:
            self.reject(dialog, 504, now)
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
    "unproved": Answerer._unproved,
    "end": Answerer._end_answer,
}
