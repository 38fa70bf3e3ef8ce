# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client may ask over the control socket, and the replies that are no plain record.

Query structs hold what rides in the URL; the others are JSON bodies. Unknown fields are refused
by the server with their name. Times are Unix seconds, lengths of time end in `_s`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from vosd.wire.records import VERSION, BlacklistRow, CallView, GatewayView, PhoneView


class Sealed(msgspec.Struct, kw_only=True):
    """A request that may carry a password: its repr shows none of its values."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class Change(msgspec.Struct, kw_only=True):
    """The least every change carries: why, for the audit, and whether only to show it."""

    why: str = ""
    dry_run: bool = False


class GatewayAdd(Sealed, kw_only=True):
    name: str
    kind: Literal["mapping", "routing"]
    #: each "host[:port][/udp|tcp|tls]"
    addresses: list[str] = []
    auth: Literal["ip", "ip_port", "password"] = "ip"
    user: str = ""
    password: str | None = None
    #: called-number prefixes of a routing gateway; none serves every number
    prefixes: list[str] = []
    priority: int = 0
    capacity: int = 0
    account: str = ""
    #: register with a vendor: at its own address or at `registrar`, for `domain` or its host
    register: bool = False
    registrar: str = ""
    domain: str = ""
    why: str = ""
    dry_run: bool = False


class GatewaySet(Sealed, kw_only=True):
    """Fields by their names in `GATEWAY_KEYS`, each value as text; lists by comma."""

    values: dict[str, str] = {}
    password: str | None = None
    why: str = ""
    dry_run: bool = False


class PhoneAdd(Sealed, kw_only=True):
    number: str
    password: str
    account: str = ""
    display: str = ""
    why: str = ""
    dry_run: bool = False


class PhoneSet(Sealed, kw_only=True):
    """Fields by their names in `PHONE_KEYS`, each value as text."""

    values: dict[str, str] = {}
    password: str | None = None
    why: str = ""
    dry_run: bool = False


#: what `gateway set` and `phone set` accept
GATEWAY_KEYS = (
    "address", "auth", "user", "prefix", "priority", "capacity", "account", "register",
    "registrar", "domain",
)  # fmt: skip
PHONE_KEYS = ("account", "display", "enabled")


class BlacklistAdd(msgspec.Struct, kw_only=True):
    numbers: list[str]
    prefix: bool = False
    side: Literal["caller", "callee", "both"] = "both"
    #: from now; None never expires
    expires_s: float | None = None
    why: str = ""
    dry_run: bool = False


class BlacklistRemove(msgspec.Struct, kw_only=True):
    numbers: list[str]
    why: str = ""
    dry_run: bool = False


class BlacklistCheckQuery(msgspec.Struct, kw_only=True):
    number: str
    #: which mapping gateway the call would come in on; must exist when given
    gateway: str | None = None


class CallQuery(msgspec.Struct, kw_only=True):
    gateway: str | None = None


class CallHangup(msgspec.Struct, kw_only=True):
    ids: list[str]
    why: str = ""
    dry_run: bool = False


class CdrQuery(msgspec.Struct, kw_only=True):
    since: float | None = None
    until: float | None = None
    caller: str | None = None
    callee: str | None = None
    gateway: str | None = None
    reason: str | None = None
    limit: int = 50


class DiagnoseQuery(msgspec.Struct, kw_only=True):
    """One of the two: a call id, or which call to pick."""

    id: str | None = None
    pick: Literal["last", "worst"] | None = None


class FieldChange(msgspec.Struct, kw_only=True):
    name: str
    old: str
    new: str


class GatewayDetail(msgspec.Struct, kw_only=True):
    version: int = VERSION
    gateway: GatewayView


class GatewayChanged(msgspec.Struct, kw_only=True):
    version: int = VERSION
    gateway: GatewayView
    changes: list[FieldChange] = []
    warnings: list[str] = []
    dry_run: bool = False


class GatewayProbe(msgspec.Struct, kw_only=True):
    version: int = VERSION
    name: str
    up: bool
    #: what answered, for instance "200 OK", or why nothing did
    answer: str
    took_ms: float


class PhoneDetail(msgspec.Struct, kw_only=True):
    version: int = VERSION
    phone: PhoneView


class PhoneChanged(msgspec.Struct, kw_only=True):
    version: int = VERSION
    phone: PhoneView
    changes: list[FieldChange] = []
    dry_run: bool = False


class BlacklistChanged(msgspec.Struct, kw_only=True):
    version: int = VERSION
    added: list[BlacklistRow] = []
    removed: list[BlacklistRow] = []
    dry_run: bool = False


class CallDetail(msgspec.Struct, kw_only=True):
    version: int = VERSION
    call: CallView


class CallsHungUp(msgspec.Struct, kw_only=True):
    version: int = VERSION
    ids: list[str]
    dry_run: bool = False
