# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl trace: what is asked of the daemon, and stdout, stderr and exit code whole."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.vosctl.stub import Ran, Stub
from tests.vosctl.test_ladder import ODD, START, V6, a_in, a_out, b_out, sip
from vosd.wire.traces import (
    TraceDetail,
    TraceList,
    TraceMessage,
    TracesStopped,
    TraceView,
)

Vosctl = Callable[..., Ran]
RUNNING = TraceView(id="3", state="running", callee="44", gateway="telia", started_at=START,
                    until=START + 600, calls=2, messages=26, octets=20480)  # fmt: skip
ENDED = TraceView(id="1", state="ended", started_at=START - 60, until=START, ended="time",
                  calls=1, messages=3, octets=3000, dropped=7)  # fmt: skip
EVIL = TraceMessage(at=START + 3, direction="in", transport="udp", source="192.0.2.9:5060",
                    destination="198.51.100.1:5060",
                    text="\x1b]0;owned\x07\r\nA: \x9b2J\r\n\r\n")  # fmt: skip
MESSAGES = [a_in(0.0, sip("INVITE sip:4400@198.51.100.1 SIP/2.0", "1 INVITE")),
            a_out(0.5, sip("SIP/2.0 404 Not Found", "1 INVITE"))]  # fmt: skip


def test_start_sends_the_filter_and_says_until_when_dbg_01(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("POST /v1/traces", TraceDetail(trace=RUNNING))
    ran = vosctl("trace", "start", "--callee", "44", "--gateway", "telia", "--for", "10m",
                 "--why", "case 7")  # fmt: skip
    assert ran == (
        0, "trace 3 keeps callee 44, gateway telia until 2026-11-22 15:10:00\n", "",
    )  # fmt: skip
    body = {"caller": "", "callee": "44", "gateway": "telia", "call": "", "for_s": 600.0,
            "why": "case 7", "dry_run": False}  # fmt: skip
    assert daemon.asked == [("POST", "/v1/traces", body)]


def test_start_with_a_length_that_is_none_is_a_bad_value(vosctl: Vosctl) -> None:
    ran = vosctl("trace", "start", "--for", "soon")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("cannot use 'soon' as a length of time")


@pytest.mark.parametrize(
    ("words", "sent"), [((), (None, False)), (("3",), ("3", False)), (("all",), (None, True))]
)
def test_stop_one_the_one_or_all(
    daemon: Stub, vosctl: Vosctl, words: tuple[str, ...], sent: tuple[str | None, bool]
) -> None:
    daemon.answer("POST /v1/traces/stop", TracesStopped(traces=[RUNNING]))
    assert vosctl("trace", "stop", *words) == (
        0, "stopped trace 3: 26 messages of 2 calls\n", "",
    )  # fmt: skip
    assert (daemon.asked[0].body["id"], daemon.asked[0].body["all"]) == sent


def test_list(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/traces", TraceList(traces=[ENDED, RUNNING]))
    assert vosctl("trace", "list").out == """\
id  state         of                        started              until                calls  messages  KiB  dropped
1   ended (time)  everything                2026-11-22 14:59:00  2026-11-22 15:00:00      1         3    2        7
3   running       callee 44, gateway telia  2026-11-22 15:00:00  2026-11-22 15:10:00      2        26   20        -
"""  # noqa: E501


def test_show_draws_and_json_gives_the_messages(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/traces/1", TraceDetail(trace=ENDED))
    daemon.answer("GET /v1/traces/1/messages", [*MESSAGES, ODD])
    ran = vosctl("trace", "show", "1")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == ("trace 1 of everything, ended, 1:00 from 2026-11-22 14:59:00: 3 messages of"
                        " 1 call, 7 older ones dropped")  # fmt: skip
    assert lines[1] == "call 00aa11bb22cc33dd, 7001 to 4400, 2026-11-22, 3 messages"
    assert lines[4].startswith("15:00:00.500 |<------")
    assert "404 Not Found" in lines[4]
    document = json.loads(vosctl("trace", "show", "1", "--json").out)
    assert document["version"] == 1
    assert document["trace"]["dropped"] == 7
    assert [sorted(m) for m in document["messages"]] == [sorted(TraceMessage.__struct_fields__)] * 3
    assert document["messages"][1]["text"].startswith("SIP/2.0 404")


def test_colours_mark_refusals_and_timers(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/traces/1", TraceDetail(trace=ENDED))
    asked = b_out(0.1, sip("INVITE sip:4400@x SIP/2.0", "1 INVITE", "Supported: timer"))
    daemon.answer("GET /v1/traces/1/messages", [*MESSAGES, asked])
    painted = [line for line in vosctl("--color", "always", "trace", "show", "1").out.splitlines()
               if line.startswith(("\x1b[31m", "\x1b[32m"))]  # fmt: skip
    assert len(painted) == 2
    assert "404" in painted[0]
    assert "Supported: timer" in painted[1]


def test_export_text_is_safe_to_look_at_row_20(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/traces/1/messages", [MESSAGES[1], EVIL])
    ran = vosctl("trace", "export", "1", "--format", "text")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == ("2026-11-22T15:00:00.500000+00:00 out udp 198.51.100.1:5060 -> "
                        "192.0.2.9:5060 call 00aa11bb22cc33dd leg a")  # fmt: skip
    assert lines[1] == "SIP/2.0 404 Not Found"
    assert r"\x1b]0;owned\x07" in lines
    assert r"A: \x9b2J" in lines
    assert all(line.isprintable() for line in lines)


def test_export_pcap_to_a_file_only_its_owner_reads(
    daemon: Stub, vosctl: Vosctl, tmp_path: Path
) -> None:
    daemon.answer("GET /v1/traces/1/messages", [*MESSAGES, V6])
    path = tmp_path / "call.pcap"
    ran = vosctl("trace", "export", "1", "--format", "pcap", str(path))
    assert ran == (
        0, "", f"3 messages in {path}; it holds what callers sent: keep it safe\n",
    )  # fmt: skip
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes()[:4].hex() == "d4c3b2a1"


def test_export_where_nothing_can_be_written(
    daemon: Stub, vosctl: Vosctl, tmp_path: Path
) -> None:
    daemon.answer("GET /v1/traces/1/messages", MESSAGES)
    path = tmp_path / "none" / "call.pcap"
    ran = vosctl("trace", "export", "1", "--format", "pcap", str(path))
    assert ran[:2] == (1, "")
    assert ran.err == f"cannot write {path}: No such file or directory\n"


def test_a_trace_that_is_gone(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.refuse("GET /v1/traces/9", "not_found", "cannot find trace '9'")
    ran = vosctl("trace", "show", "9")
    assert ran.code == 1
    assert ran.err.startswith("cannot find trace '9'")
