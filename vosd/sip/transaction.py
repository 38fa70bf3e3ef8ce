# SPDX-License-Identifier: GPL-2.0-or-later
"""The four transaction machines of RFC 3261 17 as corrected by RFC 6026, as tables.

Think of a transaction as a row that remembers one request and what was last sent for it. An
input (a message of some class, a timer, a transport failure) looks up its cell: the next state
and the action the endpoint performs. Nothing else decides. Timers appear under what they mean:
`resend` is A, E or G, `timeout` is B, F or H, `expire` is D, I, J, K, L or M. RFC 6026's
accepted state keeps an INVITE transaction after a 2xx, so that retransmissions are absorbed
(server) and every 2xx reaches the dialog layer (client).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from vosd.sip.dialog import Dialog
    from vosd.sip.events import Address
    from vosd.sip.message import Message
    from vosd.sip.timing import Timer

Table: TypeAlias = dict[str, dict[str, tuple[str, str]]]


def _table(text: str) -> Table:
    """A table from text: a column per state, a row per input, `-` for nothing.

    A cell is `action` (the state stays) or `action>next`.
    """
    states, *rows = (line.split() for line in text.strip().splitlines())
    table: Table = {state: {} for state in states}
    for name, *cells in rows:
        for state, cell in zip(states, cells, strict=True):
            action, _, follower = cell.partition(">")
            table[state][name] = (follower or state, action)
    return table


# RFC 3261 figure 5, RFC 6026 7.2. `timeout` while proceeding is the wait after a CANCEL (9.1).
INVITE_CLIENT: Final = _table("""
             calling             proceeding          accepted        completed
    1xx      tell>proceeding     tell                -               -
    2xx      accept>accepted     accept>accepted     again           -
    final    refuse>completed    refuse>completed    -               reack
    resend   repeat              -                   -               -
    timeout  timeout>terminated  timeout>terminated  -               -
    expire   -                   -                   end>terminated  end>terminated
    error    fail>terminated     -                   -               end>terminated
""")

# RFC 3261 figure 6
CLIENT: Final = _table("""
             trying              proceeding          completed
    1xx      tell>proceeding     tell                -
    2xx      finish>completed    finish>completed    -
    final    finish>completed    finish>completed    -
    resend   repeat              repeat              -
    timeout  timeout>terminated  timeout>terminated  -
    expire   -                   -                   end>terminated
    error    fail>terminated     fail>terminated     -
""")

# RFC 3261 figure 7, RFC 6026 7.1 and 8.8 (a transport error changes nothing). `resend` while
# proceeding is the refresh of 13.3.1.1, or a reliable answer again (RFC 3262 3); while accepted
# it is the 2xx of 13.3.1.4, which the dialog layer stops at the ACK.
INVITE_SERVER: Final = _table("""
             proceeding          accepted          completed          confirmed
    request  resend              -                 resend             -
    ACK      -                   ack               confirm>confirmed  -
    1xx      send                -                 -                  -
    2xx      accept>accepted     -                 -                  -
    final    refuse>completed    -                 -                  -
    resend   refresh             repeat            repeat             -
    timeout  unproved            -                 end>terminated     -
    expire   -                   lapse>terminated  -                  end>terminated
    error    -                   -                 -                  -
""")

# RFC 3261 figure 8. `timeout` bounds a request that nobody answers (RFC 4320 4.1).
SERVER: Final = _table("""
             trying              proceeding        completed
    request  -                   resend            resend
    1xx      send>proceeding     send              -
    2xx      finish>completed    finish>completed  -
    final    finish>completed    finish>completed  -
    timeout  end>terminated      end>terminated    -
    expire   -                   -                 end>terminated
    error    -                   -                 -
""")


class ServerTransaction:
    """One received request and the last answer to it; a retransmission costs one look-up."""

    __slots__ = (
        "data", "dialog", "gaps", "key", "life", "local", "merge", "message", "method", "resend",
        "sends", "source", "state", "tag",
    )  # fmt: skip
    table = SERVER

    def __init__(self, key: str, message: Message, source: Address, local: int) -> None:
        self.key = key
        self.method = message.method
        self.state = "trying"
        #: dropped once answered
        self.message: Message | None = message
        self.source = source
        self.local = local
        #: the last answer
        self.data = b""
        #: key in the index of merged requests (RFC 3261 8.2.2.2), "" in a dialog
        self.merge = ""
        #: our To tag for a request outside any dialog
        self.tag = ""
        self.dialog: Dialog | None = None
        self.gaps: tuple[float, ...] = ()
        self.sends = 0
        self.resend: Timer | None = None
        self.life: Timer | None = None


class InviteServer(ServerTransaction):
    """A received INVITE; while accepted it also resends the 2xx until the dialog has the ACK."""

    __slots__ = ("acked", "cseq")
    table = INVITE_SERVER

    def __init__(self, key: str, message: Message, source: Address, local: int) -> None:
        ServerTransaction.__init__(self, key, message, source, local)
        self.state = "proceeding"
        self.cseq = message.cseq
        self.acked = False


class ClientTransaction:
    """One request of ours and what it takes to resend it and to tell its sender the outcome."""

    __slots__ = (
        "cseq", "data", "dialog", "gaps", "key", "life", "local", "method", "remote", "resend",
        "reserve", "retry", "sends", "state", "token",
    )  # fmt: skip
    table = CLIENT

    def __init__(self, key: str, method: str, cseq: int, remote: Address, local: int) -> None:
        self.key = key
        self.method = method
        self.cseq = cseq
        self.state = "trying"
        self.remote = remote
        self.local = local
        self.data = b""
        self.dialog: Dialog | None = None
        #: what the sender gave, for the Response event; None: nobody is told
        self.token: object = None
        #: how to send the request again when it is challenged
        self.retry: Retry | None = None
        #: sender in Via and socket of ours to try when the peer cannot be reached as it is
        self.reserve: tuple[str, int] | None = None
        self.gaps: tuple[float, ...] = ()
        self.sends = 0
        self.resend: Timer | None = None
        self.life: Timer | None = None

    def sent_from(self, old: str, new: str, local: int) -> None:
        """Send from another socket: what Via says of us is `new` in place of `old`."""
        self.local = local
        self.data = self.data.replace(f"Via: {old};".encode(), f"Via: {new};".encode(), 1)


class InviteClient(ClientTransaction):
    """Our INVITE: also remembers how to write its ACK and CANCEL, and the ACK of each 2xx."""

    __slots__ = ("acks", "again", "cancelling", "common", "heard", "tail", "to")
    table = INVITE_CLIENT

    def __init__(self, key: str, cseq: int, remote: Address, local: int) -> None:
        ClientTransaction.__init__(self, key, "INVITE", cseq, remote, local)
        self.state = "calling"
        #: the request from after the method up to "To: ", and from after the To value up to CSeq
        self.common = self.tail = self.to = ""
        #: To tag of a 2xx -> its ACK, where that goes, and our socket
        self.acks: dict[str, tuple[bytes, Address, int]] | None = None
        self.heard = False
        #: a CANCEL waits for a provisional answer or was sent; its extra header lines
        self.cancelling: str | None = None
        #: whether this is a re-INVITE
        self.again = False

    def sent_from(self, old: str, new: str, local: int) -> None:
        ClientTransaction.sent_from(self, old, new, local)
        self.common = self.common.replace(f"Via: {old};", f"Via: {new};", 1)


class Retry:
    """What a request needs to be sent again with credentials, and what it proved so far."""

    __slots__ = ("body", "headers", "proofs", "tried")

    def __init__(self, headers: str, body: bytes) -> None:
        self.headers = headers
        self.body = body
        #: header name and realm -> credentials line
        self.proofs: dict[tuple[str, str], str] = {}
        #: header name, realm and staleness of every challenge met
        self.tried: set[tuple[str, str, bool]] = set()

    @property
    def proof(self) -> str:
        return "".join(self.proofs.values())
