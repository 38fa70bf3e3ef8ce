# SPDX-License-Identifier: GPL-2.0-or-later
"""Which gateways answer: seen from calls, and asked with OPTIONS on demand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from vosd.engine.lines import Line, Lines
from vosd.sip import events as sip
from vosd.sip.endpoint import Endpoint
from vosd.switch.events import Route
from vosd.switch.tables import Gateway

#: seconds until an OPTIONS counts as unanswered; its transaction lasts 64*T1 (RFC 3261 17.1.2.2)
ANSWER_S = 5.0


class Probe(NamedTuple):
    """The token of one OPTIONS: whose, and where its asker waits."""

    name: str
    outcome: asyncio.Future[sip.Response]


class Health:
    """Up or down per gateway name, with the last thing seen since the start."""

    def __init__(self, endpoint: Endpoint, lines: Lines, flush: Callable[[], None]) -> None:
        self._endpoint = endpoint
        self._lines = lines
        self._flush = flush
        self._known: dict[str, tuple[bool, str]] = {}

    def state(self, name: str) -> tuple[bool | None, str]:
        """(up, note); up is None while nothing was seen of the gateway since the start."""
        return self._known.get(name, (None, "not tried since start"))

    def heard(self, name: str) -> None:
        """The gateway answered a request of ours, or sent one."""
        self._known[name] = (True, "answers")

    def silent(self, name: str, note: str) -> None:
        """The gateway did not answer."""
        self._known[name] = (False, note)

    async def probe(self, gateway: Gateway) -> tuple[bool, str, float]:
        """Ask with OPTIONS; (up, what came back, milliseconds). Any answer but 503 is life.

        Takes ANSWER_S at most. An answer later than that still counts when it comes.
        """
        line = self._lines.line(Route(gateway.name, gateway=gateway))
        if line is None:
            obstacle = self._lines.obstacle(Route(gateway.name, gateway=gateway))
            self.silent(gateway.name, obstacle)
            return False, obstacle, 0.0
        probe = Probe(gateway.name, asyncio.get_running_loop().create_future())
        began = time.monotonic()
        self._ask(line, probe, began)
        await asyncio.wait({probe.outcome}, timeout=ANSWER_S)
        if not probe.outcome.done():
            probe.outcome.cancel()
            self.silent(gateway.name, f"no answer to OPTIONS for {ANSWER_S:g} s")
        up, note = self._known[gateway.name]
        return up, note, (time.monotonic() - began) * 1000

    def _ask(self, line: Line, probe: Probe, now: float) -> None:
        host, port = line.destination
        by = "" if line.transport == "udp" else f";transport={line.transport}"
        uri = f"sip:[{host}]:{port}{by}" if ":" in host else f"sip:{host}:{port}{by}"
        here = f"[{line.here}]" if ":" in line.here else line.here
        self._endpoint.send(
            "OPTIONS",
            uri,
            line.destination,
            line.local,
            now,
            from_=f"<sip:vosd@{here}>",
            to=f"<{uri}>",
            token=probe,
        )
        self._flush()

    def response(self, event: sip.Response) -> bool:
        """The outcome of a probe; False when it is not one."""
        probe = event.token
        if not isinstance(probe, Probe):
            return False
        waiting = not probe.outcome.done()
        if event.cause == "response":
            self._known[probe.name] = (event.code != 503, f"answered OPTIONS with {event.code}")
        elif waiting:
            # given up already otherwise, and it may have been heard from since
            self.silent(probe.name, f"no answer to OPTIONS ({event.cause})")
        if waiting:
            probe.outcome.set_result(event)
        return True
