# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl call: what is asked of the daemon, and stdout, stderr and exit code whole."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.control.standin import call_view, direct_view
from tests.vosctl.stub import Ran, Stub
from vosctl.commands import call as call_command
from vosctl.console import Column, cell, fit
from vosd.wire.records import Attempt, CallList
from vosd.wire.requests import (
    CallDetail,
    CallsHungUp,
)
from vosd.wire.timers import RefreshTrouble, TimerView

Vosctl = Callable[..., Ran]


def test_call_list(daemon: Stub, vosctl: Vosctl) -> None:
    calls = [call_view(), direct_view("11")]
    daemon.answer("GET /v1/calls", CallList(calls=calls, total=2))
    assert vosctl("call", "list").out == (
        "id                state      length  caller   callee    from  to     relay        "
        "A loss%  A jit ms  B loss%  B jit ms\n"
        "00aa11bb22cc33dd  connected    1:40  4670001  46855501  acme  telia  userspace    "
        "    1.0      12.5      0.0      55.0\n"
        "11                connected    1:40  4670001  46855501  acme  telia  not relayed  "
        "      -         -        -         -\n"
    )


def test_call_list_of_none(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/calls", CallList())
    assert vosctl("call", "list", "--gateway", "acme") == (0, "", "no live calls\n")
    assert daemon.asked[0].path == "/v1/calls?gateway=acme"


def test_call_show(daemon: Stub, vosctl: Vosctl) -> None:
    view = call_view()
    view.legs[0].timer = TimerView(
        every_s=300.0, method="OPTIONS", granted=2, last_at=1795360205.0, next_at=1795360505.0,
        cap_s=7200.0,
    )
    missed = RefreshTrouble(at=1795359905.0, by="switch", method="UPDATE", note="timeout")
    view.legs[1].timer = TimerView(
        interval_s=600, refresher="switch", every_s=300.0, method="UPDATE",
        next_at=1795359915.0, ends_at=1795360205.0, trouble=[missed], troubles=1,
    )
    view.attempts = [Attempt(party="first", code=503, reason="congestion", at=1.0, took_ms=250.4)]
    daemon.answer("GET /v1/calls/00aa", CallDetail(call=view))
    assert (
        vosctl("call", "show", "00aa").out
        == """\
call      00aa11bb22cc33dd
state     connected
caller    4670001
callee    46855501
from, to  acme to telia
started   2026-11-22 15:00:00
answered  2026-11-22 15:00:05
length    1:40
media     relayed by userspace relay (mode must_on)
because   global value must_on

route tried  SIP  reason      took ms
first        503  congestion      250

                 leg A, calling                              leg B, called
party            acme (mapping)                              telia (routing)
signalling       203.0.113.9:5060                            192.0.2.7:5060
SDP address      203.0.113.9:40000                           10.0.0.7:30000 (private)
our RTP address  198.51.100.1:20000                          198.51.100.1:20002
RTP from         203.0.113.9:40000                           192.0.2.7:30000
RTP to           203.0.113.9:40000                           192.0.2.7:30000
DSCP received    EF/46:4900 CS0/0:50                         EF/46:4900 CS0/0:50
DSCP sent        EF 46 0xb8                                  EF 46 0xb8
payload types    0:4950                                      0:4950
behind NAT       no                                          no
direction        sendrecv                                    sendrecv
session timer    none: peer lacks RFC 4028, hard cap 7200 s  600 s, by vosd (UPDATE)
next refresh     OPTIONS 2026-11-22 15:15:05                 UPDATE 2026-11-22 15:05:15
ends without     -                                           2026-11-22 15:10:05
refreshed        2, last 2026-11-22 15:10:05                 -
not granted      -                                           1, last UPDATE unanswered
codec            PCMU 20 ms                                  PCMU 20 ms
codecs offered   PCMU PCMA                                   PCMU
profile          RTP/AVP                                     RTP/AVP
user agent       Caller 1.0                                  -
Call-ID          a-1@203.0.113.9                             b-1@198.51.100.1

stream          A to vosd  vosd to A  B to vosd  vosd to B
packets              4950       5000       4950       4950
lost           50 of 5000          -  0 of 5000          3
loss %                1.0          -        0.0        0.1
jitter ms            12.5          -       55.0        4.0
jitter max ms        40.0                  40.0
round trip ms                      -                 310.0
max gap ms            180                   180
late                    2                     2
duplicate               0                     0
out of order            0                     0
SSRC changes            0                     0
wrong source            0                     0
malformed               0                     0
unsendable                         0                     0
RTCP packets           20                    20
Of what vosd sends, loss, jitter and round trip are by RTCP.
"""
    )


def test_call_show_of_a_direct_call_has_words_not_zeros(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/calls/11", CallDetail(call=direct_view("11")))
    out = vosctl("call", "show", "11").out
    assert "media     not relayed (mode must_on)\nbecause   acme has off\n" in out
    assert "our RTP address  -                  -\n" in out
    assert out.endswith(
        "\nstreams  not relayed: the two sides send to each other, so the switch has no figures\n"
    )
    assert " 0 " not in out


def test_strangers_text_does_not_reach_the_terminal(daemon: Stub, vosctl: Vosctl) -> None:
    """Attack row 20: a clear-screen, a direction override and CR LF from a From header."""
    view = call_view(caller="\x1b[2J\u202e\r\nVia: x[bold]")
    view.legs[0].user_agent = "\x1b]0;owned\x07"
    daemon.answer("GET /v1/calls", CallList(calls=[view], total=1))
    daemon.answer("GET /v1/calls/00", CallDetail(call=view))
    for args in (["call", "list"], ["call", "show", "00"]):
        out = vosctl(*args).out
        assert "\\x1b[2J\\u202e\\x0d\\x0aVia: x[bold]" in out
        assert all(line.isprintable() for line in out.splitlines())


def test_an_unanswered_call_has_words_not_dashes(daemon: Stub, vosctl: Vosctl) -> None:
    view = call_view(
        state="trying", answered_at=None, media="none", media_mode="", relay=None, relay_reason="",
        display="Alice",
    )  # fmt: skip
    assert view.legs[0].received is not None
    view.legs[0].received.lost = view.legs[0].received.expected = None
    daemon.answer("GET /v1/calls/11", CallDetail(call=view))
    out = vosctl("call", "show", "11").out
    assert 'caller    4670001 "Alice"\n' in out
    assert "\nmedia     none yet\n\n" in out
    assert out.endswith("\nstreams  none yet\n")
    view.media = "relayed"
    daemon.answer("GET /v1/calls/11", CallDetail(call=view))
    assert "\nlost                   -          -  0 of 5000          3\n" in vosctl(
        "call", "show", "11"
    ).out


def test_no_number_is_cut_off_on_a_terminal_of_80_columns() -> None:
    """Columns of less interest go, what is pasted stays whole."""
    view = call_view(caller="467000112345678", callee="468555012345678")
    rows = call_command._rows(CallList(calls=[view], total=1), short=True)
    heads = [c if isinstance(c, Column) else Column(c) for c in call_command.COLUMNS]
    widths = [
        max(len(head.title), len(cell(text).text))
        for head, text in zip(heads, rows[0], strict=True)
    ]
    shown, given = fit(heads, widths, 80)
    assert [heads[i].title for i in shown] == [
        "id", "caller", "callee", "A loss%", "A jit ms", "B loss%", "B jit ms",
    ]  # fmt: skip
    assert given == [widths[i] for i in shown]


def test_call_watch_in_a_pipe_is_summary_and_rows(
    daemon: Stub, vosctl: Vosctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.strftime", lambda _: "15:00:00")
    replies = [CallList(calls=[call_view()], total=3), CallList()]
    daemon.answer("GET /v1/calls/watch", replies)
    assert vosctl("call", "list", "--watch").out == (
        "15:00:00  1 of 3 calls, worst loss 1.0 %, worst jitter 55.0 ms\n"
        "id                state      length  caller   callee    from  to     relay      "
        "A loss%  A jit ms  B loss%  B jit ms\n"
        "00aa11bb22cc33dd  connected    1:40  4670001  46855501  acme  telia  userspace  "
        "    1.0      12.5      0.0      55.0\n"
        "15:00:00  0 calls\n"
    )


def test_call_watch_json_is_ndjson(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/calls/watch", [CallList(calls=[call_view()], total=1), CallList()])
    lines = vosctl("--json", "call", "list", "--watch").out.splitlines()
    assert [json.loads(line)["total"] for line in lines] == [1, 0]


def test_call_ids_are_short_where_that_tells_them_apart() -> None:
    apart = CallList(calls=[call_view("0123456789"), call_view("abcdefghij")])
    alike = CallList(calls=[call_view("0123456789"), call_view("01234567ab")])
    assert [row[0] for row in call_command._rows(apart, short=True)] == ["01234567", "abcdefgh"]
    assert [row[0] for row in call_command._rows(apart, short=False)] == [
        "0123456789",
        "abcdefghij",
    ]
    assert [row[0] for row in call_command._rows(alike, short=True)] == ["0123456789", "01234567ab"]


def test_call_hangup(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("POST /v1/calls/hangup", CallsHungUp(ids=["aa11", "bb22"]))
    assert vosctl("call", "hangup", "aa", "bb", "--yes", "--why", "fraud") == (
        0,
        "hung up aa11\nhung up bb22\n",
        "",
    )
    assert daemon.asked[0].body == {"ids": ["aa", "bb"], "why": "fraud", "dry_run": False}
    assert vosctl("call", "hangup", "aa").code == 2
