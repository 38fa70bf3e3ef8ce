# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked and answered about traces of the signalling."""

from __future__ import annotations

from typing import Literal

import msgspec

from vosd.wire.records import VERSION

#: the longest a trace may run, seconds
LONGEST_S = 7200.0


class TraceStart(msgspec.Struct, kw_only=True):
    """What is given must all match; nothing given is every message."""

    #: beginnings of numbers
    caller: str = ""
    callee: str = ""
    gateway: str = ""
    #: a live call's id, the start of it, or a SIP Call-ID of it
    call: str = ""
    #: None: SS_TRACE_TIME
    for_s: float | None = None
    why: str = ""
    dry_run: bool = False


class TraceStop(msgspec.Struct, kw_only=True):
    """`id` None: the one that runs."""

    id: str | None = None
    all: bool = False
    why: str = ""
    dry_run: bool = False


class TraceView(msgspec.Struct, kw_only=True):
    """A trace that runs, or ran since the daemon started; none outlives it."""

    id: str
    state: Literal["running", "ended"]
    caller: str = ""
    callee: str = ""
    gateway: str = ""
    call: str = ""
    started_at: float
    #: when it ended or will
    until: float
    #: why it ended: time, stopped
    ended: str = ""
    calls: int = 0
    messages: int = 0
    #: memory its messages take
    octets: int = 0
    #: oldest messages that were let go for want of memory
    dropped: int = 0


class TraceList(msgspec.Struct, kw_only=True):
    version: int = VERSION
    traces: list[TraceView] = []


class TraceDetail(msgspec.Struct, kw_only=True):
    version: int = VERSION
    trace: TraceView
    dry_run: bool = False


class TracesStopped(msgspec.Struct, kw_only=True):
    version: int = VERSION
    traces: list[TraceView] = []
    dry_run: bool = False


class TraceMessage(msgspec.Struct, kw_only=True):
    """One SIP message as it crossed a socket of the switch."""

    at: float
    direction: Literal["in", "out"]
    transport: str
    #: each "host:port", an IPv6 host in brackets
    source: str
    destination: str
    #: the call's id and its leg, "" for what belongs to none
    call: str = ""
    leg: Literal["a", "b", ""] = ""
    #: the message where it is UTF-8
    text: str = ""
    #: else its octets
    data: bytes = b""

    @property
    def octets(self) -> bytes:
        """The message exactly as it was."""
        return self.data or self.text.encode()
