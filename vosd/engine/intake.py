# SPDX-License-Identifier: GPL-2.0-or-later
"""What waits to be read when messages come faster than they can be taken.

Lanes in order of urgency (reliability.md section 5): dialogs and answers, registrations, new
calls, the rest, strangers last. A message leaves its lane when its turn comes or, for what begins
something, when it is too old to be worth the work: a new call then gets a 503 that costs little,
everything else is left to be sent again. So the calls that are carried have what they need, and
what is left over is spent on new ones; nothing oscillates, for no rate is guessed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from vosd.sip.urgency import CALL, REST, urgency

Address = tuple[str, int]
#: octets, where from, index of our socket, when it was read (monotonic seconds)
Waiting = tuple[bytes, Address, int, float]
Fate: TypeAlias = Literal["serve", "shed", "drop"]

#: messages that wait in one lane at most
ROOM: Final = 4096
STRANGER: Final = REST + 1
_STRANGERS_ROOM: Final = 256
#: serving a handshake takes 0.6 ms (P-256) to 1.5 (RSA 2048), challenging a stranger 0.06
HANDSHAKE: Final = 10
#: lanes whose messages grow too old
_AGING: Final = frozenset((CALL, STRANGER))


class Allowance:
    """So many a second, with as many at once (a token bucket)."""

    __slots__ = ("_at", "_left", "rate")

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._left = rate
        self._at = 0.0

    def take(self, now: float, cost: float = 1) -> bool:
        """Whether one more is allowed at `now`; what costs more than 1 leaves a debt."""
        self._left = min(self.rate, self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= cost
        return True


class Intake:
    """The lanes. `familiar(host)` is true of gateways and registered phones."""

    def __init__(
        self, familiar: Callable[[str], bool], age_s: float = 0.25, strangers_per_s: float = 1000
    ) -> None:
        self._familiar = familiar
        #: how long a new call may wait, seconds
        self.age_s = age_s
        self.strangers = Allowance(strangers_per_s)
        self._lanes: tuple[deque[Waiting], ...] = tuple(deque() for _ in range(STRANGER + 1))

    def __len__(self) -> int:
        return sum(map(len, self._lanes))

    def admits(self, source: Address, now: float) -> bool:
        """False for a stranger once strangers had their share of this second."""
        return self._familiar(source[0]) or self.strangers.take(now)

    def handshakes(self, host: str, now: float) -> bool:
        """The same for a TLS handshake, which costs as much as HANDSHAKE messages."""
        return self._familiar(host) or self.strangers.take(now, HANDSHAKE)

    def put(self, data: bytes, source: Address, local: int, now: float) -> bool:
        """Queue a message; False when its lane is full."""
        lane = urgency(data) if self._familiar(source[0]) else STRANGER
        waiting = self._lanes[lane]
        if len(waiting) >= (_STRANGERS_ROOM if lane == STRANGER else ROOM):
            return False
        waiting.append((data, source, local, now))
        return True

    def take(self, now: float) -> tuple[Waiting, Fate]:
        """The most urgent message and what is to become of it; IndexError when none waits."""
        for lane, waiting in enumerate(self._lanes):
            if waiting:
                message = waiting.popleft()
                if lane not in _AGING or now - message[3] <= self.age_s:
                    return message, "serve"
                return message, "shed" if lane == CALL else "drop"
        raise IndexError("cannot take a message: none waits")
