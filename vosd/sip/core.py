# SPDX-License-Identifier: GPL-2.0-or-later
"""What both roles of an endpoint share: what leaves, what is running, what is remembered."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import Final, Protocol

import msgspec

from vosd.sip import reliable
from vosd.sip.dialog import FORBIDDEN, Dialog, host_text, reach
from vosd.sip.events import Address, Event
from vosd.sip.timing import Timers, Timing
from vosd.sip.transaction import ClientTransaction, ServerTransaction

Datagram = tuple[bytes, Address, int]
Headers = Iterable[tuple[str, str]]

# RFC 3261 8.1.1.7
COOKIE: Final = "z9hG4bK"
MAX_ALLOWED: Final = 16384
# RFC 3261 18.1.1: a larger request could be fragmented, which many networks drop.
MAX_DATAGRAM: Final = 1300
# Seconds a peer that has no TCP gets large requests by UDP at once.
NO_STREAM_S: Final = 600.0
MAX_NO_STREAM: Final = 1024


class Chance(Protocol):
    """Where tags and branches come from: random.Random, or random.SystemRandom outside tests."""

    def getrandbits(self, k: int, /) -> int: ...


class Listen(msgspec.Struct, frozen=True):
    """One of our listening sockets; its place in the sequence is its index."""

    transport: str
    host: str
    port: int


class Core:
    """State of an endpoint and the few verbs that touch it everywhere."""

    def __init__(
        self,
        listens: Sequence[Listen],
        chance: Chance,
        timing: Timing = Timing(),  # noqa: B008  (frozen)
        advertise: Callable[[int, Address], Address] | None = None,
        server: str = "vosd",
        allow: str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE",
        extensions: Iterable[str] = (),
        connected: Callable[[int, Address], bool] = lambda _, __: True,
    ) -> None:
        """`connected(listen, remote)` tells whether a connection of a stream stands."""
        self.listens = tuple(listens)
        self.chance = chance
        self.advertise = advertise or self._bound
        self.connected = connected
        #: large requests to peers reached by UDP go by TCP where we have it
        self.large_by_stream = True
        #: peers that did not take one so -> until when the next goes by UDP
        self.no_stream: dict[Address, float] = {}
        #: option tags accepted in Require
        self.extensions = frozenset(extensions)
        self.outgoing: list[Datagram] = []
        self.dialogs_by_tag: dict[str, Dialog] = {}
        self.clients: dict[str, ClientTransaction] = {}
        self.servers: dict[str, ServerTransaction] = {}
        #: requests outside dialogs by Call-ID, CSeq and From tag (RFC 3261 8.2.2.2)
        self.merges: dict[str, ServerTransaction] = {}
        self.timers = Timers()
        self.events: list[Event] = []
        #: datagrams not sent because of where they would have gone
        self.blocked = 0
        #: hosts whose addresses nobody would forge in vain: refusals to others are bounded
        self.known: Container[str] = ()
        #: refusals not sent because the request was too small for them
        self.withheld = 0
        #: responses and ACKs that belong to nothing
        self.stray = 0
        #: our own addresses
        self.own: set[Address] = {(listen.host, listen.port) for listen in self.listens}
        #: addresses already found fit to be sent to
        self.allowed: set[Address] = set()
        self.via = tuple(f"SIP/2.0/{listen.transport.upper()} " for listen in self.listens)
        self.reliable = tuple(listen.transport != "udp" for listen in self.listens)
        self.larger = tuple(
            None if listen.transport != "udp" else self._over("tcp", index)
            for index, listen in enumerate(self.listens)
        )
        self.salt = f"{chance.getrandbits(64):x}"
        self.response_lines = f"Server: {server}\r\n"
        self.accept_lines = f"Allow: {allow}\r\nServer: {server}\r\n"
        self.request_lines = f"Allow: {allow}\r\nUser-Agent: {server}\r\n"
        if self.extensions:
            self.accept_lines += f"Supported: {', '.join(sorted(self.extensions))}\r\n"
            # 100rel is offered by the owner, call by call
            offered = ", ".join(sorted(self.extensions - {reliable.TAG}))
            self.request_lines += f"Supported: {offered}\r\n" if offered else ""
        self.timing = timing

    @property
    def timing(self) -> Timing:
        """Timer values; a new one holds for transactions that start later."""
        return self._timing

    @timing.setter
    def timing(self, timing: Timing) -> None:
        self._timing = timing
        self.invite_gaps = timing.invites()
        self.gaps = timing.others()
        self.patience = timing.b

    @property
    def transactions(self) -> int:
        """How many transactions are remembered."""
        return len(self.clients) + len(self.servers)

    @property
    def dialogs(self) -> int:
        """How many dialogs are remembered."""
        return len(self.dialogs_by_tag)

    def deadline(self) -> float:
        """When `due` has to be called next, inf when nothing runs."""
        return self.timers.deadline()

    def _over(self, transport: str, local: int) -> int | None:
        """Our socket for `transport` in the address family of socket `local`: its own host's, if
        there is one; None when we do not speak it."""
        like = self.listens[local]
        if like.transport == transport:
            return local
        fit = [
            index for index, listen in enumerate(self.listens)
            if listen.transport == transport and (":" in listen.host) == (":" in like.host)
        ]  # fmt: skip
        return next((i for i in fit if self.listens[i].host == like.host), fit[0] if fit else None)

    def _bound(self, local: int, remote: Address) -> Address:
        listen = self.listens[local]
        return listen.host, listen.port

    def _at(self, local: int, remote: Address) -> str:
        """host:port that `remote` reaches us by."""
        address = self.advertise(local, remote)
        if address not in self.own:
            self.own.add(address)
            self.allowed.discard(address)
        return host_text(address)

    def _contact(self, user: str, sent_by: str, local: int) -> str:
        transport = f";transport={self.listens[local].transport}" if self.reliable[local] else ""
        return f"<sip:{user}@{sent_by}{transport}>" if user else f"<sip:{sent_by}{transport}>"

    def _token(self) -> str:
        return f"{self.chance.getrandbits(64):016x}"

    def _call_id(self) -> str:
        return f"{self.chance.getrandbits(96):024x}"

    def _send(self, data: bytes, remote: Address, local: int) -> bool:
        """Queue a datagram; False, and counted, for where nothing may go (RFC 4475 3.1.2.6)."""
        if remote not in self.allowed and not self._allow(remote):
            self.blocked += 1
            return False
        self.outgoing.append((data, remote, local))
        return True

    def _allow(self, remote: Address) -> bool:
        if remote in self.own or reach(remote[0]) <= FORBIDDEN or not 0 < remote[1] < 65536:
            return False
        if len(self.allowed) >= MAX_ALLOWED:
            self.allowed.clear()
        self.allowed.add(remote)
        return True

    def _next_gap(self, tx: ClientTransaction | ServerTransaction, now: float) -> None:
        """Arm the timer of the next sending, unless the schedule is at its end."""
        gaps = tx.gaps
        if tx.sends < len(gaps):
            tx.resend = self.timers.start(gaps[tx.sends], tx, "resend", now)
            tx.sends += 1

    def _live(self, tx: ClientTransaction | ServerTransaction, kind: str, seconds: float,
              now: float) -> None:  # fmt: skip
        """Arm the timer that ends or times out the transaction, in place of the present one."""
        timer = tx.life
        if timer is not None:
            timer.owner = None
        tx.life = self.timers.start(seconds, tx, kind, now)

    def _wait(self, tx: ClientTransaction | ServerTransaction, seconds: float, now: float) -> None:
        """Stop sending and stay to absorb retransmissions, which reliable transports have not."""
        stop_resend(tx)
        self._live(tx, "expire", 0.0 if self.reliable[tx.local] else seconds, now)

    def _end_client(self, tx: ClientTransaction) -> None:
        self.clients.pop(tx.key, None)
        stop(tx)
        dialog, tx.dialog = tx.dialog, None
        if dialog is not None and dialog.pending is tx:
            dialog.pending = None

    def _end_server(self, tx: ServerTransaction) -> None:
        self.servers.pop(tx.key, None)
        if tx.merge and self.merges.get(tx.merge) is tx:
            del self.merges[tx.merge]
        stop(tx)
        dialog, tx.dialog = tx.dialog, None
        if dialog is not None and dialog.server is tx:
            dialog.server = None

    def _forget(self, dialog: Dialog) -> None:
        """Let a dialog go; its transactions finish without it."""
        if self.dialogs_by_tag.get(dialog.local_tag) is dialog:
            del self.dialogs_by_tag[dialog.local_tag]
        dialog.state = "ended"
        server, dialog.server = dialog.server, None
        if server is not None:
            server.dialog = None
            if server.state == "accepted":
                stop_resend(server)
        pending, dialog.pending = dialog.pending, None
        if pending is not None:
            pending.dialog = None
        dialog.invite = dialog.early = dialog.invite_message = dialog.reliable = None


def stop_resend(tx: ClientTransaction | ServerTransaction) -> None:
    timer = tx.resend
    if timer is not None:
        timer.owner = None
        tx.resend = None


def stop(tx: ClientTransaction | ServerTransaction) -> None:
    stop_resend(tx)
    timer = tx.life
    if timer is not None:
        timer.owner = None
        tx.life = None
