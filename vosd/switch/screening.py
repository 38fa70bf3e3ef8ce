# SPDX-License-Identifier: GPL-2.0-or-later
"""May this caller reach this callee: the system black list, both sides, every path in."""

from __future__ import annotations

import msgspec

from vosd.switch.blacklist import Blacklist
from vosd.switch.tables import Listed

__all__ = ["Blacklist", "Checked", "check", "screen"]


class Checked(msgspec.Struct, frozen=True):
    """What decides about one number: the blocking row per side, None where it passes."""

    as_caller: Listed | None
    as_callee: Listed | None


def screen(caller: str, callee: str, now: float, blacklist: Blacklist) -> Listed | None:
    """The row that stops a call from `caller` to `callee` at `now`, or None."""
    return blacklist.find(caller, "caller", now) or blacklist.find(callee, "callee", now)


def check(number: str, now: float, blacklist: Blacklist) -> Checked:
    """Would a call from `number`, and a call to it, pass; by the very look-ups of `screen`."""
    return Checked(blacklist.find(number, "caller", now), blacklist.find(number, "callee", now))
