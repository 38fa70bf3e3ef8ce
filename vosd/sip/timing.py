# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 3261 timer values, and the queues that hold running timers.

Every timer of SIP lasts one of a dozen constant durations, so timers that start later end later
within one duration: a FIFO per duration replaces a sorted structure, and starting or stopping
a timer costs the same with one call as with ten thousand. A stopped timer loses its owner at
once and its shell leaves the queue when it comes to the head.
"""

from __future__ import annotations

import math
from collections import deque

import msgspec


class Timing(msgspec.Struct, frozen=True):
    """T1, T2, T4 in seconds (RFC 3261 17), the wait before 100 (t100), and what follows.

    `resend` are the gaps in seconds between the sendings of one UDP request or final answer;
    when it is empty the gaps double from T1 (capped at T2 except for INVITE) and stop at 64*T1.
    """

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    t100: float = 0.2
    resend: tuple[float, ...] = ()

    @property
    def b(self) -> float:
        """INVITE transaction timeout; F, H, J (and L, M of RFC 6026) last as long."""
        return 64 * self.t1

    f = h = j = b

    @property
    def d(self) -> float:
        """Wait for response retransmissions of a refused INVITE: 32 s at least on UDP."""
        return max(32.0, 64 * self.t1)

    @property
    def i(self) -> float:
        """Wait for ACK retransmissions; K lasts as long."""
        return self.t4

    k = i

    def schedule(self, cap: float) -> tuple[float, ...]:
        """Gaps between the sendings of one message, doubling from T1 up to `cap` seconds."""
        if self.resend:
            return self.resend
        gaps: list[float] = []
        gap, at = self.t1, self.t1
        while at < 64 * self.t1:
            gaps.append(gap)
            gap = min(2 * gap, cap)
            at += gap
        return tuple(gaps)

    def invites(self) -> tuple[float, ...]:
        """Timer A: doubles without a cap (RFC 3261 17.1.1.2)."""
        return self.schedule(math.inf)

    def others(self) -> tuple[float, ...]:
        """Timers E and G, and the 2xx of the dialog layer: doubles up to T2."""
        return self.schedule(self.t2)


class Timer:
    """A running timer: `kind` is the input its owner is given at `when`; no owner: stopped."""

    __slots__ = ("kind", "owner", "when")

    def __init__(self, when: float, owner: object, kind: str) -> None:
        self.when = when
        self.owner: object | None = owner
        self.kind = kind


class Timers:
    """All running timers of an endpoint, a FIFO per duration."""

    __slots__ = ("queues",)

    def __init__(self) -> None:
        self.queues: dict[float, deque[Timer]] = {}

    def start(self, duration: float, owner: object, kind: str, now: float) -> Timer:
        timer = Timer(now + duration, owner, kind)
        queue = self.queues.get(duration)
        if queue is None:
            queue = self.queues[duration] = deque()
        queue.append(timer)
        return timer

    def take(self, now: float) -> list[Timer]:
        """Remove and return what is due, earliest first."""
        taken: list[Timer] = []
        for queue in self.queues.values():
            while queue and (queue[0].owner is None or queue[0].when <= now):
                timer = queue.popleft()
                if timer.owner is not None:
                    taken.append(timer)
        if len(taken) > 1:
            taken.sort(key=lambda timer: timer.when)
        return taken

    def deadline(self) -> float:
        """When the next timer ends, inf when none runs."""
        soonest = math.inf
        for queue in self.queues.values():
            while queue:
                timer = queue[0]
                if timer.owner is not None:
                    if timer.when < soonest:
                        soonest = timer.when
                    break
                queue.popleft()
        return soonest

    def __len__(self) -> int:
        return sum(timer.owner is not None for queue in self.queues.values() for timer in queue)
