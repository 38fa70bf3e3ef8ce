# SPDX-License-Identifier: GPL-2.0-or-later
"""Overload parameters: what is served first, and whom there is no time for. All are our own."""

from __future__ import annotations

from vosd.catalog.kinds import Integer
from vosd.catalog.param import Param

ROWS = (
    Param(
        name="SS_OVERLOAD_INVITE_AGE", kind=Integer(low=20, high=5000, unit="ms"), default="250",
        group="overload", takes_effect="now", obeyed=True,
        summary="how long a new INVITE may wait to be read before it is refused",
        detail="While more comes than can be served, what belongs to live calls is served first"
        " and new calls wait. One that waited longer than this gets 503 with a Retry-After of 5 to"
        " 30 s, drawn for each. reliability.md section 5. Our own parameter.",
    ),
    Param(
        name="SS_OVERLOAD_STRANGERS", kind=Integer(low=10, high=100000, unit="messages/s"),
        default="1000",
        group="overload", takes_effect="now", obeyed=True,
        summary="messages a second read from addresses of no gateway and no registered phone",
        detail="All strangers share it; what exceeds it is dropped unread, by TCP and TLS with"
        " its connection, so that a flood from the internet leaves the calls of known gateways"
        " alone. A TLS handshake counts as ten messages. It bounds how fast new phones"
        " can register after an outage. Our own parameter.",
    ),
)
