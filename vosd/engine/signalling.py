# SPDX-License-Identifier: GPL-2.0-or-later
"""The pass: datagrams in, decide, perform, flush; one timer for every deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from vosd.engine.exchange import Exchange
from vosd.net.udp import UdpSocket

#: a deadline this little earlier than the armed one is not worth re-arming for
_SLACK_S = 0.002


class Signalling:
    """Feeds an exchange from sockets and clock, and sends what it has to say."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sockets: Sequence[UdpSocket]) -> None:
        self._loop = loop
        self._sockets = sockets
        self._timer: asyncio.TimerHandle | None = None
        self._armed = float("inf")
        #: set once, after it exists
        self.exchange: Exchange

    def datagrams(self, batch: Sequence[tuple[bytes, tuple[str, int]]], local: int) -> None:
        """Messages in, in the order they came; then what they lead to goes out."""
        exchange = self.exchange
        for data, source in batch:
            exchange.receive(data, source, local, time.monotonic())
        self.settle()

    def settle(self) -> None:
        """Send what waits and arm the timer; call after anything that used the exchange."""
        exchange = self.exchange
        while exchange.outgoing:
            queued = list(exchange.outgoing)
            exchange.outgoing.clear()
            for data, destination, local in queued:
                if not self._sockets[local].send(data, destination):
                    exchange.unsent(destination, time.monotonic())
        deadline = exchange.deadline()
        if deadline < self._armed - _SLACK_S:
            self._arm(deadline)

    def _arm(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed = deadline
        # asyncio's clock is time.monotonic
        self._timer = self._loop.call_at(deadline, self._fire)

    def _fire(self) -> None:
        # a timer may fire a hair early: what it was armed for is due
        now = max(time.monotonic(), self._armed)
        self._timer = None
        self._armed = float("inf")
        self.exchange.due(now)
        self.settle()
