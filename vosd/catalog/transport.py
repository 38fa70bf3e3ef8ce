# SPDX-License-Identifier: GPL-2.0-or-later
"""Transport parameters: TCP and TLS connections of SIP. All are our own."""

from __future__ import annotations

from vosd.catalog.kinds import Duration, Integer, Switch, Word
from vosd.catalog.param import Param

ROWS = (
    Param(
        name="SS_SIP_TCP_CONNECT_TIMEOUT", kind=Duration(low=1, high=32), default="4",
        group="transport", takes_effect="now", obeyed=True,
        summary="how long a TCP or TLS connection to a gateway may take to stand",
        detail="When it passes, what waited for the connection fails and a call goes to its next"
        " route. Our own parameter.",
    ),
    Param(
        name="SS_SIP_TCP_IDLE", kind=Duration(low=60, high=86400), default="3600",
        group="transport", takes_effect="now", obeyed=True,
        summary="how long a connection may carry no message before it is closed",
        detail="A phone behind NAT is reached only by the connection it opened: keep this above"
        " SS_ENDPOINT_EXPIRE. A connection that never carried a whole message is closed after"
        " 10 s. Our own parameter.",
    ),
    Param(
        name="SS_SIP_TCP_PER_SOURCE", kind=Integer(low=1, high=65535), default="256",
        group="transport", takes_effect="now", obeyed=True,
        summary="most connections from one source, an IPv4 address or an IPv6 /64",
        detail="One more closes the one of that source that was used longest ago, and is refused"
        " while all of them were used within 10 s. Per listening socket. Our own parameter.",
    ),
    Param(
        name="SS_SIP_TCP_CONNECTIONS", kind=Integer(low=16, high=65535), default="8192",
        group="transport", takes_effect="now", obeyed=True,
        summary="most connections of one listening socket",
        detail="One more closes one that never carried a message, else the stranger's used longest"
        " ago, and is refused when all are of gateways and registered phones."
        " Each takes a file descriptor (LimitNOFILE of the service). Our own parameter.",
    ),
    Param(
        name="SS_SIP_LARGE_REQUESTS", kind=Word(words={"tcp": None, "udp": None}),
        default="tcp", group="transport", takes_effect="now", obeyed=True,
        summary="how a request over 1300 octets goes to a peer that is reached by UDP",
        detail="tcp, as RFC 3261 18.1.1 wants it, where vosd listens on TCP: networks drop"
        " fragments. A peer that takes no connection gets it by UDP after all, and at once for the"
        " next 10 minutes. Our own parameter.",
    ),
    Param(
        name="SS_SIP_TLS_VERIFY", kind=Switch(), default="on",
        group="transport", takes_effect="now", obeyed=True, overridable=True,
        summary="whether the certificate of a TLS gateway must carry its name and be trusted",
        detail="The name or address written in the gateway's address is looked for (RFC 5922 7.1),"
        " authorities are those of [tls] in vosd.toml, else the system's. off keeps listeners out,"
        " not impostors; connections that stand stay. Our own parameter.",
    ),
    Param(
        name="SS_SIP_TLS_CLIENTS",
        kind=Word(words={"off": None, "request": None, "require": None}), default="off",
        group="transport", takes_effect="now", obeyed=True,
        summary="whether who connects to us by TLS must show a certificate",
        detail="request verifies one that is shown, require refuses a connection without one;"
        " authorities as for SS_SIP_TLS_VERIFY. Our own parameter.",
    ),
)
