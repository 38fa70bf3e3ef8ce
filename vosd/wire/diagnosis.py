# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked and answered about many calls at once; one call's `Diagnosis` is a record."""

from __future__ import annotations

import msgspec

from vosd.wire.records import VERSION, Severity


class SessionQuery(msgspec.Struct, kw_only=True):
    #: a call's id or the start of it
    id: str


class RecentQuery(msgspec.Struct, kw_only=True):
    #: only calls that began then or later, Unix seconds
    since: float | None = None


class BadCall(msgspec.Struct, kw_only=True):
    """One call that is wrong, by its first finding."""

    id: str
    live: bool = False
    caller: str
    callee: str
    mapping: str = ""
    routing: str = ""
    started_at: float
    severity: Severity
    #: of its first finding
    code: str
    side: str
    verdict: str


class RecentCalls(msgspec.Struct, kw_only=True):
    """The bad ones, worst first, among the calls that were looked at."""

    version: int = VERSION
    calls: list[BadCall] = []
    finished: int = 0
    live: int = 0
    #: at most so many finished and so many live calls are looked at
    limit: int = 0
