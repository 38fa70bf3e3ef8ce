# SPDX-License-Identifier: GPL-2.0-or-later
"""The switch's configuration as decisions see it: frozen rows and the indexes over them.

A snapshot is built whole from the store and swapped whole, so a decision never sees half of a
change. Secrets ride along for the SIP layer and are never shown.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["mapping", "routing"]
Auth: TypeAlias = Literal["ip", "ip_port", "password"]
Side: TypeAlias = Literal["caller", "callee", "both"]


class GatewayAddress(msgspec.Struct, frozen=True):
    """Where a gateway is: `host` an IP address literal or a name, `port` 1-65535."""

    host: str
    port: int = 5060
    transport: str = "udp"


class Outward(msgspec.Struct, frozen=True, kw_only=True):
    """How we register with a vendor, as the gateway's user with its password."""

    active: bool = False
    #: None: at the gateway's own address
    registrar: GatewayAddress | None = None
    #: of our address of record; "": the registrar's host
    domain: str = ""


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping gateway (customer trunk) or a routing gateway (vendor trunk)."""

    name: str
    kind: Kind
    addresses: tuple[GatewayAddress, ...] = ()
    auth: Auth = "ip"
    user: str = ""
    #: HA1 per digest algorithm for what the gateway proves to us, "" when none is set
    ha1_md5: str = ""
    ha1_sha256: str = ""
    #: what we prove to the gateway (outbound digest); kept because HA1 needs the vendor's realm
    password: str = ""
    #: called-number prefixes a routing gateway serves; ("",) serves every number
    prefixes: tuple[str, ...] = ("",)
    #: lower is tried first
    priority: int = 0
    #: concurrent calls; 0 is unlimited
    capacity: int = 0
    account: str = ""
    enabled: bool = True
    outward: Outward = Outward()
    #: parameter overrides by name, in the catalogue's stored text
    overrides: dict[str, str] = {}

    def __repr__(self) -> str:
        """Without what must not reach a traceback."""
        return f"<Gateway {self.name} {self.kind}>"


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """A registered user; `number` is both user name and E.164 number."""

    number: str
    ha1_md5: str = ""
    ha1_sha256: str = ""
    account: str = ""
    enabled: bool = True
    display: str = ""
    overrides: dict[str, str] = {}

    def __repr__(self) -> str:
        """Without what must not reach a traceback."""
        return f"<Phone {self.number}>"


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the system black list (no group): a number or a prefix, and which side."""

    number: str
    prefix: bool = False
    side: Side = "both"
    #: Unix seconds, None never expires
    expires: float | None = None
    why: str = ""
    created: float = 0.0
    created_by: str = ""


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """One registered contact of a phone."""

    number: str
    #: Contact URI as the phone wrote it
    contact: str
    #: where its REGISTER came from: requests to the phone go there
    host: str
    port: int
    transport: str = "udp"
    #: index of our listening socket it came in on
    local: int = 0
    #: Unix seconds
    expires: float
    registered: float
    call_id: str
    cseq: int
    user_agent: str = ""
    #: source differs from the Contact's host and port
    nat: bool = False
