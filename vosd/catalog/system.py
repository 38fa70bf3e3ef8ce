# SPDX-License-Identifier: GPL-2.0-or-later
"""System parameters: the daemon itself."""

from __future__ import annotations

from vosd.catalog.kinds import Duration
from vosd.catalog.param import Param

ROWS = (
    Param(
        name="SERVER_DRAIN_TIMEOUT", kind=Duration(low=0, high=3600), default="300",
        group="system", takes_effect="next stop", obeyed=True,
        summary="how long a stopping daemon lets live calls go on",
        detail="Read once, when a stop begins: a stop under way keeps the time it began with. New"
        " calls get 503 meanwhile. Keep it below the service manager's stop time-out. Our own"
        " parameter.",
    ),
)
