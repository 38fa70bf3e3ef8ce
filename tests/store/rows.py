# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows the tests of the store share."""

from __future__ import annotations

from vosd.wire.records import AuditRow, Cdr

#: texts that break what is glued together instead of bound, and text no UTF-8 holds
HOSTILE = (
    "'; DROP TABLE calls; --",
    '" OR 1=1 --',
    "$(reboot)",
    "%s %d {0} :name ?",
    "49*_%",
    "a\x00b",
    "\r\n\x1b[2J",
    "шлюз-日本-\U0001f4de",
    "",
    "x" * 5000,
)


def entry(
    verb: str = "test.change", subject: str = "x", at: float = 1000.5, why: str = ""
) -> AuditRow:
    return AuditRow(
        at=at, uid=1000, user="ada", verb=verb, subject=subject, old="1", new="2", why=why
    )


def answered(id: str, at: float = 100.0, **changes: object) -> Cdr:
    row = {
        "id": id,
        "node": "edge-1",
        "caller": "4930123",
        "callee": "442071",
        "mapping": "customer",
        "routing": "vendor",
        "started_at": at,
        "ringing_at": at + 1.5,
        "answered_at": at + 4.25,
        "state": "open",
    }
    return Cdr(**(row | changes))  # type: ignore[arg-type]


def ended(id: str, at: float = 100.0, **changes: object) -> Cdr:
    row: dict[str, object] = {
        "ended_at": at + 64.25,
        "duration_s": 60.0,
        "end_reason": "normal",
        "ended_by": "caller",
        "sip_code": 200,
        "q850": 16,
        "state": "closed",
    }
    return answered(id, at, **(row | changes))
