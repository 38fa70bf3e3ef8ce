# SPDX-License-Identifier: GPL-2.0-or-later
"""Sole owner of traces of the signalling: who watches, what each message belongs to.

While nobody watches, `tap` is None and a message costs that one comparison. While somebody does,
every message is told to `tap` after the exchange has taken it in, so that the call it began is
known. A call is found by Call-ID: both legs are entered when they come to be. What led to a call
(the INVITE that was challenged first, leg a before leg b went to the gateway that is looked for)
waits in a short queue, and is added when the call turns out to be wanted.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Literal, Protocol

import msgspec

from vosd.engine.clocks import Clocks
from vosd.engine.configuration import Configuration
from vosd.engine.counters import Counters
from vosd.engine.live import LiveCall
from vosd.engine.recording import Filter, Recording, Seen
from vosd.engine.settings import Snapshot
from vosd.net import hep
from vosd.switch.events import Leg

Address = tuple[str, int]
#: inward, octets, the other end, index of our socket, Unix time
Tap = Callable[[bool, bytes, Address, int, float], None]

#: traces that are kept, running and ended
MOST = 16
_MIB = 1 << 20
#: messages that wait for their call to be wanted
_WAITING = 512
_WAITING_OCTETS = _MIB
#: a call's Call-IDs stay known this long after its end: the last retransmissions (RFC 3261 17)
_LINGER_S = 64.0
#: RFC 5626 3.5.1, and what else keeps a NAT open without being SIP
_EMPTY = b"\r\n\0 "
_call_id = re.compile(rb"^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*)", re.I | re.M).search


class Calls(Protocol):
    """What is asked of `engine.calls`."""

    def get(self, id_: str) -> LiveCall | None: ...
    def __iter__(self) -> Iterator[LiveCall]: ...


class _Known:
    """A call's dialogs by Call-ID, and since when it is gone."""

    __slots__ = ("gone", "legs")

    def __init__(self) -> None:
        self.legs: dict[str, Leg] = {}
        self.gone: float | None = None


class Traces:
    """Every trace since the daemon started, and the copy that goes to a HEP collector."""

    def __init__(
        self,
        calls: Calls,
        configuration: Configuration,
        counters: Counters,
        clocks: Clocks,
        here: Callable[[int, Address], tuple[str, Address]],
    ) -> None:
        """`here(socket, remote)` gives transport and address of ours as `remote` sees it."""
        self.tap: Tap | None = None
        self._calls = calls
        self._configuration = configuration
        self._counters = counters
        self._clocks = clocks
        self._here = here
        self._traces: dict[str, Recording] = {}
        self._running: list[Recording] = []
        self._count = 0
        self._known: dict[str, _Known] = {}
        #: SIP Call-ID -> the switch's id
        self._by_call_id: dict[str, str] = {}
        self._waiting: deque[Seen] = deque()
        self._waiting_octets = 0
        self._each, self._all = 16 * _MIB, 64 * _MIB
        self._time_s = 600.0
        self._sender: hep.Sender | None = None
        self._copies_all = True
        self._capture_id = 0

    def configure(self, snapshot: Snapshot) -> None:
        """Take new limits, and start, stop or move the HEP copy."""
        self._time_s = float(snapshot.get("SS_TRACE_TIME"))
        self._each = int(snapshot.get("SS_TRACE_MEMORY")) * _MIB
        self._all = int(snapshot.get("SS_TRACE_MEMORY_TOTAL")) * _MIB
        self._capture_id = int(snapshot.get("SS_HEP_CAPTURE_ID"))
        self._copies_all = snapshot.get("SS_HEP_MESSAGES") == "all"
        wanted: Address | None = snapshot.get("SS_HEP_ADDRESS")
        if wanted != (self._sender.destination if self._sender is not None else None):
            new = hep.Sender(*wanted) if wanted is not None else None
            if self._sender is not None:
                self._sender.close()
            self._sender = new
        self._watch()

    # what handlers ask

    def plan(self, wanted: Filter, seconds: float | None) -> Recording:
        """The trace that would start now. ValueError says why none can."""
        if len(self._running) >= MOST:
            raise ValueError(f"cannot run more than {MOST} traces at once: stop one")
        if wanted.call:
            wanted = msgspec.structs.replace(wanted, call=self._find(wanted.call))
        length = self._time_s if seconds is None else seconds
        clock = self._clocks.now()
        return Recording(
            str(self._count + 1), wanted, clock.wall, clock.wall + length, clock.mono + length
        )

    def start(self, trace: Recording) -> None:
        """Begin what was just planned; of ended traces the oldest may have to go."""
        while len(self._traces) >= MOST:
            del self._traces[next(t.id for t in self._traces.values() if t.ended)]
        self._count += 1
        self._traces[trace.id] = trace
        self._running.append(trace)
        self._watch()
        for live in self._calls:
            self.joined(live)

    def _find(self, text: str) -> str:
        found = {
            live.call.id
            for live in self._calls
            if live.call.id.startswith(text) or text in (live.a_call_id, live.b_call_id)
        }
        if len(found) > 1:
            raise ValueError(f"cannot tell which call {text!r} is: {len(found)} calls begin so")
        if not found:
            raise ValueError(f"cannot trace call {text!r}: no live call has this id or Call-ID; "
                             "trace a number or a gateway before the call begins")  # fmt: skip
        return found.pop()

    def stop(self, trace: Recording, why: Literal["time", "stopped"] = "stopped") -> None:
        """End a trace; what it has stays until later traces or the daemon's end displace it."""
        if not trace.ended:
            trace.ended = why
            trace.until = self._clocks.wall()
            self._running.remove(trace)
            self._watch()

    def get(self, id_: str) -> Recording | None:
        return self._traces.get(id_)

    def kept(self) -> list[Recording]:
        return list(self._traces.values())

    @property
    def running(self) -> list[Recording]:
        return list(self._running)

    # what the exchange tells

    def tick(self, now: float) -> None:
        """Once a second: traces whose time is over, calls whose last message has gone by."""
        for trace in self.running:
            if trace.deadline <= now:
                self.stop(trace, "time")
        if self.tap is None:
            return
        for id_, known in list(self._known.items()):
            if self._calls.get(id_) is not None:
                continue
            if known.gone is None:
                known.gone = now
            elif now - known.gone > _LINGER_S:
                del self._known[id_]
                for call_id in known.legs:
                    if self._by_call_id.get(call_id) == id_:  # no later call has it
                        del self._by_call_id[call_id]

    def joined(self, live: LiveCall) -> None:
        """A call has begun, or has a new leg b."""
        if self.tap is None:
            return
        id_ = live.call.id
        known = self._known.setdefault(id_, _Known())
        legs: tuple[tuple[str, Leg], ...] = ((live.a_call_id, "a"), (live.b_call_id, "b"))
        for call_id, leg in legs:
            if call_id:
                known.legs[call_id] = leg
                self._by_call_id[call_id] = id_
        came_first = [seen for seen in self._waiting if seen.call_id in known.legs]
        for seen in came_first:
            seen.call, seen.leg = id_, known.legs[seen.call_id]
        for trace in self._running:
            if id_ not in trace.calls and trace.filter.wants_call(live):
                trace.calls.add(id_)
                have = set(map(id, trace.messages)) if came_first else ()
                for seen in came_first:
                    if id(seen) not in have and seen.at >= trace.started_at:
                        self._keep(trace, seen)

    def _watch(self) -> None:
        """Be told of messages while a trace or the collector wants them, and only then."""
        watching = bool(self._running) or (self._sender is not None and self._copies_all)
        if watching and self.tap is None:
            self.tap = self._seen
            for live in self._calls:
                self.joined(live)
        elif not watching:
            self.tap = None
            self._known.clear()
            self._by_call_id.clear()
            self._forget_waiting()

    def _seen(self, inward: bool, data: bytes, there: Address, local: int, at: float) -> None:
        if not data.strip(_EMPTY):
            return
        match = _call_id(data, 0, _end_of_head(data))
        call_id = match[1].strip().decode("utf-8", "replace") if match else ""
        transport, here = self._here(local, there)
        seen = Seen(at, inward, transport, here, there, data, call_id)
        seen.call = self._by_call_id.get(call_id, "")
        if seen.call:
            seen.leg = self._known[seen.call].legs[call_id]
        traced = [trace for trace in self._running if self._wants(trace, seen)]
        for trace in traced:
            self._keep(trace, seen)
        if self._running:
            self._wait(seen)
        if self._sender is not None and (traced or self._copies_all):
            self._copy(self._sender, seen)

    def _wants(self, trace: Recording, seen: Seen) -> bool:
        wanted = trace.filter
        if wanted.everything or seen.call in trace.calls:
            return True
        if seen.call:
            return False
        return wanted.wants_stray(seen.data, self._is_at(wanted.gateway, seen))

    def _is_at(self, name: str, seen: Seen) -> bool:
        known = self._configuration
        parties = known.server(seen.there)[1], known.trusted(seen.there, seen.transport)
        return any(gateway is not None and gateway.name == name for gateway in parties)

    def _keep(self, trace: Recording, seen: Seen) -> None:
        trace.keep(seen, self._each)
        while sum(each.octets for each in self._traces.values()) > self._all:
            full = [each for each in self._traces.values() if each.messages]
            min(full, key=lambda each: each.messages[0].at).let_go()

    def _wait(self, seen: Seen) -> None:
        self._waiting.append(seen)
        self._waiting_octets += seen.cost
        while len(self._waiting) > _WAITING or self._waiting_octets > _WAITING_OCTETS:
            self._waiting_octets -= self._waiting.popleft().cost

    def _forget_waiting(self) -> None:
        self._waiting.clear()
        self._waiting_octets = 0

    def _copy(self, sender: hep.Sender, seen: Seen) -> None:
        """To the collector, under the call's id so that both legs join there."""
        if seen.data.startswith(hep.MAGIC):
            return
        packet = hep.packet(
            seen.data,
            at=seen.at,
            transport=seen.transport,
            source=seen.source,
            destination=seen.destination,
            capture_id=self._capture_id,
            correlation=seen.call or seen.call_id,
        )
        self._counters.add("hep_sent" if sender.send(packet) else "hep_dropped")


def _end_of_head(data: bytes) -> int:
    end = data.find(b"\r\n\r\n")
    return end if end >= 0 else len(data)
