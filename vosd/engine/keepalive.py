# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets that hold the NATs of registered phones open (vos3000.md 2.2, NAT-01..06).

A round each SS_SIP_NAT_KEEP_ALIVE_PERIOD sends one packet to every contact registered over UDP:
whether a phone is behind NAT shows in its Contact only where nothing rewrote it on the way.
A round goes in batches of SEND_ONE_TIME packets with SEND_INTERVAL between them (D31). A batch
goes in slices a few milliseconds apart: thousands of packets at once would hold up the calls.
The packet leaves from the socket the REGISTER came to and goes to where it came from, the only
pair that a NAT lets through. Streams have their own keep-alive; nobody else gets one.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from vosd.engine.configuration import Configuration
from vosd.engine.counters import Counters
from vosd.engine.lines import Line, Lines
from vosd.engine.settings import Snapshot
from vosd.sip import events as sip
from vosd.sip.dialog import host_text
from vosd.sip.endpoint import Endpoint
from vosd.sip.uri import Uri
from vosd.switch.tables import Binding

#: between two slices of a batch, and packets in a slice at least
_SLICE_S = 0.01
_SLICE = 20
#: of the period a round may take by its slices; what is left is for the pauses
_SHARE = 0.5
#: requests without an answer until a phone counts as unreachable
MISSES = 3

Key = tuple[str, str]


class Plan(NamedTuple):
    """What the four parameters say, times in seconds; an empty `message` sends nothing."""

    message: str = "HELLO"
    period: float = 30.0
    pause: float = 0.5
    batch: int = 3000

    @property
    def asks(self) -> bool:
        """Whether the message is one that gets an answer."""
        return self.message.upper() == "OPTIONS"

    @property
    def octets(self) -> bytes:
        """RFC 5626 3.5.1 spells a keep-alive CRLF twice; any SIP parser passes over it."""
        return b"\r\n\r\n" if self.message.upper() == "CRLF" else self.message.encode()

    def slice(self, contacts: int) -> int:
        """Packets in a slice, so that a round of so many leaves room for the next."""
        return max(_SLICE, math.ceil(contacts * _SLICE_S / (self.period * _SHARE)))

    def takes(self, contacts: int) -> float:
        """Seconds a round to so many contacts takes."""
        pauses = max(0, math.ceil(contacts / self.batch) - 1)
        return pauses * self.pause + math.ceil(contacts / self.slice(contacts)) * _SLICE_S


class KeepAlive:
    """Sends the rounds, and knows which phones stopped answering."""

    def __init__(
        self,
        endpoint: Endpoint,
        configuration: Configuration,
        lines: Lines,
        counters: Counters,
        snapshot: Snapshot,
    ) -> None:
        self._endpoint = endpoint
        self._configuration = configuration
        self._lines = lines
        self._counters = counters
        self.plan = Plan()
        self._round: deque[Binding] = deque()
        self._slice = self._left = 0
        self._began = self._next = -math.inf
        #: requests in a row that stayed unanswered, by contact; and those that wait for one
        self._missed: dict[Key, int] = {}
        self._asked: set[Key] = set()
        self.configure(snapshot)

    def configure(self, snapshot: Snapshot) -> None:
        """Take new parameters: the next round follows them, at once when it is due by them."""
        before, self.plan = self.plan, Plan(
            str(snapshot.get("SS_SIP_NAT_KEEP_ALIVE_MESSAGE")),
            float(snapshot.get("SS_SIP_NAT_KEEP_ALIVE_PERIOD")),
            float(snapshot.get("SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL")),
            int(snapshot.get("SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME")),
        )
        if before == self.plan:
            return
        self._round.clear()
        self._next = self._began + self.plan.period
        if not self.plan.asks:
            self._missed.clear()

    def deadline(self) -> float:
        """When `due` wants to run; infinite while disabled."""
        return self._next if self.plan.message else math.inf

    def due(self, now: float) -> None:
        """Send what is due: a slice of the present round, or the first of a new one."""
        if now < self.deadline():
            return
        if not self._round:
            self._begin(now)
        for _ in range(min(self._slice, self._left, len(self._round))):
            self._send(self._round.popleft(), now)
            self._left -= 1
        if not self._round:
            self._next = max(self._began + self.plan.period, now + _SLICE_S)
        elif self._left:
            self._next = now + _SLICE_S
        else:
            self._left = self.plan.batch
            self._next = now + self.plan.pause

    def _begin(self, now: float) -> None:
        bindings = self._configuration.bindings
        self._round.extend(
            row for rows in bindings.values() for row in rows if row.transport == "udp"
        )
        if self._missed:
            held = {_key(row) for row in self._round}
            self._missed = {key: count for key, count in self._missed.items() if key in held}
        self._began = now
        self._left = self.plan.batch
        self._slice = self.plan.slice(len(self._round))

    def _send(self, binding: Binding, now: float) -> None:
        if binding not in self._configuration.bindings.get(binding.number, ()):
            return  # registered anew or gone since the round began
        line = self._lines.towards((binding.host, binding.port), "udp", binding.local)
        if line is None or line.local != binding.local:
            return
        if self.plan.asks:
            self._ask(binding, line, now)
        elif not self._endpoint.bare(self.plan.octets, line.destination, line.local):
            return
        self._counters.add("keepalives_sent")

    # a question that gets an answer

    def _ask(self, binding: Binding, line: Line, now: float) -> None:
        key = _key(binding)
        if key in self._asked:
            return  # sent again and again as it is (RFC 3261 17.1.2.2)
        self._asked.add(key)

        def answered(event: sip.Response, now: float) -> None:
            self._answered(key, event.cause == "response")

        uri = Uri.parse(binding.contact)
        uri.headers = ""
        here = host_text(self._endpoint.advertise(line.local, line.destination))
        self._endpoint.send(
            "OPTIONS", str(uri), line.destination, line.local, now,
            from_=f"<sip:vosd@{here}>", to=f"<{uri}>", token=answered,
        )  # fmt: skip

    def _answered(self, key: Key, heard: bool) -> None:
        self._asked.discard(key)
        if heard:
            self._missed.pop(key, None)
            return
        self._missed[key] = self._missed.get(key, 0) + 1
        self._counters.add("keepalives_unanswered")

    def unreachable(self, binding: Binding) -> bool:
        """Whether the contact left MISSES requests in a row unanswered; it stays registered."""
        return self._missed.get(_key(binding), 0) >= MISSES

    def trouble(self) -> str:
        """What an alarm says when a round takes longer than the period, "" else."""
        count = sum(map(len, self._configuration.bindings.values()))
        takes = self.plan.takes(count) if self.plan.message else 0.0
        if takes <= self.plan.period:
            return ""
        return (
            f"keep-alives to {count} phones take {takes:.0f} s, longer than their period of "
            f"{self.plan.period:.0f} s: raise SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME or lower "
            "SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL"
        )


def _key(binding: Binding) -> Key:
    return binding.number, binding.contact
