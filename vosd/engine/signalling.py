# SPDX-License-Identifier: GPL-2.0-or-later
"""The pass: one datagram in, decide, perform, flush; one timer for every deadline.

Nothing in here awaits, so messages of a dialog cannot overtake one another.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from vosd.engine.calls import Calls
from vosd.engine.counters import Counters
from vosd.engine.dialogue import Dialogue
from vosd.net.udp import UdpSocket
from vosd.sip import events as sip
from vosd.sip.endpoint import Endpoint

#: a timer this much earlier than the armed one is not worth re-arming for
_SLACK_S = 0.002


class Signalling:
    """Feeds the endpoint from sockets and clock, and sends what it has to say."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        endpoint: Endpoint,
        sockets: Sequence[UdpSocket],
        counters: Counters,
    ) -> None:
        self._loop = loop
        self._endpoint = endpoint
        self._sockets = sockets
        self._counters = counters
        self._timer: asyncio.TimerHandle | None = None
        self._armed = float("inf")
        #: set once, after they exist
        self.calls: Calls
        self.dialogue: Dialogue
        self.outside: Callable[[sip.Event, float], None]

    def datagram(self, data: bytes, source: tuple[str, int], local: int) -> None:
        """One message in."""
        now = time.monotonic()
        for event in self._endpoint.receive(data, source, local, now):
            self._take(event, now)
        self.settle()

    def _take(self, event: sip.Event, now: float) -> None:
        if not self.dialogue.take(event, now):
            self.outside(event, now)

    def settle(self) -> None:
        """Send what waits and arm the timer; call after anything that used the endpoint."""
        outgoing = self._endpoint.outgoing
        if outgoing:
            sockets = self._sockets
            for data, destination, local in outgoing:
                if not sockets[local].send(data, destination):
                    self._counters.add("sip_unsent")
            outgoing.clear()
        deadline = min(self._endpoint.deadline(), self.calls.deadline())
        if deadline < self._armed - _SLACK_S:
            self._arm(deadline)

    def _arm(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed = deadline
        # asyncio's clock is time.monotonic
        self._timer = self._loop.call_at(deadline, self._fire)

    def _fire(self) -> None:
        now = max(time.monotonic(), self._armed)
        self._timer = None
        self._armed = float("inf")
        for event in self._endpoint.due(now):
            self._take(event, now)
        self.calls.due(now)
        self.settle()
