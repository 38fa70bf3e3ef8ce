# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures as text: unknown is "-", a bad one is coloured by its band, times are local."""

from __future__ import annotations

import time
from collections.abc import Sequence

from vosctl.console import Cell, Text

UNKNOWN = "-"
NOT_RELAYED = "not relayed"

#: above which a figure is a warning, and critical (CC-07, CC-08, CC-10)
LOSS_PERCENT = (0.5, 2.0)
JITTER_MS = (20.0, 50.0)
RTT_MS = (300.0, 500.0)


def graded(value: float | None, band: tuple[float, float], digits: int = 1) -> Text:
    """The figure, coloured when it is above its band."""
    if value is None:
        return UNKNOWN
    style = "bad" if value > band[1] else "warn" if value > band[0] else ""
    return Cell(f"{value:.{digits}f}", style)


def number(value: float | None, digits: int = 0) -> str:
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def yes(value: bool | None) -> str:
    return UNKNOWN if value is None else "yes" if value else "no"


def words(values: Sequence[str]) -> str:
    return " ".join(values) or UNKNOWN


def moment(at: float | None) -> str:
    """Local date and time, to the second."""
    if at is None:
        return UNKNOWN
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def clock(seconds: float) -> str:
    """A call's length as `m:ss` or `h:mm:ss`."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count(number: int, what: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
