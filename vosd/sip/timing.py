# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 3261 timer values, and the queues that hold running timers.

Every timer of SIP lasts one of a dozen constant durations, so timers that start later end later
within one duration: a FIFO per duration replaces a sorted structure, and starting or stopping
a timer costs the same with one call as with ten thousand. A stopped timer loses its owner at
once and its shell leaves the queue when it comes to the head.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque

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


class Timer(msgspec.Struct, eq=False):
    """A running timer: `kind` is the input its owner is given at `when`; no owner: stopped."""

    when: float
    owner: object | None
    kind: str


class Timers:
    """All running timers of an endpoint, a FIFO per duration."""

    __slots__ = ("_first", "queues")

    def __init__(self) -> None:
        self.queues: defaultdict[float, deque[Timer]] = defaultdict(deque)
        #: none that runs ends earlier; it may have been stopped since
        self._first: Timer | None = None

    def start(self, duration: float, owner: object, kind: str, now: float) -> Timer:
        timer = Timer(now + duration, owner, kind)
        self.queues[duration].append(timer)
        if self._first is not None and timer.when < self._first.when:
            self._first = timer
        return timer

    def take(self, now: float) -> list[Timer]:
        """Remove and return what is due, earliest first."""
        taken: list[Timer] = []
        self._first = None
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
        first = self._first
        if first is None or first.owner is None:
            first = self._first = self._find()
        return math.inf if first is None else first.when

    def _find(self) -> Timer | None:
        first = None
        for queue in self.queues.values():
            while queue and queue[0].owner is None:
                queue.popleft()
            if queue and (first is None or queue[0].when < first.when):
                first = queue[0]
        return first

    def __len__(self) -> int:
        return sum(timer.owner is not None for queue in self.queues.values() for timer in queue)
