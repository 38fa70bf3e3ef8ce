# SPDX-License-Identifier: GPL-2.0-or-later
"""The shape of a finding's row; the rows themselves stand in endings, missing, bad and notes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec

from vosd.diagnose.trace import Evidence, Leg, Trace
from vosd.wire.diagnosis import Confidence, Severity

Applies: TypeAlias = Callable[[Trace, Leg], Evidence | None]
Legs: TypeAlias = Literal["call", "each"]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """When it applies, the cause, the one thing to change, and what would disprove it.

    `each` asks about both legs in turn, `call` once; `side` is for the latter. Placeholders of
    the texts: {who} `A (gateway acme)`, {party} `acme`, {other} the other side's {who}, {scope}
    the option that limits a parameter to that gateway, {local} where it was told to send.
    """

    code: str
    title: str
    applies: Applies
    legs: Legs = "call"
    side: str = "both"
    severity: Severity = "warning"
    confidence: Confidence = "certain"
    cause: str
    change: str
    disproof: str
    rows: tuple[str, ...]
