# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the engine's time comes from: the system's clocks, or a test's."""

from __future__ import annotations

import time
from collections.abc import Callable

from vosd.switch.clock import Clock


class Clocks:
    """A monotonic clock and a wall clock, both in seconds."""

    __slots__ = ("mono", "wall")

    def __init__(
        self,
        mono: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.mono = mono
        self.wall = wall

    def now(self) -> Clock:
        """This moment."""
        return Clock(self.mono(), self.wall())

    def at(self, mono: float) -> Clock:
        """The moment a pass began at, by the monotonic clock read then."""
        return Clock(mono, self.wall())
