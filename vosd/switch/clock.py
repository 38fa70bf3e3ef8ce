# SPDX-License-Identifier: GPL-2.0-or-later
"""One moment, told twice."""

from __future__ import annotations

import msgspec


class Clock(msgspec.Struct, frozen=True):
    """Now: `mono` seconds for spans, `wall` Unix seconds for records."""

    mono: float
    wall: float
