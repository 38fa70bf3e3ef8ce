# SPDX-License-Identifier: GPL-2.0-or-later
"""A traced call between sipps: every message of both legs, exported, copied and counted.

tshark and sngrep judge the export; a live capture of the wire says what had to be in it.
"""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from script.private_switch import free_port
from tests.interop.capture import Capture, may_capture
from tests.interop.conftest import CUSTOMER, VENDOR, Field, eventually
from tests.interop.programs import needs

CALLS = 3


def rows(path: Path, *ports: int) -> list[tuple[str, ...]]:
    """Call-ID, CSeq and status of every SIP packet, sorted: two captures of one wire are equal."""
    fields = ("ip.src", "ip.dst", "sip.Call-ID", "sip.CSeq", "sip.Status-Code", "_ws.malformed")
    done = subprocess.run(
        ["tshark", "-r", str(path), "-Y", "sip", *(f"-dudp.port=={port},sip" for port in ports),
         "-T", "fields", "-E", "separator=|",
         *(word for field in fields for word in ("-e", field))],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return sorted(tuple(line.split("|")) for line in done.stdout.splitlines())


@needs("sipp", "tshark")
@pytest.mark.skipif(not may_capture(), reason="did not run: may not capture on lo (not root)")
def test_the_export_of_a_trace_is_what_was_on_the_wire(field: Field, tmp_path: Path) -> None:
    prefix, port, caller_port = field.prefix(), free_port(VENDOR), free_port(CUSTOMER)
    field.add_vendor(prefix, port)
    field.callee("uas", port=port)
    capture = Capture(tmp_path / "wire.pcap", (field.switch.port, port, caller_port))
    ours = field.switch.json("trace", "start", "--callee", prefix, "--for", "10m")["trace"]["id"]
    other = field.switch.json("trace", "start", "--callee", "999")["trace"]["id"]
    callers = field.callers(CALLS)
    done = field.caller("uac", callers, prefix + "1", port=caller_port, hold_ms=300).wait(20)
    assert (done.successful, done.failed) == (CALLS, 0)
    field.await_records(callers)
    capture.stop()
    field.switch.vosctl("trace", "stop", "all")
    path = tmp_path / "trace.pcap"
    field.switch.vosctl("trace", "export", ours, "--format", "pcap", str(path))
    ports = (field.switch.port, port, caller_port)
    exported, wire = rows(path, *ports), rows(capture.path, *ports)
    # both legs of each call, INVITE to the 200 of BYE; calls of other tests may still say goodbye
    calls = {row[2] for row in exported}
    assert len(calls) == 2 * CALLS
    assert exported == [row for row in wire if row[2] in calls]
    assert {row[5] for row in exported} == {""}
    assert field.switch.json("trace", "show", other)["messages"] == []

    shown = field.switch.vosctl("trace", "show", ours).stdout
    assert shown.count("INVITE SDP") == 2 * CALLS
    # sipp knows no session timers (DBG-05)
    assert shown.count(f"{VENDOR}:{port}: peer lacks RFC 4028, the hard cap applies") == CALLS
    again = subprocess.run(
        ["sngrep", "-F", "-N", "-q", "-I", str(path), "-O", str(tmp_path / "read.pcap")],
        capture_output=True, timeout=20, stdin=subprocess.DEVNULL,
    ) if Path("/usr/bin/sngrep").exists() else None  # fmt: skip
    if again is not None:
        assert again.returncode == 0
        assert rows(tmp_path / "read.pcap", *ports) == exported


@needs("sipp")
def test_every_message_reaches_the_collector_under_its_call_and_is_counted(
    own_field: Field,
) -> None:
    switch = own_field.switch
    prefix, port = own_field.prefix(), free_port(VENDOR)
    vendor = own_field.add_vendor(prefix, port)
    own_field.callee("uas", port=port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))
        collector.settimeout(5)
        metrics = free_tcp_port()
        switch.vosctl("param", "set", f"SS_HEP_ADDRESS=127.0.0.1:{collector.getsockname()[1]}",
                      f"SS_METRICS_ADDRESS=127.0.0.1:{metrics}")  # fmt: skip
        callers = own_field.callers(1)
        assert own_field.caller("uac", callers, prefix + "1", hold_ms=300).wait(20).successful == 1
        (record,) = own_field.await_records(callers).values()
        # 7 messages each way of a plain call: 13 with one 100 Trying or 14 with two
        sent = eventually(lambda: switch.json("status")["counters"]["hep_sent"] >= 13 and
                          switch.json("status")["counters"]["hep_sent"])  # fmt: skip
        packets = [collector.recv(65535) for _ in range(sent)]
    assert {packet[:4] for packet in packets} == {b"HEP3"}
    # both legs, and the first INVITE too, carry the id of the switch (chunk 17)
    tail = b"\x00\x00\x00\x11" + (6 + len(record["id"])).to_bytes(2, "big") + record["id"].encode()
    assert all(packet.endswith(tail) for packet in packets)
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=5) as reply:
        text = reply.read().decode()
    assert f'vos_call_answered_total{{trunk="{vendor}",direction="out"}} 1\n' in text
    assert 'vos_sip_messages_total{method="BYE",dir="in"} 1\n' in text
    assert f"vos_hep_sent_total {sent}\n" in text
    assert callers[0] not in text


def free_tcp_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@needs("sipp")
def test_a_trace_ends_when_its_time_is_over(own_field: Field) -> None:
    switch = own_field.switch
    id_ = switch.json("trace", "start", "--for", "1s")["trace"]["id"]
    ended = eventually(lambda: switch.json("trace", "show", id_)["trace"]["ended"])
    assert ended == "time"
    assert time.time() >= switch.json("trace", "show", id_)["trace"]["until"]
