# SPDX-License-Identifier: GPL-2.0-or-later
"""Which gateways answer: seen from calls, and asked with OPTIONS on demand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from vosd.engine.lines import Lines
from vosd.sip import events as sip
from vosd.sip.endpoint import Endpoint
from vosd.switch.events import Route
from vosd.switch.tables import Gateway


class Health:
    """Up or down per gateway name, with the last thing seen."""

    def __init__(self, endpoint: Endpoint, lines: Lines, flush: Callable[[], None]) -> None:
        self._endpoint = endpoint
        self._lines = lines
        self._flush = flush
        self._known: dict[str, tuple[bool, str]] = {}

    def state(self, name: str) -> tuple[bool | None, str]:
        """(up, note); up is None while nothing was ever seen of the gateway."""
        return self._known.get(name, (None, "never tried"))

    def heard(self, name: str) -> None:
        """The gateway answered a request of ours."""
        self._known[name] = (True, "answers")

    def silent(self, name: str, note: str) -> None:
        """The gateway did not answer."""
        self._known[name] = (False, note)

    async def probe(self, gateway: Gateway) -> tuple[bool, str, float]:
        """Ask with OPTIONS; (up, what came back, milliseconds). Any answer but 503 is life."""
        line = self._lines.line(Route(gateway.name, gateway=gateway))
        if line is None:
            self.silent(gateway.name, "no address")
            return False, "no address of the gateway is known", 0.0
        outcome: asyncio.Future[sip.Response] = asyncio.get_running_loop().create_future()
        host, port = line.destination
        uri = f"sip:[{host}]:{port}" if ":" in host else f"sip:{host}:{port}"
        here = f"[{line.here}]" if ":" in line.here else line.here
        began = time.monotonic()
        self._endpoint.send(
            "OPTIONS",
            uri,
            line.destination,
            line.local,
            began,
            from_=f"<sip:vosd@{here}>",
            to=f"<{uri}>",
            token=outcome,
        )
        self._flush()
        answer = await outcome
        took = (time.monotonic() - began) * 1000
        return self._judge(gateway.name, answer, took)

    def _judge(self, name: str, answer: sip.Response, took: float) -> tuple[bool, str, float]:
        if answer.cause != "response":
            self.silent(name, f"OPTIONS: no answer ({answer.cause})")
            return False, f"no answer ({answer.cause})", took
        up = answer.code != 503
        self._known[name] = (up, f"OPTIONS: {answer.code}")
        return up, f"answered {answer.code}", took

    def response(self, event: sip.Response) -> bool:
        """The outcome of a probe; False when it is not one."""
        if not isinstance(event.token, asyncio.Future):
            return False
        if not event.token.done():
            event.token.set_result(event)
        return True
