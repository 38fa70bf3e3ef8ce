# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl diagnose: what is asked of the daemon, and stdout, stderr and exit code whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.control.standin import direct_view
from tests.vosctl.stub import Ran, Stub
from vosd.wire.records import (
    Diagnosis,
    Finding,
)

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
        "verdict  v\nabout    x, judged by profile source\n\nstreams  not relayed: the two sides "
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
