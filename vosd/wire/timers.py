# SPDX-License-Identifier: GPL-2.0-or-later
"""How the session of one leg is kept (RFC 4028); part of the record of a call."""

from __future__ import annotations

from typing import Literal

import msgspec


class RefreshTrouble(msgspec.Struct, kw_only=True):
    """A refresh of a session, or a question whether the party lives, that was not granted."""

    at: float
    by: Literal["switch", "party"]
    #: UPDATE, re-INVITE, OPTIONS, INVITE; "" where none came
    method: str = ""
    #: 0: nobody answered
    code: int = 0
    note: str = ""


class TimerView(msgspec.Struct, kw_only=True):
    """The session timer of one leg (RFC 4028), or how a party without one is watched."""

    #: seconds agreed on, 0: the party knows no session timer; and who refreshes
    interval_s: int = 0
    refresher: Literal["switch", "party", ""] = ""
    #: how often the switch refreshes, or asks a party without timer; None: never
    every_s: float | None = None
    #: by which the last refresh was granted, and the next one is asked for
    method: str = ""
    #: refreshes granted, by either side, and the last of them
    granted: int = 0
    last_at: float | None = None
    #: when the switch acts next; when the call ends unless the session is refreshed
    next_at: float | None = None
    ends_at: float | None = None
    #: greatest length of the call for want of a timer, None: no limit
    cap_s: float | None = None
    #: 422 that the party answered, and the Min-SE of the last one
    refusals: int = 0
    min_se: int = 0
    #: the latest that were not granted, and how many there were
    trouble: list[RefreshTrouble] = []
    troubles: int = 0
