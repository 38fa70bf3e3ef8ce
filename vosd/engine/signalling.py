# SPDX-License-Identifier: GPL-2.0-or-later
"""The pass: messages in, decide, perform, flush; one timer for every deadline.

A batch that can be served in one turn is, in the order it came. What is more waits in the lanes of
`engine.intake`, and each turn of the loop takes some of it, so media and timers have theirs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from vosd.engine.exchange import Exchange
from vosd.engine.intake import Intake
from vosd.engine.settings import Snapshot

Address = tuple[str, int]
#: a deadline this little earlier than the armed one is not worth re-arming for
_SLACK_S = 0.002
#: messages served between two looks at the sockets
TURN = 16


class Socket(Protocol):
    """What sends for one listen, whatever its transport."""

    def send(self, data: bytes, destination: Address, /) -> bool: ...
    def unread(self, peer: Address, /) -> None: ...


class Signalling:
    """Feeds an exchange from sockets and clock, and sends what it has to say."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sockets: Sequence[Socket]) -> None:
        self._loop = loop
        self._sockets = sockets
        self._timer: asyncio.TimerHandle | None = None
        self._armed = float("inf")
        #: set once, by `serve`
        self.exchange: Exchange
        self._intake: Intake
        self._busy = False

    def serve(self, exchange: Exchange) -> None:
        """Work for this exchange from now on."""
        self.exchange = exchange
        self._intake = Intake(exchange.configuration.familiar)
        exchange.settings.watch("overload", self._configure)
        self._configure(exchange.settings.snapshot)

    def _configure(self, snapshot: Snapshot) -> None:
        self._intake.age_s = int(snapshot.get("SS_OVERLOAD_INVITE_AGE")) / 1000
        self._intake.strangers.rate = float(snapshot.get("SS_OVERLOAD_STRANGERS"))

    def datagrams(self, batch: Sequence[tuple[bytes, Address]], local: int) -> None:
        """Messages in, in the order they came; then what they lead to goes out."""
        exchange, intake = self.exchange, self._intake
        if self._busy or len(batch) > TURN:
            self._queue(batch, local)
            return
        for data, source in batch:
            now = time.monotonic()
            if intake.admits(source, now):
                exchange.receive(data, source, local, now)
            else:
                self._leave(source, local)
        self.settle()

    def _leave(self, source: Address, local: int) -> None:
        """A message is not read. A stranger's connection ends with it: it is not sent again."""
        self.exchange.counters.add("overload_drops")
        if not self.familiar(source[0]):
            self._sockets[local].unread(source)

    def _queue(self, batch: Sequence[tuple[bytes, Address]], local: int) -> None:
        intake, now = self._intake, time.monotonic()
        for data, source in batch:
            if not (intake.admits(source, now) and intake.put(data, source, local, now)):
                self._leave(source, local)
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        """Serve some of what waits; the rest when the loop comes round."""
        exchange, intake = self.exchange, self._intake
        self._busy = len(intake) > TURN
        if self._busy:
            self._loop.call_soon(self._take_turn)
        for _ in range(min(TURN, len(intake))):
            now = time.monotonic()
            (data, source, local, _), fate = intake.take(now)
            if fate == "serve":
                exchange.receive(data, source, local, now)
            elif fate == "shed":
                exchange.shed(data, source, local, now)
            else:
                self._leave(source, local)
        self.settle()

    # what happens to connections

    def broken(self, data: bytes, code: int, reason: str, source: Address, local: int) -> None:
        """A stream cannot be read any further."""
        self.exchange.broken(data, code, reason, source, local, time.monotonic())
        self.settle()

    def unreachable(self, destination: Address, local: int) -> None:
        """No connection could be made."""
        self.exchange.unsent(destination, local, time.monotonic())
        self.settle()

    def lost(self, peer: Address, local: int) -> None:
        """A connection ended, by whoever's will."""
        self.exchange.disconnected(peer, local, time.monotonic())
        self.settle()

    def count(self, name: str) -> None:
        self.exchange.counters.add(name)

    def familiar(self, host: str) -> bool:
        """Whether a gateway or a registered phone is there: its connections are not pushed out."""
        return self.exchange.configuration.familiar(host)

    def handshakes(self, host: str) -> bool:
        """Whether TLS is spoken with one more of `host`."""
        return self._intake.handshakes(host, time.monotonic())

    def settle(self) -> None:
        """Send what waits and arm the timer; call after anything that used the exchange."""
        exchange = self.exchange
        while exchange.outgoing:
            for data, destination, local in exchange.departing():
                if not self._sockets[local].send(data, destination):
                    exchange.unsent(destination, local, time.monotonic())
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
