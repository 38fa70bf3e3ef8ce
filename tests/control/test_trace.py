# SPDX-License-Identifier: GPL-2.0-or-later
"""trace.*: started, listed, read and stopped over the socket; every refusal in its words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.standin import Running
from tests.control.test_gateway import add, refusal
from vosctl.client import Client
from vosd.wire.traces import TraceMessage, TraceStart, TraceStop, TraceView
from vosd.wire.verbs import VERBS

OPTIONS = (
    b"OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n"
    b"From: <sip:+7001@a>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n\r\n"
)


def start(client: Client, **wanted: Any) -> TraceView:
    view: TraceView = client.call("trace.start", TraceStart(**wanted)).trace
    return view


def see(running: Running, data: bytes, at: float = 5.0, inward: bool = True) -> None:
    """A message crosses the switch."""

    async def tap() -> None:
        traces = running.node.exchange.traces
        assert traces.tap is not None
        traces.tap(inward, data, ("192.0.2.9", 5060), 0, at)

    running.run(tap())


def read(client: Client, id_: str) -> list[TraceMessage]:
    return list(client.stream("trace.messages", path={"id": id_}))


def test_a_trace_from_start_to_stop_dbg_01(client: Client, running: Running) -> None:
    view = start(client, why="customer complains")
    assert (view.id, view.state, view.until - view.started_at) == ("1", "running", 600)
    see(running, OPTIONS)
    see(running, b"\xff\xfe no sip", at=4.5)
    see(running, b"SIP/2.0 200 OK\r\nCall-ID: o\r\n\r\n", at=6.0, inward=False)
    other, first, last = read(client, "1")
    assert first == TraceMessage(
        at=5.0, direction="in", transport="udp", source="192.0.2.9:5060",
        destination="198.51.100.1:5060", text=OPTIONS.decode(),
    )  # fmt: skip
    assert (last.direction, last.source) == ("out", "198.51.100.1:5060")
    # what is no UTF-8 comes as its octets
    assert (other.at, other.text, other.octets) == (4.5, "", b"\xff\xfe no sip")
    assert [t.messages for t in client.call("trace.list").traces] == [3]
    (stopped,) = client.call("trace.stop", TraceStop(why="seen enough")).traces
    assert (stopped.state, stopped.ended, stopped.messages) == ("ended", "stopped", 3)
    assert len(read(client, "1")) == 3
    assert client.call("trace.show", path={"id": "1"}).trace == stopped
    audit = [(row.verb, row.subject, row.new, row.why) for row in running.node.store.audit(10)]
    assert audit == [("trace.stop", "1", "", "seen enough"),
                     ("trace.start", "1", "everything", "customer complains")]  # fmt: skip


def test_several_at_once_each_with_its_filter(client: Client, running: Running) -> None:
    add(client, "acme", addresses=["192.0.2.9"])
    start(client, caller="+70"), start(client, callee="80"), start(client, gateway="acme")
    see(running, OPTIONS)
    assert [t.messages for t in client.call("trace.list").traces] == [1, 0, 1]
    kind, words = refusal(client.call, "trace.stop", TraceStop())
    assert (kind, words) == (
        "bad_request", "cannot tell which trace to stop: 1, 2, 3 run; name one, or all",
    )  # fmt: skip
    assert len(client.call("trace.stop", TraceStop(id="2")).traces) == 1
    assert len(client.call("trace.stop", TraceStop(all=True)).traces) == 2
    assert client.call("trace.stop", TraceStop(all=True)).traces == []


def test_dry_run_starts_and_stops_nothing(client: Client, running: Running) -> None:
    start(client, dry_run=True)
    assert client.call("trace.list").traces == []
    start(client)
    client.call("trace.stop", TraceStop(dry_run=True))
    assert [t.state for t in client.call("trace.list").traces] == ["running"]
    assert len(running.node.store.audit(10)) == 1


@pytest.mark.parametrize(
    ("wanted", "kind", "words"),
    [
        ({"for_s": 7201}, "bad_value", "cannot trace for 7201 s: 1 s to 2 h is accepted"),
        ({"for_s": 0.5}, "bad_value", "cannot trace for 0.5 s: 1 s to 2 h is accepted"),
        ({"caller": "bob"}, "bad_value",
         "cannot use 'bob' as a number: 1 to 32 digits, with or without a leading +, are accepted"),
        ({"gateway": "nobody"}, "not_found", "cannot find gateway 'nobody': none has that name"),
        ({"call": "ff"}, "conflict",
         "cannot trace call 'ff': no live call has this id or Call-ID; trace a number or a "
         "gateway before the call begins"),
    ],
)  # fmt: skip
def test_what_cannot_be_traced(client: Client, wanted: Any, kind: str, words: str) -> None:
    assert refusal(start, client, **wanted) == (kind, words)
    assert client.call("trace.list").traces == []


def test_unknown_traces_and_nothing_to_stop(client: Client) -> None:
    lost = ("not_found", "cannot find trace '7': traces are kept in memory only, vosctl trace "
            "list shows what is there")  # fmt: skip
    assert refusal(client.call, "trace.show", path={"id": "7"}) == lost
    assert refusal(read, client, "7") == lost
    assert refusal(client.call, "trace.stop", TraceStop(id="7")) == lost
    assert refusal(client.call, "trace.stop", TraceStop()) == (
        "not_found", "cannot stop a trace: none runs",
    )  # fmt: skip


def test_readers_see_that_a_trace_runs_and_not_what_it_holds() -> None:
    """Digest responses are in it: who has them can guess passwords (RFC 7616 5)."""
    assert {name: VERBS[name].access for name in VERBS if name.startswith("trace.")} == {
        "trace.list": "read", "trace.show": "read", "trace.start": "write",
        "trace.stop": "write", "trace.messages": "write",
    }  # fmt: skip
