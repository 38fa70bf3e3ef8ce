# SPDX-License-Identifier: GPL-2.0-or-later
"""The row of the parameter table, and the words its fields are written in."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from vosd.catalog.kinds import Kind

Effect: TypeAlias = Literal[
    "now", "next call", "new registrations", "listening sockets restart", "next stop"
]

#: group name -> what it holds; a group is also what the engine applies at once
GROUPS = {
    "timeouts": "SIP time-outs and retransmission",
    "session": "session timer (RFC 4028)",
    "nat": "NAT keep-alive",
    "transport": "TCP and TLS connections of SIP",
    "overload": "what is served first when more comes than can be",
    "routing": "hunting for a routing gateway",
    "media": "media proxy and RTP ports",
    "jitter": "jitter buffer",
    "audio": "echo, gain and comfort noise",
    "qos": "DSCP marks on what the switch sends",
    "registration": "registration of phones with us and of us with vendors",
    "authentication": "digest authentication",
    "records": "call records",
    "accounts": "account checks",
    "trace": "traces of the signalling, and its copy to Homer (HEP)",
    "metrics": "figures for Prometheus",
    "system": "the daemon itself",
}

#: where the manual the source cites keeps system parameters: its two descriptions disagree (D10)
PATHS = (
    "System Management > System Parameter",
    "Operation management > Softswitch management > Additional settings > System parameter",
)


class Param(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter: everything that is known of it stands here and nowhere else."""

    name: str
    kind: Kind
    #: text the kind parses
    default: str
    group: str
    takes_effect: Effect
    #: one line, lower case, no full stop
    summary: str
    detail: str = ""
    #: whether anything in this version acts on it
    obeyed: bool = False
    #: a gateway may have its own value
    overridable: bool = False
    #: it changes how calls sound: one at a time, measured in between (MIS-05)
    audible: bool = False
    #: manual section or page
    manual: str = ""
    rows: tuple[str, ...] = ()
    #: what the source says otherwise and which standard decides (D rows)
    corrected: str = ""
    #: the source's value where the default differs from it
    seed: str = ""

    @property
    def initial(self) -> Any:
        """The default, typed."""
        return self.kind.parse(self.default)


def check_all(rows: tuple[Param, ...]) -> dict[str, Param]:
    """Rows by name; raises ValueError on a row that contradicts itself or another."""
    table: dict[str, Param] = {}
    for row in rows:
        if row.name in table:
            raise ValueError(f"cannot list {row.name} twice")
        if row.group not in GROUPS:
            raise ValueError(f"cannot put {row.name} into the unknown group {row.group!r}")
        row.kind.parse(row.default)
        table[row.name] = row
    return table
