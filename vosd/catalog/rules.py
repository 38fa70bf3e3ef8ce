# SPDX-License-Identifier: GPL-2.0-or-later
"""What values must fulfil together: a set that breaks a row here is refused whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

Values = Mapping[str, Any]


class Together(msgspec.Struct, frozen=True, kw_only=True):
    """`holds` for good values; `accepts` says what would be."""

    names: tuple[str, ...]
    holds: Callable[[Values], bool]
    accepts: str
    rows: tuple[str, ...] = ()


TOGETHER = (
    Together(
        names=("SS_SIP_SESSION_TTL", "SS_SIP_SESSION_MIN_SE"),
        holds=lambda v: bool(v["SS_SIP_SESSION_TTL"] >= v["SS_SIP_SESSION_MIN_SE"]),
        accepts="SS_SIP_SESSION_TTL at or above SS_SIP_SESSION_MIN_SE (RFC 4028 5)",
        rows=("D21",),
    ),
    Together(
        names=("SS_MEDIAPROXYPORT_START", "SS_MEDIAPROXYPORT_END"),
        holds=lambda v: bool(v["SS_MEDIAPROXYPORT_END"] - v["SS_MEDIAPROXYPORT_START"] >= 3),
        accepts="SS_MEDIAPROXYPORT_END at least 3 above SS_MEDIAPROXYPORT_START"
        " (four ports a call)",
        rows=("MP-08", "MP-09"),
    ),
    Together(
        names=("SS_JITTERBUFFER_MIN", "SS_JITTERBUFFER_MAX"),
        holds=lambda v: bool(v["SS_JITTERBUFFER_MIN"] <= v["SS_JITTERBUFFER_MAX"]),
        accepts="SS_JITTERBUFFER_MIN at or below SS_JITTERBUFFER_MAX",
        rows=("JB-06", "JB-07"),
    ),
)


def broken(values: Values) -> Together | None:
    """The first row the values break."""
    return next((row for row in TOGETHER if not row.holds(values)), None)
