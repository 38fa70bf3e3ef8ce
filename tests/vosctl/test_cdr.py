# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl cdr: what is asked of the daemon, and stdout, stderr and exit code whole."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.control.standin import call_view
from tests.vosctl.stub import Ran, Stub
from vosd.wire.records import (
    Cdr,
    CdrDetail,
    CdrList,
)

Vosctl = Callable[..., Ran]

CDR = Cdr(
    id="00aa", node="edge-1", caller="=1+1", callee="46855501", mapping="acme", routing="telia",
    started_at=1795359600.25, ringing_at=1795359602.0, answered_at=1795359605.0,
    ended_at=1795359612.5, duration_s=7.5, end_reason="caller_hangup", ended_by="caller",
    sip_code=200, q850=16,
)  # fmt: skip
OPEN = Cdr(id="00bb", node="edge-1", caller='a,"b"', callee="2", started_at=1795359700.0)


def test_cdr_list(daemon: Stub, vosctl: Vosctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1795359900.0)
    daemon.answer("GET /v1/cdrs", CdrList(records=[CDR]))
    ran = vosctl("cdr", "list", "--since", "2h", "--until", "2026-11-22T15:00", "--caller", "1*",
                 "--gateway", "acme", "--reason", "busy", "--limit", "5")  # fmt: skip
    assert ran.out == (
        "id    started              caller  callee    from  to     length  end reason     by    "
        "  SIP\n"
        "00aa  2026-11-22 15:00:00  =1+1    46855501  acme  telia    0:07  caller_hangup  caller"
        "  200\n"
    )
    assert daemon.asked[0].path == (
        "/v1/cdrs?since=1795352700.0&until=1795359600.0&caller=1%2A&gateway=acme&reason=busy"
        "&limit=5"
    )


def test_cdr_show(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/cdrs/00aa", CdrDetail(record=CDR))
    assert (
        vosctl("cdr", "show", "00aa").out
        == """\
record        00aa
node          edge-1
state         closed
caller        =1+1
callee        46855501
from, to      acme to telia
started       2026-11-22 15:00:00
ringing       2026-11-22 15:00:02
answered      2026-11-22 15:00:05
ended         2026-11-22 15:00:12
answered for  7.500 s
end reason    caller_hangup
ended by      caller
SIP, Q.850    200, 16

no evidence was kept: legs and streams are not known
"""
    )
    daemon.answer("GET /v1/cdrs/00aa", CdrDetail(record=CDR, call=call_view()))
    assert "stream          A to vosd" in vosctl("cdr", "show", "00aa").out


CSV = (
    "id,node,caller,callee,mapping,routing,started_at,ringing_at,answered_at,ended_at,duration_s,"
    "end_reason,ended_by,sip_code,q850,state,alive_at\n"
    "00aa,edge-1,=1+1,46855501,acme,telia,2026-11-22T15:00:00.250Z,2026-11-22T15:00:02.000Z,"
    "2026-11-22T15:00:05.000Z,2026-11-22T15:00:12.500Z,7.5,caller_hangup,caller,200,16,closed,\n"
    '00bb,edge-1,"a,""b""",2,,,2026-11-22T15:01:40.000Z,,,,0.0,,,0,0,closed,\n'
)


def test_cdr_export_csv(daemon: Stub, vosctl: Vosctl, tmp_path: Path) -> None:
    daemon.answer("GET /v1/cdrs/export", [CDR, OPEN])
    assert vosctl("cdr", "export", "--format", "csv") == (0, CSV, "")
    assert daemon.asked[0].path == "/v1/cdrs/export?limit=0"
    file = tmp_path / "out.csv"
    assert vosctl("cdr", "export", "--format", "csv", "-o", str(file)) == (0, "", "")
    assert file.read_text() == CSV


def test_cdr_export_for_a_spreadsheet(daemon: Stub, vosctl: Vosctl) -> None:
    """Attack row 21: what a spreadsheet would compute gets an apostrophe; numbers stay."""
    rows = [
        Cdr(id=f"{i}", node="n", caller=text, callee="1", started_at=0.0)
        for i, text in enumerate(["=cmd|'/C calc'!A0", "+46", "-1", "@x", "\tx", "46"])
    ]
    daemon.answer("GET /v1/cdrs/export", rows)
    out = vosctl("cdr", "export", "--format", "csv", "--spreadsheet").out
    cells = [row["caller"] for row in csv.DictReader(io.StringIO(out))]
    assert cells == ["'=cmd|'/C calc'!A0", "'+46", "'-1", "'@x", "'\tx", "46"]


@pytest.mark.parametrize("rows", [[], [CDR], [CDR, OPEN]])
def test_cdr_export_json_is_one_document(daemon: Stub, vosctl: Vosctl, rows: list[Cdr]) -> None:
    """The keys of `cdr list --json`; times as ISO 8601 as the help says."""
    daemon.answer("GET /v1/cdrs/export", rows)
    daemon.answer("GET /v1/cdrs", CdrList(records=rows))
    exported = json.loads(vosctl("cdr", "export", "--format", "json").out)
    listed = json.loads(vosctl("--json", "cdr", "list").out)
    for record in listed["records"]:
        for name, text in ISO.items():
            record[name] = text if record["id"] == "00aa" else None
        if record["id"] == "00bb":
            record["started_at"] = "2026-11-22T15:01:40.000Z"
    assert exported == listed


ISO = {
    "started_at": "2026-11-22T15:00:00.250Z", "ringing_at": "2026-11-22T15:00:02.000Z",
    "answered_at": "2026-11-22T15:00:05.000Z", "ended_at": "2026-11-22T15:00:12.500Z",
    "alive_at": None,
}  # fmt: skip


@pytest.mark.parametrize("format", ["csv", "json"])
def test_cdr_export_rounds_lengths(daemon: Stub, vosctl: Vosctl, format: str) -> None:
    row = Cdr(id="1", node="n", caller="1", callee="2", started_at=0.0, duration_s=7.1234567)
    daemon.answer("GET /v1/cdrs/export", [row])
    out = vosctl("cdr", "export", "--format", format).out
    assert "7.123" in out
    assert "7.1234" not in out


def test_cdr_export_that_breaks_off_is_no_success(daemon: Stub, vosctl: Vosctl) -> None:
    """What the daemon promised and did not send is missed, not taken for the end."""
    daemon.answer("GET /v1/cdrs/export", [CDR, b'{"id":"00cc","no'])
    ran = vosctl("cdr", "export", "--format", "csv")
    assert (ran.code, ran.out) == (1, CSV.rsplit("00bb", 1)[0])
    assert ran.err.startswith("cannot understand the answer from ")


def test_cdr_export_writes_while_it_reads(
    daemon: Stub, vosctl: Vosctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bounded memory: a record is written before the next but one is read."""
    reads, ahead = 0, 0
    written: list[str] = []

    def rows(*_: object, **__: object) -> Iterator[Cdr]:
        nonlocal reads, ahead
        for _ in range(50):
            reads += 1
            ahead = max(ahead, reads - 1 - sum(line.startswith("00aa") for line in written))
            yield CDR

    class File(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    @contextmanager
    def target(*_: object) -> Iterator[File]:
        yield File()

    monkeypatch.setattr("vosctl.client.Client.stream", rows)
    monkeypatch.setattr("vosctl.commands.cdr._target", target)
    assert vosctl("cdr", "export", "--format", "csv").code == 0
    assert (reads, ahead) == (50, 0)


@pytest.mark.parametrize(
    ("args", "code", "problem"),
    [
        (["--format", "json", "--spreadsheet"], 2,
         "cannot use --spreadsheet with --format json: it is for csv\n"),
        (["--format", "csv", "--since", "yesterday"], 2,
         "cannot use 'yesterday' as a time: how long ago such as 2h or 1d, or a date such as "
         "2026-11-22 or 2026-11-22T14:30, is accepted\n"),
        (["--format", "csv", "-o", "/no/such/dir/x"], 1,
         "cannot write /no/such/dir/x: No such file or directory\n"),
    ],
)  # fmt: skip
def test_cdr_export_usage(
    daemon: Stub, vosctl: Vosctl, args: list[str], code: int, problem: str
) -> None:
    assert vosctl("cdr", "export", *args) == (code, "", problem)
