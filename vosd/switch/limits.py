# SPDX-License-Identifier: GPL-2.0-or-later
"""How much a customer and the whole switch may start: concurrent calls and calls a second."""

from __future__ import annotations

import msgspec


class StartRate(msgspec.Struct):
    """The times of the last `limit` admitted calls: never more than `limit` in any one second.

    Plain data; `times` is a ring whose oldest entry stands at `oldest`. A limit of 0 is none.
    """

    limit: int = 0
    times: list[float] = []
    oldest: int = 0

    def resize(self, limit: int) -> None:
        """Take a new limit, keeping the newest times that still count."""
        ordered = self.times[self.oldest :] + self.times[: self.oldest]
        self.times = ordered[-limit:] if limit else []
        self.limit = limit
        self.oldest = 0

    def admit(self, now: float) -> bool:
        """Count one new call at `now` (monotonic seconds); False refuses and counts nothing."""
        if self.limit == 0:
            return True
        if len(self.times) < self.limit:
            self.times.append(now)
            return True
        if now - self.times[self.oldest] < 1.0:
            return False
        self.times[self.oldest] = now
        self.oldest = (self.oldest + 1) % self.limit
        return True


def full(capacity: int, calls: int) -> bool:
    """Whether `calls` concurrent calls use up `capacity`; capacity 0 is unlimited."""
    return 0 < capacity <= calls


def refusal(capacity: int, calls: int, starts: StartRate, now: float) -> str | None:
    """Name of the end reason that refuses one more call of a customer, or None.

    `capacity` and `calls` are the customer's (mapping gateway or phone), `starts` the switch's
    (SS_MAX_CPS). A call refused for capacity does not count as a start.
    """
    if full(capacity, calls):
        return "limit_capacity"
    return None if starts.admit(now) else "limit_cps"
