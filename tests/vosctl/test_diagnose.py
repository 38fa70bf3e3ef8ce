# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl diagnose: what is asked of the daemon, and stdout, stderr and exit code whole."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.control.standin import call_view, direct_view
from tests.vosctl.stub import Ran, Stub
from vosd.wire.diagnosis import BadCall, Diagnosis, Finding, RecentCalls
from vosd.wire.timers import RefreshTrouble, TimerView

Vosctl = Callable[..., Ran]

FINDING = Finding(
    code="loss-in", title="Packets from A are lost before the switch", severity="critical",
    confidence="certain", side="a", evidence=["50 of 5000 packets lost", "marked EF"],
    cause="The path drops packets.", change="vosctl param set SS_QOS_RTP=EF",
    disproof="Other calls lose nothing.", rows=["CC-04", "CC-07"],
)  # fmt: skip


def test_diagnose(daemon: Stub, vosctl: Vosctl) -> None:
    diagnosis = Diagnosis(
        subject="call 00aa", verdict="Packets from A are lost.", severity="critical",
        profile="source", findings=[FINDING],
    )  # fmt: skip
    daemon.answer("GET /v1/diagnose/call", diagnosis)
    daemon.answer("GET /v1/diagnose/gateway/acme", diagnosis)
    expected = """\
verdict  Packets from A are lost.
about    call 00aa, judged by profile source

1. Packets from A are lost before the switch (critical, certain, leg A)
   evidence  50 of 5000 packets lost
             marked EF
   cause     The path drops packets.
   change    vosctl param set SS_QOS_RTP=EF
   disproof  Other calls lose nothing.
   see       CC-04 CC-07
"""
    for args in (["call", "--last"], ["call", "--worst"], ["call", "00aa"], ["gateway", "acme"]):
        assert vosctl("diagnose", *args) == (5, expected, "")
    assert [asked.path for asked in daemon.asked] == [
        "/v1/diagnose/call?pick=last",
        "/v1/diagnose/call?pick=worst",
        "/v1/diagnose/call?id=00aa",
        "/v1/diagnose/gateway/acme",
    ]


@pytest.mark.parametrize(
    ("severity", "code"), [("ok", 0), ("info", 0), ("warning", 5), ("critical", 5)]
)
@pytest.mark.parametrize("json_", [[], ["--json"]])
def test_diagnose_exit_code(
    daemon: Stub, vosctl: Vosctl, severity: Any, code: int, json_: list[str]
) -> None:
    reply = Diagnosis(subject="call x", verdict="v", severity=severity, profile="source")
    daemon.answer("GET /v1/diagnose/call", reply)
    assert vosctl(*json_, "diagnose", "call", "--last").code == code


def test_diagnose_shows_the_streams(daemon: Stub, vosctl: Vosctl) -> None:
    view = direct_view("11")
    reply = Diagnosis(subject="x", verdict="v", severity="ok", profile="source", call=view)
    daemon.answer("GET /v1/diagnose/call", reply)
    assert vosctl("diagnose", "call", "11") == (
        0,
        "verdict  v\nabout    x, judged by profile source\n"
        "parties  4670001 to 46855501, acme to telia\n\nstreams  not relayed: the two sides "
        "send to each other, so the switch has no figures\n",
        "",
    )


@pytest.mark.parametrize("args", [[], ["x", "--last"], ["--last", "--worst"]])
def test_diagnose_one_call(daemon: Stub, vosctl: Vosctl, args: list[str]) -> None:
    assert vosctl("diagnose", "call", *args) == (
        2,
        "",
        "cannot tell which call: one of ID, --last, --worst is needed\n",
    )


class Page(HTMLParser):
    """Every element with its attributes, and the text in between."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data.split()


HOSTILE = '<script src="http://x.test/a.js">alert(1)</script><img onerror=x>&amp;\u202e'


def test_the_page_says_what_the_terminal_says(
    daemon: Stub, vosctl: Vosctl, tmp_path: Path
) -> None:
    """One report, two faces: no word of the terminal is missing in the file."""
    reply = Diagnosis(
        subject="call 00aa", verdict="Packets from A are lost.", severity="critical",
        profile="source", findings=[FINDING], call=call_view(display=HOSTILE),
    )  # fmt: skip
    daemon.answer("GET /v1/diagnose/call", reply)
    path = tmp_path / "report.html"
    path.write_text("what was there before")
    ran = vosctl("diagnose", "call", "--last", "--html", str(path))
    assert (ran.code, ran.err) == (5, f"written to {path}\n")
    page = Page(path.read_text("utf-8"))
    assert set(ran.out.split()) <= set(page.words)
    assert {tag for tag, _ in page.elements} == {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "dl", "dt", "dd",
        "table", "tr", "th", "td",
    }  # fmt: skip


def test_hostile_text_is_inert_in_the_page(daemon: Stub, vosctl: Vosctl, tmp_path: Path) -> None:
    """A From display name with markup: no element, no attribute of it, nothing to load or run."""
    reply = Diagnosis(
        subject=f"call {HOSTILE}", verdict=HOSTILE, severity="ok", profile="source",
        call=call_view(display=HOSTILE, caller=HOSTILE),
    )  # fmt: skip
    daemon.answer("GET /v1/diagnose/call", reply)
    path = tmp_path / "report.html"
    assert vosctl("diagnose", "call", "00aa", "--html", str(path)).code == 0
    text = path.read_text("utf-8")
    assert "<script" not in text
    assert "\u202e" not in text
    page = Page(text)
    assert {name for _, attributes in page.elements for name in attributes} == {
        "lang", "charset", "http-equiv", "content", "name", "class",
    }  # fmt: skip
    policy = [row["content"] for tag, row in page.elements if row.get("http-equiv")]
    assert policy == [
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ]


def test_a_page_that_cannot_be_written_names_its_path(
    daemon: Stub, vosctl: Vosctl, tmp_path: Path
) -> None:
    reply = Diagnosis(subject="x", verdict="v", severity="critical", profile="source")
    daemon.answer("GET /v1/diagnose/gateway/acme", reply)
    path = tmp_path / "no" / "report.html"
    ran = vosctl("diagnose", "gateway", "acme", "--html", str(path))
    assert ran.code == 1
    assert ran.err.startswith(f"cannot write {path}: No such file or directory\n")
    assert ran.out.startswith("verdict  v\n")


def test_streams_of_a_call_whose_evidence_is_lost(daemon: Stub, vosctl: Vosctl) -> None:
    """After a crash the record alone is left: that is not "not relayed"."""
    view = call_view("11", state="ended", media="none", relay=None, legs=[])
    reply = Diagnosis(subject="x", verdict="v", severity="info", profile="source", call=view)
    daemon.answer("GET /v1/diagnose/call", reply)
    out = vosctl("diagnose", "call", "11").out
    assert out.endswith("streams  unknown: the evidence is lost, only the record is left\n")
    assert "not relayed" not in out


BAD = BadCall(
    id="00aa11bb22cc33dd", caller="4670001", callee="46855501", mapping="acme", routing="telia",
    started_at=1795359600.0, severity="critical", code="one_way", side="b",
    verdict="One-way audio: nothing comes from B (gateway telia).",
)  # fmt: skip


def test_recent(daemon: Stub, vosctl: Vosctl) -> None:
    live = BadCall(
        id="11", live=True, caller="4670001", callee="", started_at=1795359600.0,
        severity="warning", code="jitter", side="both", verdict="Uneven.",
    )  # fmt: skip
    reply = RecentCalls(calls=[BAD, live], finished=40, live=1, limit=500)
    daemon.answer("GET /v1/diagnose/recent", reply)
    assert vosctl("diagnose", "recent", "--since", "1970-01-01T00:10") == (
        5,
        "2 bad calls among 1 live call and 40 finished ones (at most 500 of each)\n"
        "id                started              caller   callee    whose side     verdict\n"
        "00aa11bb22cc33dd  2026-11-22 15:00:00  4670001  46855501  leg B (telia)  "
        "One-way audio: nothing comes from B (gateway telia).\n"
        "11                live                 4670001  -         both legs      Uneven.\n"
        "vosctl diagnose call ID explains one of them.\n",
        "",
    )
    assert daemon.asked[0].path == "/v1/diagnose/recent?since=600.0"
    assert vosctl("--json", "diagnose", "recent").code == 5


def test_recent_with_nothing_bad(daemon: Stub, vosctl: Vosctl, tmp_path: Path) -> None:
    daemon.answer("GET /v1/diagnose/recent", RecentCalls(finished=1, live=0, limit=500))
    path = tmp_path / "recent.html"
    assert vosctl("diagnose", "recent", "--html", str(path)) == (
        0,
        "no bad call among 0 live calls and 1 finished one (at most 500 of each)\n",
        f"written to {path}\n",
    )
    assert "no bad call among" in path.read_text("utf-8")


def test_diagnose_session(daemon: Stub, vosctl: Vosctl) -> None:
    """No band profile, and the session timers in place of the streams."""
    view = call_view("00aa", farewell="Q.850;cause=102")
    view.legs[0].timer = TimerView(method="OPTIONS", cap_s=7200.0)
    view.legs[1].timer = TimerView(
        interval_s=600, refresher="party", granted=1, last_at=1795359905.0, method="UPDATE",
        trouble=[RefreshTrouble(at=1.0, by="party", note="no refresh in 600 s")], troubles=1,
    )
    reply = Diagnosis(subject="session 00aa", verdict="B did not refresh.", severity="warning",
                      profile="", findings=[FINDING], call=view)  # fmt: skip
    daemon.answer("GET /v1/diagnose/session", reply)
    ran = vosctl("diagnose", "session", "00aa")
    assert (ran.code, ran.err) == (5, "")
    assert ran.out.startswith(
        "verdict  B did not refresh.\nabout    session 00aa\n"
        "parties  4670001 to 46855501, acme to telia\n\n1. Packets from A"
    )
    assert ran.out.endswith(
        "\n\n"
        "               leg A, calling                              leg B, called\n"
        "session timer  none: peer lacks RFC 4028, hard cap 7200 s  600 s, by the party (UPDATE)\n"
        "next refresh   -                                           -\n"
        "ends without   -                                           -\n"
        "refreshed      -                                           1, last 2026-11-22 15:05:05\n"
        "not granted    -                                           1, last no refresh in 600 s\n"
        "BYE reason  Q.850;cause=102\n"
    )
    assert daemon.asked[0].path == "/v1/diagnose/session?id=00aa"


def test_diagnose_session_recent(daemon: Stub, vosctl: Vosctl) -> None:
    reply = RecentCalls(calls=[BAD], finished=40, live=1, limit=500)
    daemon.answer("GET /v1/diagnose/sessions", reply)
    ran = vosctl("diagnose", "session", "recent", "--since", "1970-01-01T00:10")
    assert (ran.code, ran.err) == (5, "")
    assert ran.out.endswith("vosctl diagnose session ID explains one of them.\n")
    assert daemon.asked[0].path == "/v1/diagnose/sessions?since=600.0"
    assert vosctl("diagnose", "session", "00aa", "--since", "1h") == (
        2, "", "cannot use --since with one call: it is for vosctl diagnose session recent\n"
    )  # fmt: skip
