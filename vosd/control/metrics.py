# SPDX-License-Identifier: GPL-2.0-or-later
"""/metrics for Prometheus: the figures of `vosctl status`, read only, on a TCP address of choice.

Written in the text exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
Labels are words of ours and names of gateways, so there are few of them, and no caller can make
another one.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from aiohttp import web

from vosd.engine.counters import COUNTERS, Counters, Histogram
from vosd.engine.live import endpoint_text
from vosd.engine.settings import Snapshot
from vosd.net.sockets import SocketError, bound

if TYPE_CHECKING:
    from vosd.engine.node import Node
    from vosd.wire.records import Status

log = logging.getLogger(__name__)

TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: scrapers at once; one more takes the place of the one that was silent longest
_MOST = 32
#: seconds a scraper has for its first octet
_FIRST_S = 10.0

#: name, help, and the field of `Status` with what it is multiplied by
GAUGES: tuple[tuple[str, str, str, float], ...] = (
    ("vos_calls_active", "live calls", "calls", 1),
    ("vos_registrations_active", "registered phones", "registrations", 1),
    ("vos_uptime_seconds", "since the daemon started", "uptime_s", 1),
    ("vos_rtp_ports_used", "RTP ports in use", "rtp_ports_used", 1),
    ("vos_rtp_ports_configured", "RTP ports there are", "rtp_ports_total", 1),
    ("vos_loop_lag_seconds", "how late the SIP loop was last", "loop_lag_ms", 0.001),
    ("vos_cdr_queue_length", "records that wait to be written", "record_queue", 1),
)
Label = dict[str, str]
Sample = tuple[Label, float]


def exposition(node: Node) -> str:
    """Everything, as Prometheus reads it."""
    status = node.status()
    counters = node.exchange.counters
    gateways = node.configuration.gateways
    lines = [*_about(status)]
    for name, help_, field, scale in GAUGES:
        lines += _family(name, "gauge", help_, [({}, getattr(status, field) * scale)])
    lines += _trunks(node, counters)
    lines += _labelled(counters, gateways)
    lines += _plain(counters)
    lines += _histogram("vos_post_dial_delay_seconds", "from INVITE to ringing or answer",
                        counters.post_dial)  # fmt: skip
    lines += _histogram("vos_call_duration_seconds", "how long answered calls that ended lasted",
                        counters.durations)  # fmt: skip
    lines += _histogram("vos_rtp_jitter_seconds",
                        "RFC 3550 jitter of received streams, of calls that ended",
                        counters.jitter)  # fmt: skip
    return "\n".join(lines) + "\n"


def _about(status: Status) -> list[str]:
    version = status.software.removeprefix("vosd ")
    labels = {"version": version, "node": status.node, "relay": status.relay}
    return [
        *_family("vos_build_info", "gauge", "what runs here", [(labels, 1)]),
        *_family("vos_accepting_calls", "gauge", "1 while new calls are taken",
                 [({}, status.state == "running")]),
    ]  # fmt: skip


def _trunks(node: Node, counters: Counters) -> list[str]:
    names = list(node.configuration.gateways)
    up = [({"trunk": name}, float(state)) for name in names
          if (state := node.health(name)[0]) is not None]  # fmt: skip
    calls = [({"trunk": name}, node.calls.gateway_calls(name)) for name in names]
    return [
        *_family("vos_trunk_up", "gauge", "1 when the gateway answers; absent: never tried", up),
        *_family("vos_trunk_calls_active", "gauge", "live calls from and to the gateway", calls),
    ]


def _labelled(counters: Counters, gateways: Iterable[str]) -> list[str]:
    # a gateway that was removed is no label any more
    known = {"", *gateways}
    trunks = [
        ({"trunk": name, "direction": direction}, counts)
        for (name, direction), counts in counters.trunks.items()
        if name in known
    ]
    messages = [
        ({"method": method, "dir": way}, count)
        for way, counts in (("in", counters.received), ("out", counters.sent))
        for method, count in counts.items()
    ]
    return [
        *_family("vos_call_attempts_total", "counter",
                 "calls let in (in) and routes tried (out); without a trunk: phones",
                 [(labels, counts[0]) for labels, counts in trunks]),
        *_family("vos_call_answered_total", "counter", "calls answered",
                 [(labels, counts[1]) for labels, counts in trunks]),
        *_family("vos_call_failed_total", "counter", "calls that ended unanswered",
                 [({"code_class": key}, count) for key, count in counters.failed.items()]),
        *_family("vos_sip_messages_total", "counter",
                 "SIP messages: requests by method, responses by class", messages),
    ]  # fmt: skip


def _plain(counters: Counters) -> list[str]:
    """The rows of the counter table; rows that share a name are one family."""
    families: dict[str, tuple[str, list[str]]] = {}
    for name, row in COUNTERS.items():
        if row.metric is None:
            continue
        metric = row.metric or f"vos_{name}_total"
        family = families.setdefault(metric.partition("{")[0], (row.help, []))
        family[1].append(f"{metric} {counters.values[name]}")
    return [line for name, (help_, samples) in families.items()
            for line in (*_head(name, "counter", help_), *samples)]  # fmt: skip


def _histogram(name: str, help_: str, counted: Histogram) -> list[str]:
    lines, total = _head(name, "histogram", help_), 0
    for limit, count in zip([*map(str, counted.bounds), "+Inf"], counted.counts, strict=True):
        total += count
        lines.append(f'{name}_bucket{{le="{limit}"}} {total}')
    return [*lines, f"{name}_sum {counted.sum!r}", f"{name}_count {total}"]


def _head(name: str, kind: str, help_: str) -> list[str]:
    return [f"# HELP {name} {help_}", f"# TYPE {name} {kind}"]


def _family(name: str, kind: str, help_: str, samples: Iterable[Sample]) -> list[str]:
    lines = [f"{name}{_labels(labels)} {float(value):.15g}" for labels, value in samples]
    return [*_head(name, kind, help_), *lines]


def _labels(labels: Label) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{_quoted(value)}"' for key, value in labels.items()) + "}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class MetricsServer:
    """Listens where SS_METRICS_ADDRESS says, follows its changes, answers GET /metrics."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._address: tuple[str, int] | None = None
        self._runner: web.AppRunner | None = None
        #: bound, and served once `_serve` had its turn
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._scrapers: dict[_Scraper, None] = {}
        self._turning: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen if an address is set. One that cannot be had is logged: calls go on without."""
        app = web.Application(client_max_size=1024)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=75.0)
        await self._runner.setup()
        settings = self._node.settings
        settings.watch("metrics", self.apply)
        try:
            self.apply(settings.snapshot)
        except SocketError as error:
            log.error("%s; going on without /metrics", error)

    def apply(self, snapshot: Snapshot) -> None:
        """Start, stop or move. SocketError, and nothing changed, when it cannot be had."""
        wanted: tuple[str, int] | None = snapshot.get("SS_METRICS_ADDRESS")
        if wanted == self._address:
            return
        old = self._address
        if wanted is None:
            self._leave()
        elif old is None or old[1] != wanted[1]:
            self._listen(wanted)
        else:
            # we ourselves are in the way when one of the two is the wildcard
            self._leave()
            try:
                self._listen(wanted)
            except SocketError:
                self._listen(old)
                raise

    def _listen(self, wanted: tuple[str, int]) -> None:
        taken = bound("tcp", *wanted, "as SS_METRICS_ADDRESS")
        self._leave()
        self._address, self._socket = wanted, taken
        self._turning = asyncio.get_running_loop().create_task(self._serve(taken))

    def _leave(self) -> None:
        """Stop listening; who is connected is served on."""
        if self._server is not None:
            self._server.close()
        elif self._socket is not None:
            self._socket.close()
        self._address = self._socket = self._server = None

    async def _serve(self, taken: socket.socket) -> None:
        if taken is not self._socket:
            return  # moved on before this had its turn
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._connection, sock=taken, start_serving=False)
        self._server = server
        await server.start_serving()
        log.info("metrics on %s", endpoint_text(taken.getsockname()[:2]))

    def _connection(self) -> asyncio.Protocol:
        assert self._runner is not None
        assert self._runner.server is not None
        return _Scraper(self._runner.server(), self._scrapers)

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=exposition(self._node).encode(), headers={"Content-Type": TYPE})

    async def stop(self) -> None:
        if self._turning is not None:
            await self._turning
        self._leave()
        if self._runner is not None:
            await self._runner.cleanup()


class _Scraper(asyncio.Protocol):
    """A connection, counted from its first moment; `others` has the one silent longest first."""

    def __init__(self, http: asyncio.Protocol, others: dict[_Scraper, None]) -> None:
        self._http, self._others = http, others

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._timer = asyncio.get_running_loop().call_later(_FIRST_S, self._hang_up)
        if len(self._others) >= _MOST:
            next(iter(self._others))._hang_up()
        self._others[self] = None
        self._http.connection_made(transport)

    def _hang_up(self) -> None:
        self._others.pop(self, None)
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._timer.cancel()
        if self in self._others:
            del self._others[self]
            self._others[self] = None
        self._http.data_received(data)

    def eof_received(self) -> bool | None:
        return self._http.eof_received()

    def pause_writing(self) -> None:
        self._http.pause_writing()

    def resume_writing(self) -> None:
        self._http.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._others.pop(self, None)
        self._http.connection_lost(exc)
