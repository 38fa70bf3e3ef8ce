# SPDX-License-Identifier: GPL-2.0-or-later
"""What a diagnosis is, of one call or of many, and how it is asked for."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from vosd.wire.records import VERSION, CallView

Severity: TypeAlias = Literal["ok", "info", "warning", "critical"]
Confidence: TypeAlias = Literal["certain", "likely", "possible"]


class Finding(msgspec.Struct, kw_only=True):
    """One cause, proven; a row of `diagnose.rules` filled with figures."""

    code: str
    title: str
    severity: Severity
    confidence: Confidence
    #: whose side: "a", "b", "switch", "both"
    side: str
    evidence: list[str] = []
    cause: str = ""
    #: the one thing to change, a command to paste where there is one
    change: str = ""
    disproof: str = ""
    #: requirement rows and standards behind it
    rows: list[str] = []


class Diagnosis(msgspec.Struct, kw_only=True):
    version: int = VERSION
    subject: str
    verdict: str
    severity: Severity
    #: name of the band profile used, "" where none is
    profile: str
    findings: list[Finding] = []
    call: CallView | None = None


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
