# SPDX-License-Identifier: GPL-2.0-or-later
"""Parameters of seeing: traces of the signalling, their copy to Homer, figures for Prometheus."""

from __future__ import annotations

from vosd.catalog.kinds import Duration, Integer, SocketAddress, Word
from vosd.catalog.param import Param

ROWS = (
    Param(
        name="SS_TRACE_TIME", kind=Duration(low=10, high=7200), default="600",
        group="trace", takes_effect="now", obeyed=True,
        summary="how long a trace runs when it was started without --for",
        detail="10 to 30 minutes are usual. A trace costs memory and time for each message and"
        " holds what callers sent, so none runs for ever: 2 hours at most. Our own parameter.",
        rows=("DBG-01",),
    ),
    Param(
        name="SS_TRACE_MEMORY", kind=Integer(low=1, high=1024, unit="MiB"), default="16",
        group="trace", takes_effect="now", obeyed=True,
        summary="memory one trace may take; then its oldest messages go",
        detail="About 1000 messages fit into 1 MiB. How many went is shown. Our own parameter.",
    ),
    Param(
        name="SS_TRACE_MEMORY_TOTAL", kind=Integer(low=1, high=4096, unit="MiB"), default="64",
        group="trace", takes_effect="now", obeyed=True,
        summary="memory all traces together may take; then the oldest messages of all go",
        detail="A message in two traces counts twice. Our own parameter.",
    ),
    Param(
        name="SS_HEP_ADDRESS", kind=SocketAddress(), default="off",
        group="trace", takes_effect="now", obeyed=True,
        summary="collector (Homer, heplify-server) that gets a copy of the signalling as HEPv3",
        detail="UDP. Both legs of a call carry the switch's id of the call as correlation id."
        " Nothing waits for the collector: what the socket does not take is counted as"
        " hep_dropped. The copy is not encrypted, also of what came over TLS: keep the way to the"
        " collector private. Our own parameter.",
    ),
    Param(
        name="SS_HEP_CAPTURE_ID", kind=Integer(low=0, high=4294967295), default="2001",
        group="trace", takes_effect="now", obeyed=True,
        summary="number this node is known by at the collector",
        detail="Our own parameter.",
    ),
    Param(
        name="SS_HEP_MESSAGES", kind=Word(words={"all": None, "traced": None}), default="all",
        group="trace", takes_effect="now", obeyed=True,
        summary="what the collector gets: every SIP message, or what a running trace keeps",
        detail="Our own parameter.",
    ),
    Param(
        name="SS_METRICS_ADDRESS", kind=SocketAddress(), default="off",
        group="metrics", takes_effect="now", obeyed=True,
        summary="TCP address that serves /metrics to Prometheus",
        detail="127.0.0.1:9188 is usual. Who can reach it reads the names of the gateways and how"
        " much they carry, and no numbers, addresses or secrets; there is no password: bind it to"
        " an address only the monitoring reaches. Our own parameter.",
    ),
)  # fmt: skip
