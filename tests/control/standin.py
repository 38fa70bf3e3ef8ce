# SPDX-License-Identifier: GPL-2.0-or-later
"""A node for the control API to speak to: store, settings and configuration are real, calls not.

What the SIP side would do is a list of views here, so every handler runs against the very
storage and indexes of the daemon.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vosd.control.access import Rules
from vosd.control.server import ControlServer, Limits
from vosd.engine.clocks import Clocks
from vosd.engine.configuration import Configuration
from vosd.engine.counters import Counters
from vosd.engine.settings import Settings
from vosd.engine.traces import Traces
from vosd.engine.vendor import State
from vosd.store import Store
from vosd.switch.tables import Binding
from vosd.wire.records import CallView, LegView, Received, Sent, Status


class Calls:
    """Live calls by hand."""

    def __init__(self) -> None:
        self.live: list[CallView] = []

    def views(self, party: str | None = None) -> list[CallView]:
        return [view for view in self.live if party in (None, view.mapping, view.routing)]

    def __len__(self) -> int:
        return len(self.live)

    def view(self, id_: str) -> CallView | None:
        found = [view for view in self.live if view.id.startswith(id_)]
        if len(found) > 1:
            raise LookupError(f"cannot tell which call {id_!r} is: {len(found)} calls begin so")
        return found[0] if found else None

    def gateway_calls(self, name: str) -> int:
        return sum(name in (view.mapping, view.routing) for view in self.live)

    phone_calls = gateway_calls


class Beside:
    """The counters and traces of an exchange that carries no call."""

    def __init__(self, configuration: Configuration) -> None:
        self.counters = Counters()
        self.traces = Traces(
            NoCalls(), configuration, self.counters, Clocks(),
            lambda local, remote: ("udp", ("198.51.100.1", 5060)),
        )  # fmt: skip


class NoCalls:
    def get(self, id_: str) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        return iter(())


class StandIn:
    """What handlers ask of `vosd.engine.node.Node`."""

    def __init__(self, store: Store) -> None:
        self.node = "edge-1"
        self.store = store
        self.settings = Settings(store.parameters())
        self.configuration = Configuration(store)
        self.calls = Calls()
        self.exchange = Beside(self.configuration)
        self.lock = asyncio.Lock()
        self.up: dict[str, tuple[bool | None, str]] = {}
        #: our own registrations, and numbers of phones that answer no keep-alive
        self.registrations: dict[str, State] = {}
        self.silent: set[str] = set()
        #: what probe answers
        self.answer = (True, "answered 200", 1.25)
        #: holds probes back until set
        self.gate: asyncio.Event | None = None
        self.ended: list[str] = []

    def health(self, name: str) -> tuple[bool | None, str]:
        return self.up.get(name, (None, "not tried since start"))

    async def probe(self, name: str) -> tuple[bool, str, float]:
        if self.gate is not None:
            await self.gate.wait()
        return self.answer

    async def resolve(self) -> None:
        return

    def registration(self, gateway: str) -> State | None:
        return self.registrations.get(gateway)

    def unreachable(self, binding: Binding) -> bool:
        return binding.number in self.silent

    def hangup(self, id_: str) -> bool:
        self.ended.append(id_)
        self.calls.live = [view for view in self.calls.live if view.id != id_]
        return True

    def status(self) -> Status:
        return status()


def status(**changes: Any) -> Status:
    """A status with every field set."""
    fields: dict[str, Any] = {
        "node": "edge-1",
        "software": "vosd 0.1.0",
        "pid": 4711,
        "uptime_s": 93784.0,
        "state": "running",
        "listens": ["0.0.0.0:5060/udp"],
        "calls": 12,
        "calls_per_s": 3.4,
        "attempts_total": 1000,
        "answered_total": 800,
        "registrations": 42,
        "gateways_up": 5,
        "gateways_down": 1,
        "gateways_unknown": 2,
        "relay": "userspace",
        "relay_reason": "the kernel relay is not built into this version",
        "rtp_ports_used": 48,
        "rtp_ports_total": 50000,
        "loop_lag_ms": 0.42,
        "record_queue": 0,
        "counters": {"call_attempts": 1000},
    }
    return Status(**{**fields, **changes})


def received(**changes: Any) -> Received:
    fields: dict[str, Any] = {
        "packets": 4950,
        "octets": 851400,
        "expected": 5000,
        "lost": 50,
        "loss_percent": 1.0,
        "late": 2,
        "jitter_ms": 12.5,
        "jitter_max_ms": 40.0,
        "max_gap_ms": 180.0,
        "payload_types": {"0": 4950},
        "dscp": {"46": 4900, "0": 50},
        "rtcp_packets": 20,
        "source": "203.0.113.9:40000",
    }
    return Received(**{**fields, **changes})


def call_view(id_: str = "00aa11bb22cc33dd", **changes: Any) -> CallView:
    """A connected, relayed call between gateways acme and telia."""
    a = LegView(
        side="a",
        party="acme",
        kind="mapping",
        signalling="203.0.113.9:5060",
        call_id="a-1@203.0.113.9",
        user_agent="Caller 1.0",
        sdp_address="203.0.113.9:40000",
        local_rtp="198.51.100.1:20000",
        codecs_offered=["PCMU", "PCMA"],
        codec="PCMU",
        ptime_ms=20,
        profile="RTP/AVP",
        received=received(),
        sent=Sent(packets=5000, dscp=46, destination="203.0.113.9:40000"),
    )
    b = LegView(
        side="b",
        party="telia",
        kind="routing",
        signalling="192.0.2.7:5060",
        call_id="b-1@198.51.100.1",
        sdp_address="10.0.0.7:30000",
        sdp_private=True,
        local_rtp="198.51.100.1:20002",
        codecs_offered=["PCMU"],
        codec="PCMU",
        ptime_ms=20,
        profile="RTP/AVP",
        received=received(lost=0, loss_percent=0.0, jitter_ms=55.0, source="192.0.2.7:30000"),
        sent=Sent(
            packets=4950,
            dscp=46,
            destination="192.0.2.7:30000",
            remote_lost=3,
            remote_loss_percent=0.1,
            remote_jitter_ms=4.0,
            rtt_ms=310.0,
        ),
    )
    fields: dict[str, Any] = {
        "id": id_,
        "state": "connected",
        "caller": "4670001",
        "callee": "46855501",
        "mapping": "acme",
        "routing": "telia",
        "started_at": 1795359600.0,
        "answered_at": 1795359605.0,
        "duration_s": 100.4,
        "media_mode": "must_on",
        "media": "relayed",
        "relay": "userspace",
        "relay_reason": "global value must_on",
        "legs": [a, b],
    }
    return CallView(**{**fields, **changes})


def direct_view(id_: str) -> CallView:
    """A call whose sides send to each other."""
    view = call_view(id_, media="direct", relay=None, relay_reason="acme has off")
    for leg in view.legs:
        leg.received = leg.sent = leg.local_rtp = None
    return view


class Running:
    """A control server on its own loop and thread, and the node behind it."""

    def __init__(self, path: Path, node: StandIn, loop: asyncio.AbstractEventLoop) -> None:
        self.path = path
        self.node = node
        self.loop = loop

    def run(self, work: Any) -> Any:
        """Run a coroutine in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)


@contextmanager
def serving(
    directory: Path, *, rules: Rules | None = None, limits: Limits | None = None
) -> Iterator[Running]:
    """A server with a fresh store under `directory`."""
    store = Store.open(f"sqlite:///{directory}/vosd.db", node="edge-1")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    path = directory / "run" / "control.sock"

    async def start() -> tuple[StandIn, ControlServer]:
        node = StandIn(store)
        server = ControlServer(node, path, rules=rules, limits=limits)  # type: ignore[arg-type]
        await server.start()
        return node, server

    try:
        node, server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        yield Running(path, node, loop)
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        store.close()
