# SPDX-License-Identifier: GPL-2.0-or-later
"""A dialog (RFC 3261 12): identity, sequence numbers, and where its next request goes.

What the peer told us (Contact, Record-Route) is kept as received text and read when a request
of ours needs it: the side that hangs up last never costs anything.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from vosd.sip.errors import SipParseError
from vosd.sip.header import NameAddr, split_list

if TYPE_CHECKING:
    from vosd.sip.events import Address
    from vosd.sip.message import Message
    from vosd.sip.reliable import Reliable
    from vosd.sip.session_timer import Session
    from vosd.sip.transaction import InviteClient, InviteServer

# How far an address can be reached from; a peer's Contact never leads to a nearer place.
NAME, FORBIDDEN, LOOPBACK, LINK, PRIVATE, GLOBAL = range(6)
BROADCAST = ipaddress.IPv4Address("255.255.255.255")


class Invite(msgspec.Struct, frozen=True):
    """An INVITE to send. `from_` and `to` are header values without tag; `routes` Route values.

    `destination` is an address, never a name. `credentials` (user, password) answer a 401 or
    407 once per realm.
    """

    uri: str
    destination: Address
    local: int
    from_: str
    to: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    routes: tuple[str, ...] = ()
    credentials: tuple[str, str] | None = None
    max_forwards: int = 70
    contact_user: str = ""
    #: `destination` is the far end of a connection the peer opened
    flow: bool = False
    #: the callee is behind NAT: requests in the dialog go to `destination`, whatever its Contact
    pinned: bool = False


class Target(NamedTuple):
    """A Contact or Route value: its URI as text, host, port, whether it routes loosely, and the
    transport it asks for, "" for none."""

    uri: str
    host: str
    port: int
    loose: bool
    transport: str = ""


@functools.lru_cache(4096)
def reach(host: str) -> int:
    """What kind of address `host` is; FORBIDDEN is never sent to (RFC 4475 3.1.2.6 and others)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return NAME
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_multicast or address.is_unspecified or address == BROADCAST:
        return FORBIDDEN
    if address.is_loopback:
        return LOOPBACK
    if address.is_link_local:
        return LINK
    return GLOBAL if address.is_global else PRIVATE


@functools.lru_cache(4096)
def read_target(value: str) -> Target | None:
    """Read the first value of a Contact or Route; None when it is no SIP URI."""
    value = split_list(value)[0] if value else ""
    try:
        uri = NameAddr.parse(value).uri
    except SipParseError:
        return None
    if uri is None or uri.scheme not in ("sip", "sips") or not uri.host:
        return None
    loose, text = uri.loose, value[1 : value.find(">")]
    # A Request-URI carries neither headers nor a method (RFC 3261 19.1.1).
    if value[0] != "<" or uri.headers or "method" in uri.params:
        uri = msgspec.structs.replace(uri, headers="")
        uri.params = {name: text for name, text in uri.params.items() if name != "method"}
        text = str(uri)
    transport = "tls" if uri.scheme == "sips" else uri.transport
    return Target(text, uri.host, uri.port or default_port(transport), loose, transport)


def default_port(transport: str) -> int:
    """The port a URI without one means (RFC 3261 19.1.2)."""
    return 5061 if transport == "tls" else 5060


def host_text(address: Address) -> str:
    """host:port as Via and Contact write it."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Way(NamedTuple):
    """How a request is written, where it goes, and from which of our sockets."""

    uri: str
    routes: str
    remote: Address
    local: int


def path(target: Target, routes: tuple[str, ...]) -> tuple[str, str, Target | None]:
    """Request-URI, Route lines and next hop of a route set (RFC 3261 12.2.1.1).

    A strict router gets its own URI as Request-URI and the target as the last Route.
    """
    if not routes:
        return target.uri, "", target
    first = read_target(routes[0])
    if first is None or first.loose:
        return target.uri, "".join(f"Route: {route}\r\n" for route in routes), first
    lines = "".join(f"Route: {route}\r\n" for route in routes[1:])
    return first.uri, f"{lines}Route: <{target.uri}>\r\n", first


class Dialog:
    """One call leg's signalling relationship. `owner` belongs to the engine."""

    __slots__ = (
        "again", "call_id", "called", "charset", "contact", "credentials", "early", "farewell",
        "flow", "invite", "invite_message", "local", "local_contact", "local_cseq", "local_party",
        "local_tag", "owner", "pending", "pinned", "record", "reliable", "remote", "remote_cseq",
        "remote_party", "remote_tag", "rseq", "sent_by", "server", "session", "state", "way",
    )  # fmt: skip

    def __init__(self, call_id: str, local_tag: str, local: int, remote: Address) -> None:
        self.owner: Any = None
        self.call_id = call_id
        self.local_tag = local_tag
        self.remote_tag = ""
        #: index of our listening socket
        self.local = local
        #: where the peer was last heard from
        self.remote = remote
        self.state: Literal["early", "confirmed", "ended"] = "early"
        #: whether the peer opened the dialog
        self.called = False
        #: From and To values of our requests, with tags
        self.local_party = self.remote_party = ""
        #: CSeq number of our last request, and the highest of the peer's
        self.local_cseq = 0
        self.remote_cseq = 0
        #: host:port in our Via
        self.sent_by = ""
        #: our Contact
        self.local_contact = ""
        #: the peer's Contact value and the Record-Route values in the order we route, as received
        self.contact: str | None = None
        self.record: tuple[str, ...] = ()
        #: how our next request is written, once it was needed
        self.way: Way | None = None
        self.credentials: tuple[str, str] | None = None
        #: how our requests are encoded, so that the peer's octets come back as they were
        self.charset = "utf-8"
        #: the INVITE received, until it was acknowledged
        self.invite_message: Message | None = None
        #: the INVITE to send again when challenged, until its final answer
        self.invite: Invite | None = None
        #: the last provisional answer with a To tag
        self.early: Message | None = None
        #: an INVITE of the peer without ACK yet, and one of ours without ACK yet
        self.server: InviteServer | None = None
        self.pending: InviteClient | None = None
        #: header lines of a BYE that waits for the peer's ACK (RFC 3261 15)
        self.farewell: str | None = None
        #: `remote` is a connection the peer opened, which requests to it take while it stands
        self.flow = False
        #: the peer is behind NAT: its Contact is no address, requests without a route set go to
        #: where it was heard from
        self.pinned = False
        #: reliable provisional answers of ours, and tag and RSeq of the peer's last (RFC 3262)
        self.reliable: Reliable | None = None
        self.rseq: tuple[str, int] | None = None
        #: how often the peer repeated a 2xx that we had acknowledged
        self.again = 0
        #: the session timer agreed on (RFC 4028)
        self.session: Session | None = None

    @property
    def contact_line(self) -> str:
        """Our Contact as a header line."""
        return f"Contact: {self.local_contact}\r\n"

    @property
    def remote_target(self) -> str:
        """The URI our requests in the dialog are for."""
        return self.target().uri

    @property
    def route_set(self) -> tuple[str, ...]:
        """Route values in the order we send them."""
        return self.record

    def target(self) -> Target:
        """The peer's Contact, or its address when it gave none that can be used."""
        found = read_target(self.contact) if self.contact else None
        if found is None:
            host, port = self.remote
            return Target(f"sip:{host_text(self.remote)}", host, port, True)
        return found

    def follow(self, message: Message) -> None:
        """Take the remote target from a target refresh (RFC 3261 12.2)."""
        contact = message.get("contact")
        if contact is not None and contact != self.contact:
            self.contact = contact
            self.way = None

    def learn(self, message: Message) -> None:
        """Take the dialog's other half from an answer to our INVITE (12.1.2, 13.2.2.4)."""
        self.remote_tag = message.to_tag
        self.remote_party = message.get("to") or self.remote_party
        self.contact = message.get("contact")
        recorded = message.get("record-route") is not None
        self.record = tuple(reversed(message.all("record-route"))) if recorded else ()
        self.charset = message.charset
        self.way = None

    def route(
        self, own: Container[Address], over: Callable[[str, int], int | None] = lambda _, __: None
    ) -> Way:
        """How the next request is written, and where it goes.

        A host name, one of our `own` addresses, another address family, a transport `over` finds
        no socket of ours for, and an address of a narrower world than the one the peer was heard
        from (a private Contact behind NAT) give way to the address the peer was heard from. So
        does the peer's own address while the connection it opened stands: many a phone listens on
        none (RFC 5626 3.1).
        """
        uri, routes, hop = path(self.target(), self.record)
        remote, local = self.remote, self.local
        held = self.pinned or (self.flow and hop is not None and hop.host == remote[0])
        if hop is not None and (routes or not held):
            address = (hop.host, hop.port)
            socket = over(hop.transport, local) if hop.transport else local
            same_family = (":" in hop.host) == (":" in remote[0])
            if reach(hop.host) >= max(reach(remote[0]), LOOPBACK) and same_family and (
                address not in own
            ) and socket is not None:
                remote, local = address, socket
        return Way(uri, routes, remote, local)
