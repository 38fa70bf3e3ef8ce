# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests of ours: how they are written, and their first sending."""

from __future__ import annotations

from vosd.sip.core import (
    COOKIE,
    MAX_DATAGRAM,
    MAX_NO_STREAM,
    NO_STREAM_S,
    Core,
    Datagram,
    Headers,
)
from vosd.sip.dialog import Dialog, Invite, Way, path, read_target
from vosd.sip.events import Address, ReinviteFailed
from vosd.sip.message import Message, fields, one_line
from vosd.sip.transaction import ClientTransaction, InviteClient, Retry
from vosd.sip.uri import escape_user


class Requester(Core):
    """The verbs that send requests. What their answers do is `Caller`'s."""

    def _step_client(
        self, tx: ClientTransaction, cause: str, message: Message | None, now: float
    ) -> None:
        raise NotImplementedError

    def invite(self, call: Invite, now: float) -> Dialog:
        """Send an INVITE. Raises ValueError for CR or LF in what would be written."""
        local, remote = call.local, call.destination
        dialog = Dialog(self._call_id(), self._token(), local, remote)
        dialog.sent_by = self._at(local, remote)
        dialog.local_party = f"{call.from_};tag={dialog.local_tag}"
        dialog.remote_party = call.to
        contact = dialog.local_contact = self._contact(call.contact_user, dialog.sent_by, local)
        dialog.credentials = call.credentials
        dialog.flow = call.flow
        dialog.pinned = call.pinned
        dialog.invite = call
        one_line(f"{call.uri}{call.from_}{call.to}{contact}{''.join(call.routes)}")
        lines = fields(call.headers)
        self.dialogs_by_tag[dialog.local_tag] = dialog
        retry = Retry(lines, call.body) if call.credentials else None
        self._first_invite(dialog, call, lines, retry, now)
        return dialog

    def _first_invite(
        self, dialog: Dialog, call: Invite, lines: str, retry: Retry | None, now: float
    ) -> None:
        """An INVITE outside the dialog it wants to open; the routes are preloaded (16.12.1)."""
        uri, routes = call.uri, ""
        if call.routes:
            target = read_target(f"<{uri}>")
            if target is not None:
                uri, routes, _ = path(target, call.routes)
        way = Way(uri, routes, call.destination, dialog.local)
        self._send_invite(dialog, way, call.max_forwards, lines, call.body, retry, now)

    def _send_invite(
        self,
        dialog: Dialog,
        way: Way,
        hops: int,
        lines: str,
        body: bytes,
        retry: Retry | None,
        now: float,
        again: bool = False,
    ) -> None:
        dialog.local_cseq += 1
        branch = COOKIE + self._token()
        uri, routes, remote, local = way
        tx = InviteClient(branch, dialog.local_cseq, remote, local)
        tx.common = (
            f" {uri} SIP/2.0\r\nVia: {self._sender(dialog, way)};branch={branch};rport\r\n"
            f"{routes}Max-Forwards: {hops}\r\nFrom: {dialog.local_party}\r\nTo: "
        )
        tx.to = dialog.remote_party
        tx.tail = f"\r\nCall-ID: {dialog.call_id}\r\nCSeq: {dialog.local_cseq} "
        kind = "Content-Type: application/sdp\r\n" if body else ""
        proof = "" if retry is None else retry.proof
        text = (
            f"INVITE{tx.common}{tx.to}{tx.tail}INVITE\r\n{dialog.contact_line}"
            f"{self.request_lines}{proof}{lines}{kind}Content-Length: {len(body)}\r\n\r\n"
        )
        tx.data = text.encode(dialog.charset, "replace") + body
        tx.dialog = dialog
        tx.retry = retry
        tx.again = again
        tx.gaps = self.invite_gaps
        dialog.pending = tx
        self._start(tx, now)

    def _start(self, tx: ClientTransaction, now: float) -> None:
        self.clients[tx.key] = tx
        if len(tx.data) > MAX_DATAGRAM and not self.reliable[tx.local]:
            self._enlarge(tx, now)
        if not self._send(tx.data, tx.remote, tx.local):
            self._step_client(tx, "error", None, now)
            return
        if not self.reliable[tx.local]:
            self._next_gap(tx, now)
        tx.life = self.timers.start(self.patience, tx, "timeout", now)

    def _enlarge(self, tx: ClientTransaction, now: float) -> None:
        """Take TCP for a request too large for a datagram; UDP stays in reserve (18.1.1)."""
        stream = self.larger[tx.local]
        if not self.large_by_stream or stream is None or self.no_stream.get(tx.remote, 0.0) > now:
            return
        start = tx.data.index(b"Via: ") + 5
        sender = tx.data[start : tx.data.index(b";branch", start)].decode()
        tx.reserve = (sender, tx.local)
        tx.sent_from(sender, f"{self.via[stream]}{self._at(stream, tx.remote)}", stream)

    def _shrink(self, tx: ClientTransaction, sender: str, local: int, now: float) -> None:
        """The peer has no TCP: send the request by UDP after all."""
        if len(self.no_stream) >= MAX_NO_STREAM:
            self.no_stream.clear()
        self.no_stream[tx.remote] = now + NO_STREAM_S
        tx.reserve, tx.sends = None, 0
        tx.sent_from(f"{self.via[tx.local]}{self._at(tx.local, tx.remote)}", sender, local)
        self._send(tx.data, tx.remote, local)
        self._next_gap(tx, now)

    def _way(self, dialog: Dialog) -> Way:
        way = dialog.way
        if dialog.flow and not self.connected(dialog.local, dialog.remote):
            dialog.flow, way = False, None
        if way is None:
            way = dialog.way = dialog.route(self.own, self._over)
        return way

    def _sender(self, dialog: Dialog, way: Way) -> str:
        """Transport and address of ours, as Via names them."""
        same = way.local == dialog.local
        return f"{self.via[way.local]}{dialog.sent_by if same else self._at(way.local, way.remote)}"

    def _write(
        self, dialog: Dialog, method: str, cseq: int, lines: str, body: bytes, branch: str
    ) -> Datagram:
        """A request within the dialog, and where it goes."""
        way = self._way(dialog)
        uri, routes, remote, local = way
        text = (
            f"{method} {uri} SIP/2.0\r\nVia: {self._sender(dialog, way)};branch={branch};rport\r\n"
            f"{routes}Max-Forwards: 70\r\nFrom: {dialog.local_party}\r\n"
            f"To: {dialog.remote_party}\r\nCall-ID: {dialog.call_id}\r\n"
            f"CSeq: {cseq} {method}\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        )
        return text.encode(dialog.charset, "replace") + body, remote, local

    def acknowledge(self, dialog: Dialog, now: float, *, body: bytes = b"") -> None:
        """Send the ACK for the last 2xx; without one waiting, do nothing."""
        tx = dialog.pending
        if tx is None or tx.state != "accepted":
            return
        dialog.pending = None
        tx.dialog = None
        tx.common = tx.to = tx.tail = ""
        # The ACK carries the credentials of its INVITE (RFC 3261 22.1).
        lines = "" if tx.retry is None else tx.retry.proof
        if body:
            lines += "Content-Type: application/sdp\r\n"
        tx.retry = None
        ack = self._write(dialog, "ACK", tx.cseq, lines, body, COOKIE + self._token())
        if tx.acks is None:
            tx.acks = {}
        tx.acks[dialog.remote_tag] = ack
        self._send(*ack)

    def cancel(self, dialog: Dialog, now: float, *, headers: Headers = ()) -> None:
        """Give up our INVITE; Failed follows, once, whatever crosses (RFC 3261 9.1)."""
        tx = dialog.pending
        if tx is None or tx.again or tx.cancelling is not None or tx.state == "accepted":
            return
        tx.cancelling = fields(headers)
        if tx.state == "proceeding":
            self._send_cancel(tx, now)

    def _send_cancel(self, tx: InviteClient, now: float) -> None:
        cancel = ClientTransaction(f"{tx.key} CANCEL", "CANCEL", tx.cseq, tx.remote, tx.local)
        text = (
            f"CANCEL{tx.common}{tx.to}{tx.tail}CANCEL\r\n{tx.cancelling}Content-Length: 0\r\n\r\n"
        )
        cancel.data = text.encode("utf-8", "replace")
        cancel.gaps = self.gaps
        self._start(cancel, now)
        self._live(tx, "timeout", self.patience, now)

    def reinvite(
        self, dialog: Dialog, now: float, *, body: bytes = b"", headers: Headers = ()
    ) -> None:
        """Send a re-INVITE; while an INVITE is open on the dialog it fails with 491 at once."""
        lines = fields(headers)
        if dialog.state != "confirmed":
            return
        if dialog.pending is not None or dialog.server is not None:
            self.events.append(ReinviteFailed(dialog, 491, None, "response"))
            return
        self._reinvite(dialog, Retry(lines, body), now)

    def _reinvite(self, dialog: Dialog, retry: Retry, now: float) -> None:
        way = self._way(dialog)
        self._send_invite(dialog, way, 70, retry.headers, retry.body, retry, now, True)

    def request(
        self,
        dialog: Dialog,
        method: str,
        now: float,
        *,
        token: object = None,
        body: bytes = b"",
        content_type: str = "",
        headers: Headers = (),
    ) -> None:
        """Send an in-dialog INFO, UPDATE, OPTIONS; Response with `token` follows."""
        lines = fields(headers)
        if method == "UPDATE":
            lines = dialog.contact_line + lines
        if body and content_type:
            lines += f"Content-Type: {content_type}\r\n"
        one_line(method + content_type)
        self._in_dialog(dialog, method, lines, body, token, now)

    def _in_dialog(
        self,
        dialog: Dialog,
        method: str,
        lines: str,
        body: bytes,
        token: object,
        now: float,
        retry: Retry | None = None,
    ) -> None:
        if dialog.early is not None:
            dialog.learn(dialog.early)
        dialog.local_cseq += 1
        branch = COOKIE + self._token()
        if retry is None and dialog.credentials is not None:
            retry = Retry(lines, body)
        proof = "" if retry is None else retry.proof
        data, remote, local = self._write(
            dialog, method, dialog.local_cseq, proof + lines, body, branch
        )
        tx = ClientTransaction(branch, method, dialog.local_cseq, remote, local)
        tx.data = data
        tx.dialog = dialog
        tx.token = token
        tx.retry = retry
        tx.gaps = self.gaps
        self._start(tx, now)

    def send(
        self,
        method: str,
        uri: str,
        destination: Address,
        local: int,
        now: float,
        *,
        from_: str,
        to: str,
        token: object,
        headers: Headers = (),
        body: bytes = b"",
        contact: str = "",
        call_id: str = "",
        cseq: int = 1,
    ) -> None:
        """Send a request outside any dialog; Response with `token` follows.

        `call_id` and `cseq` are for requests that follow one another (RFC 3261 10.2), `contact`
        for a Contact value of the owner's.
        """
        one_line(f"{method}{uri}{from_}{to}{contact}{call_id}")
        branch = COOKIE + self._token()
        sent_by = self._at(local, destination)
        text = (
            f"{method} {uri} SIP/2.0\r\nVia: {self.via[local]}{sent_by};branch={branch};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: {from_};tag={self._token()}\r\nTo: {to}\r\n"
            f"Call-ID: {call_id or self._call_id()}\r\nCSeq: {cseq} {method}\r\n"
            f"Contact: {contact or self._contact('', sent_by, local)}\r\n"
            f"{self.request_lines}{fields(headers)}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        tx = ClientTransaction(branch, method, cseq, destination, local)
        tx.data = text.encode("utf-8", "replace") + body
        tx.token = token
        tx.gaps = self.gaps
        self._start(tx, now)

    def contact(self, user: str, local: int, remote: Address) -> str:
        """A Contact value with `user` that `remote` reaches us by."""
        return self._contact(escape_user(user), self._at(local, remote), local)

    def bare(self, data: bytes, remote: Address, local: int) -> bool:
        """Send octets that are no SIP message, a keep-alive; False for where nothing may go."""
        return self._send(data, remote, local)

    def _farewell(self, dialog: Dialog, lines: str, now: float) -> None:
        """Send BYE; the dialog stays, ended, until it is answered, to meet a crossing BYE."""
        dialog.state = "ended"
        dialog.farewell = None
        self._in_dialog(dialog, "BYE", lines, b"", None, now)
