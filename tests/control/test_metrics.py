# SPDX-License-Identifier: GPL-2.0-or-later
"""/metrics: the exposition read by a strict parser, and a listener that follows its parameter."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.control.standin import Running, serving
from tests.control.test_gateway import add
from vosctl.client import Client, Refused
from vosd.control.metrics import MetricsServer, exposition
from vosd.engine.counters import COUNTERS
from vosd.wire.records import ParamSet

NAME = re.compile(r"[a-z][a-z0-9_]*")
SAMPLE = re.compile(r'([a-z0-9_]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)+)\})? ([0-9.e+-]+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
SUFFIX = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}

Families = dict[str, tuple[str, dict[tuple[str, str], float]]]


def parse(text: str) -> Families:
    """Format 0.0.4, strictly: HELP, TYPE, then samples of that family alone, each once."""
    families: Families = {}
    assert text.endswith("\n")
    lines = iter(text.splitlines())
    name = kind = ""
    for line in lines:
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert NAME.fullmatch(name)
            assert name not in families
            of, kind = next(lines).removeprefix("# TYPE ").split(" ")
            assert of == name
            assert (kind == "counter") == name.endswith("_total"), name
            families[name] = kind, {}
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        assert match[1] in [name + suffix for suffix in SUFFIX[kind]], line
        key = match[1], ",".join(f"{k}={v}" for k, v in LABEL.findall(match[2] or ""))
        assert key not in families[name][1], line
        families[name][1][key] = float(match[3])
    for name, (kind, samples) in families.items():
        if kind == "histogram":
            buckets = [v for (sample, _), v in samples.items() if sample.endswith("_bucket")]
            assert buckets == sorted(buckets)
            assert buckets[-1] == samples[name + "_count", ""] == samples[
                name + "_bucket", "le=+Inf"]  # fmt: skip
    return families


def read(running: Running) -> Families:
    async def written() -> str:
        return exposition(running.node)  # type: ignore[arg-type]

    return parse(running.run(written()))


#: ecosystem.md section 1, what of it exists in this version
ECOSYSTEM = {
    "vos_calls_active", "vos_call_attempts_total", "vos_call_answered_total",
    "vos_call_failed_total", "vos_post_dial_delay_seconds", "vos_call_duration_seconds",
    "vos_rtp_packets_total", "vos_rtp_lost_total", "vos_rtp_jitter_seconds",
    "vos_rtp_wrong_source_total", "vos_sip_messages_total", "vos_sip_parse_errors_total",
    "vos_auth_failures_total", "vos_registrations_active", "vos_cdr_queue_length",
    "vos_loop_lag_seconds", "vos_build_info",
}  # fmt: skip


def test_names_of_the_ecosystem_and_every_row_of_the_table(running: Running) -> None:
    families = read(running)
    assert set(families) >= ECOSYSTEM
    rows = {(row.metric or f"vos_{name}_total").partition("{")[0]
            for name, row in COUNTERS.items() if row.metric is not None}  # fmt: skip
    assert rows <= set(families)


def test_values_are_those_of_status_in_base_units(client: Client, running: Running) -> None:
    add(client, 'odd"one\\')
    add(client, "telia", "routing", addresses=["192.0.2.7"])
    running.node.up["telia"] = (False, "no answer")
    counters = running.node.exchange.counters
    counters.attempt(("gateway", "telia"), "out")
    counters.attempt(("gateway", "gone"), "out")
    counters.attempt(("phone", "4670001"), "in")
    counters.received.add(b"INVITE sip:x SIP/2.0\r\n")
    counters.sent.add(b"SIP/2.0 486 Busy\r\n")
    counters.received.add(b"GARBAGE")
    for value in (0.1, 0.11, 99.0):
        counters.post_dial.observe(value)
    families = read(running)
    assert families["vos_calls_active"][1] == {("vos_calls_active", ""): 12}
    assert families["vos_loop_lag_seconds"][1]["vos_loop_lag_seconds", ""] == pytest.approx(42e-5)
    assert families["vos_trunk_up"][1] == {("vos_trunk_up", "trunk=telia"): 0}
    calls = families["vos_trunk_calls_active"][1]
    assert ("vos_trunk_calls_active", 'trunk=odd\\"one\\\\') in calls
    # a removed gateway and a phone's number are no labels
    assert families["vos_call_attempts_total"][1] == {
        ("vos_call_attempts_total", "trunk=telia,direction=out"): 1,
        ("vos_call_attempts_total", "trunk=,direction=in"): 1,
    }
    messages = {labels: v for (_, labels), v in families["vos_sip_messages_total"][1].items() if v}
    assert messages == {
        "method=INVITE,dir=in": 1, "method=4xx,dir=out": 1, "method=other,dir=in": 1,
    }  # fmt: skip
    delays = families["vos_post_dial_delay_seconds"][1]
    name = "vos_post_dial_delay_seconds"
    assert [delays[name + "_bucket", f"le={bound}"] for bound in ("0.1", "0.2", "10", "+Inf")] == [
        1, 2, 2, 3,
    ]  # fmt: skip
    assert delays[name + "_sum", ""] == pytest.approx(99.21)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Running]:
    with serving(tmp_path) as running:
        server = MetricsServer(running.node)  # type: ignore[arg-type]
        running.run(server.start())
        yield running
        running.run(server.stop())


def scrape(port: int, path: str = "/metrics", method: str = "GET") -> tuple[int, str, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status, reply.headers["Content-Type"], reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, "", ""


def put(running: Running, value: str) -> Any:
    change = ParamSet(values={"SS_METRICS_ADDRESS": value})
    reply = Client(running.path, timeout=10).call("param.set", change)
    running.run(asyncio.sleep(0))
    return reply


def test_off_by_default_and_started_moved_and_stopped_live(served: Running) -> None:
    one, two = free_port(), free_port()
    put(served, f"127.0.0.1:{one}")
    status, kind, text = scrape(one)
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert parse(text)["vos_calls_active"]
    put(served, f"127.0.0.1:{two}")
    assert scrape(two)[0] == 200
    with pytest.raises(urllib.error.URLError):
        scrape(one)
    put(served, "off")
    with pytest.raises(urllib.error.URLError):
        scrape(two)


def test_read_only_and_nothing_beside_it(served: Running) -> None:
    port = free_port()
    put(served, f"127.0.0.1:{port}")
    assert scrape(port, "/v1/status")[0] == 404
    assert scrape(port, "/metrics", "POST")[0] == 405


async def connections(port: int, count: int) -> list[socket.socket]:
    """Connections that say nothing, all the server has in hand."""
    made = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    for _ in range(20):
        await asyncio.sleep(0)
    return made


def test_the_silent_do_not_lock_a_scraper_out(served: Running) -> None:
    port = free_port()
    put(served, f"127.0.0.1:{port}")
    silent = served.run(connections(port, 50))
    assert scrape(port)[0] == 200
    ended = 0
    for one in silent:
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            ended += one.recv(1) == b""
        one.close()
    # 32 at once, of whom the scraper was the last
    assert ended == 50 - 31


def test_who_says_nothing_is_hung_up_on(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    put(served, f"127.0.0.1:{port}")
    monkeypatch.setattr("vosd.control.metrics._FIRST_S", 0.0)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as silent:
        assert silent.recv(1) == b""


def test_the_same_port_moves_between_an_address_and_all_of_them(served: Running) -> None:
    """Linux lets nobody have 0.0.0.0 while somebody, here ourselves, listens on 127.0.0.1."""
    port = free_port()
    put(served, f"127.0.0.1:{port}")
    with socket.create_connection(("127.0.0.1", port)):
        put(served, f"0.0.0.0:{port}")
    assert scrape(port)[0] == 200
    with socket.socket() as other:
        other.bind(("127.0.0.2", 0))
        other.listen()
        taken = other.getsockname()[1]
        put(served, f"127.0.0.1:{taken}")
        with pytest.raises(Refused, match="Address already in use"):
            put(served, f"0.0.0.0:{taken}")
        served.run(asyncio.sleep(0))
        assert scrape(taken)[0] == 200
    put(served, f"127.0.0.1:{port}")
    assert scrape(port)[0] == 200


def test_an_address_in_use_is_refused_and_the_old_one_stays(served: Running) -> None:
    port = free_port()
    put(served, f"127.0.0.1:{port}")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(Refused) as refused:
            put(served, f"127.0.0.1:{taken}")
    assert refused.value.failure.message == (
        f"cannot apply the metrics parameters: cannot listen on 127.0.0.1 port {taken}/tcp: "
        "Address already in use; stop what uses it, or name another address as "
        "SS_METRICS_ADDRESS; nothing was changed"
    )
    assert scrape(port)[0] == 200
