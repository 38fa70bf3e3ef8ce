# SPDX-License-Identifier: GPL-2.0-or-later
"""Each command: what is asked of the daemon, and stdout, stderr and exit code whole."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.control.standin import call_view, status
from tests.vosctl.stub import Asked, Ran, Stub
from vosctl import figures
from vosctl.commands import call as call_command
from vosctl.problems import Usage
from vosd.diagnose import PROFILES
from vosd.wire.records import (
    Attempt,
    BlacklistCheck,
    BlacklistList,
    BlacklistRow,
    CallList,
    Cdr,
    CdrDetail,
    CdrList,
    Diagnosis,
    Finding,
    GatewayList,
    GatewayView,
    PhoneList,
    PhoneView,
)
from vosd.wire.requests import (
    BlacklistChanged,
    CallDetail,
    CallsHungUp,
    FieldChange,
    GatewayChanged,
    GatewayDetail,
    GatewayProbe,
    PhoneChanged,
    PhoneDetail,
)

Vosctl = Callable[..., Ran]

TELIA = GatewayView(
    name="telia",
    kind="routing",
    addresses=["192.0.2.7:5060"],
    auth="ip",
    prefixes=["46", "47"],
    priority=1,
    capacity=200,
    calls=12,
    up=True,
    note="answers",
)
ACME = GatewayView(
    name="acme",
    kind="mapping",
    addresses=["203.0.113.9:5060"],
    auth="password",
    user="acme1",
    has_password=True,
    enabled=False,
    overrides={"SS_MEDIAPROXYMODE": "off"},
    note="never tried",
)


# status


def test_status(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/status", status())
    assert vosctl("status") == (
        0,
        """\
node           edge-1, vosd 0.1.0, pid 4711
state          running
uptime         1d 2h
listening on   0.0.0.0:5060/udp
calls          12 now, 3.4 new per second; 1000 attempts, 800 answered since start
registrations  42
gateways       5 up, 1 down, 2 not tried yet
relay          userspace: the kernel relay is not built into this version
RTP ports      48 of 50000 in use
loop lag       0.4 ms
record queue   0 waiting
alarms         none
""",
        "",
    )


def test_status_colours_what_is_wrong_only(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer(
        "GET /v1/status",
        status(gateways_down=0, record_error="disk full", alarms=["records cannot be written"]),
    )
    painted = [line for line in vosctl("--color", "always", "status").out.splitlines()
               if "\x1b" in line]  # fmt: skip
    assert painted == [
        "record queue   \x1b[31m0 waiting, cannot be written: disk full\x1b[0m",
        "\x1b[31malarm: records cannot be written\x1b[0m",
    ]


# gateway


def test_gateway_list(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/gateways", GatewayList(gateways=[ACME, TELIA]))
    assert vosctl("gateway", "list").out == """\
name   kind     address           known by  prefixes  priority  calls  capacity  state
acme   mapping  203.0.113.9:5060  password                          0  no limit  disabled
telia  routing  192.0.2.7:5060              46 47            1     12       200  up
"""


def test_gateway_list_of_none(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/gateways", GatewayList())
    assert vosctl("gateway", "list") == (0, "", "no gateway yet: vosctl gateway add --help\n")


def test_gateway_show(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/gateways/acme", GatewayDetail(gateway=ACME))
    assert vosctl("gateway", "show", "acme").out == """\
gateway                acme
kind                   mapping (customer)
address                203.0.113.9:5060
known by               password
user                   acme1
password               set (hidden)
account                -
calls                  0, no limit
state                  disabled
last seen              never tried
own SS_MEDIAPROXYMODE  off
"""


def test_gateway_add(daemon: Stub, vosctl: Vosctl, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse 9\nsecond line\n")
    changes = [
        FieldChange(name="kind", old="", new="routing"),
        FieldChange(name="address", old="", new="192.0.2.7:5060"),
        FieldChange(name="password", old="", new="set"),
    ]
    daemon.answer("POST /v1/gateways", GatewayChanged(gateway=TELIA, changes=changes,
                                                      warnings=["cannot find an address"]))
    ran = vosctl("gateway", "add", "telia", "--kind", "routing", "--address", "192.0.2.7",
                 "--address", "[2001:db8::7]:5070/udp", "--user", "us", "--password-file",
                 str(secret), "--prefix", "46", "--prefix", "47", "--priority", "1",
                 "--capacity", "200", "--account", "a1", "--why", "new vendor")  # fmt: skip
    assert ran == (
        0,
        """\
added gateway telia
  kind      - -> routing
  address   - -> 192.0.2.7:5060
  password  - -> set
""",
        "warning: cannot find an address\n",
    )
    assert daemon.asked == [
        Asked(
            "POST",
            "/v1/gateways",
            {
                "name": "telia",
                "kind": "routing",
                "addresses": ["192.0.2.7", "[2001:db8::7]:5070/udp"],
                "auth": "ip",
                "user": "us",
                "password": "correct horse 9",
                "prefixes": ["46", "47"],
                "priority": 1,
                "capacity": 200,
                "account": "a1",
                "why": "new vendor",
                "dry_run": False,
            },
        )
    ]


def test_gateway_set(daemon: Stub, vosctl: Vosctl) -> None:
    change = FieldChange(name="capacity", old="100", new="200")
    daemon.answer("PATCH /v1/gateways/telia", GatewayChanged(gateway=TELIA, changes=[change]))
    ran = vosctl("gateway", "set", "telia", "capacity=200", "prefix=46,47", "--why", "w")
    assert ran == (0, "changed gateway telia\n  capacity  100 -> 200\n", "")
    assert daemon.asked[0].body == {
        "values": {"capacity": "200", "prefix": "46,47"},
        "password": None,
        "why": "w",
        "dry_run": False,
    }


def test_gateway_set_password_by_key_or_option(
    daemon: Stub, vosctl: Vosctl, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter two 2")
    daemon.answer("PATCH /v1/gateways/telia", GatewayChanged(gateway=TELIA))
    for args in (
        ["user=u", f"password-file={secret}"],
        ["user=u", "--password-file", str(secret)],
    ):
        vosctl("gateway", "set", "telia", *args)
    assert [asked.body["password"] for asked in daemon.asked] == ["hunter two 2"] * 2
    assert [asked.body["values"] for asked in daemon.asked] == [{"user": "u"}] * 2
    vosctl("gateway", "set", "telia", "--password-file", "-", input="from stdin\n")
    assert daemon.asked[2].body["password"] == "from stdin"


def test_gateway_dry_run_and_nothing(daemon: Stub, vosctl: Vosctl) -> None:
    change = FieldChange(name="capacity", old="100", new="200")
    daemon.answer(
        "PATCH /v1/gateways/telia",
        GatewayChanged(gateway=TELIA, changes=[change], dry_run=True),
    )
    ran = vosctl("gateway", "set", "telia", "capacity=200", "--dry-run")
    assert ran.out == "would change gateway telia\n  capacity  100 -> 200\n"
    daemon.answer("PATCH /v1/gateways/telia", GatewayChanged(gateway=TELIA))
    assert vosctl("gateway", "set", "telia", "capacity=200").out == (
        "nothing changed: gateway telia\n"
    )


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["set", "telia"],
         "cannot set nothing: KEY=VALUE or --password-file FILE is needed\n"),
        (["set", "telia", "capacity"], "cannot read 'capacity': KEY=VALUE is accepted\n"),
        (["set", "telia", "a=1", "a=2"], "cannot set a twice in one command\n"),
        (["set", "telia", "--password-file", "/no/such/file"],
         "cannot read the password from /no/such/file: No such file or directory\n"),
        (["remove", "telia"],
         "cannot ask (remove gateway telia?): stdin is no terminal\n  add --yes\n"),
        (["disable", "telia"],
         "cannot ask (take telia out of new calls?): stdin is no terminal\n  add --yes\n"),
    ],
)  # fmt: skip
def test_gateway_usage(daemon: Stub, vosctl: Vosctl, args: list[str], problem: str) -> None:
    assert vosctl("gateway", *args) == (2, "", problem)
    assert daemon.asked == []


def test_empty_password_file(daemon: Stub, vosctl: Vosctl, tmp_path: Path) -> None:
    (tmp_path / "e").write_text("\nx")
    ran = vosctl("gateway", "set", "telia", "--password-file", str(tmp_path / "e"))
    assert ran == (2, "", f"cannot use {tmp_path / 'e'} as a password: its first line is empty\n")


@pytest.mark.parametrize(
    ("args", "what", "out"),
    [
        (["enable", "telia"], "POST /v1/gateways/telia/enable", "enabled gateway telia\n"),
        (["disable", "telia", "--yes"], "POST /v1/gateways/telia/disable",
         "disabled gateway telia\n"),
        (["remove", "telia", "--yes", "--why", "left"], "DELETE /v1/gateways/telia",
         "removed gateway telia\n"),
    ],
)  # fmt: skip
def test_gateway_switches(
    daemon: Stub, vosctl: Vosctl, args: list[str], what: str, out: str
) -> None:
    changes = [] if "remove" in args else [FieldChange(name="enabled", old="on", new="off")]
    daemon.answer(what, GatewayChanged(gateway=TELIA, changes=changes))
    ran = vosctl("gateway", *args)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(out)
    why = "left" if "--why" in args else ""
    assert daemon.asked == [Asked(*what.split(), {"why": why, "dry_run": False})]


@pytest.mark.parametrize(
    ("up", "answer", "code"), [(True, "answered 200", 0), (False, "no answer within 5 s", 1)]
)
def test_gateway_probe(daemon: Stub, vosctl: Vosctl, up: bool, answer: str, code: int) -> None:
    daemon.answer(
        "POST /v1/gateways/telia/probe",
        GatewayProbe(name="telia", up=up, answer=answer, took_ms=12.25),
    )
    ran = vosctl("gateway", "probe", "telia")
    state = "up" if up else "down"
    assert ran == (
        code,
        f"gateway  telia\nstate    {state}\nanswer   {answer}\ntook     12.2 ms\n",
        "",
    )


def test_names_travel_quoted(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/gateways/a%2Fb%3F", GatewayDetail(gateway=TELIA))
    assert vosctl("gateway", "show", "a/b?").code == 0


# phone

PHONE = PhoneView(
    number="4670001",
    account="a1",
    has_password=True,
    registered=True,
    contact="<sip:4670001@10.0.0.5>",
    address="203.0.113.77:61000",
    nat=True,
    expires_at=1795360000.0,
    registered_at=1795356400.0,
    user_agent="Phone\x1b[2J 2",
)


def test_phone_list(daemon: Stub, vosctl: Vosctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1795359900.0)
    rows = [PHONE, PhoneView(number="4670002", enabled=False)]
    daemon.answer("GET /v1/phones", PhoneList(phones=rows))
    assert vosctl("phone", "list").out == (
        "number   state       address             NAT  expires in  calls  account  user agent\n"
        "4670001  registered  203.0.113.77:61000  yes      1m 40s      0  a1       "
        "Phone\\x1b[2J 2\n"
        "4670002  disabled    -                   -             -      0  -        -\n"
    )


def test_phone_show(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/phones/4670001", PhoneDetail(phone=PHONE))
    assert vosctl("phone", "show", "4670001").out == """\
phone       4670001
state       registered
password    set (hidden)
account     a1
calls       0
contact     <sip:4670001@10.0.0.5>
comes from  203.0.113.77:61000
behind NAT  yes
registered  2026-11-22 14:06:40
expires     2026-11-22 15:06:40
user agent  Phone\\x1b[2J 2
"""


def test_generated_password_is_shown_once(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("POST /v1/phones", PhoneChanged(phone=PHONE))
    ran = vosctl("phone", "add", "4670001", "--generate-password")
    password = daemon.asked[0].body["password"]
    assert len(password) == 20
    assert password.isalnum()
    assert ran == (
        0,
        f"added phone 4670001\npassword  {password}\n",
        "only its digest is kept: it is not shown again\n",
    )
    vosctl("phone", "add", "4670001", "--generate-password")
    assert daemon.asked[1].body["password"] != password


def test_generated_password_is_in_no_document(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("POST /v1/phones", PhoneChanged(phone=PHONE))
    ran = vosctl("--json", "phone", "add", "4670001", "--generate-password")
    password = daemon.asked[0].body["password"]
    assert password not in ran.out
    assert ran.err.splitlines()[0] == f"password  {password}"
    json.loads(ran.out)


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["add", "1"], "cannot add a phone without a password: --password-file FILE or "
         "--generate-password\n"),
        (["add", "1", "--generate-password", "--password-file", "x"], "cannot use both "
         "--password-file and --generate-password: one is enough\n"),
        (["set", "1"], "cannot set nothing: KEY=VALUE or a password option is needed\n"),
        (["remove", "1"], "cannot ask (remove phone 1?): stdin is no terminal\n  add --yes\n"),
    ],
)  # fmt: skip
def test_phone_usage(daemon: Stub, vosctl: Vosctl, args: list[str], problem: str) -> None:
    assert vosctl("phone", *args) == (2, "", problem)
    assert daemon.asked == []


def test_phone_set_and_remove(daemon: Stub, vosctl: Vosctl) -> None:
    change = FieldChange(name="enabled", old="on", new="off")
    daemon.answer("PATCH /v1/phones/4670001", PhoneChanged(phone=PHONE, changes=[change]))
    daemon.answer("DELETE /v1/phones/4670001", PhoneChanged(phone=PHONE))
    assert vosctl("phone", "set", "4670001", "enabled=off").out == (
        "changed phone 4670001\n  enabled  on -> off\n"
    )
    assert vosctl("phone", "remove", "4670001", "-y").out == "removed phone 4670001\n"


# blacklist

ROW = BlacklistRow(
    number="4687000", prefix=True, side="callee", expires_at=1795360000.0, why="fraud",
    created_at=1795356400.0, created_by="root",
)  # fmt: skip


def test_blacklist_add(daemon: Stub, vosctl: Vosctl) -> None:
    added = [ROW, BlacklistRow(number="100")]
    daemon.answer("POST /v1/blacklist", BlacklistChanged(added=added))
    ran = vosctl("blacklist", "add", "4687000", "100", "--prefix", "--side", "callee",
                 "--expires", "1.5h", "--why", "fraud")  # fmt: skip
    assert ran == (
        0,
        "blocked: prefix 4687000 as callee until 2026-11-22 15:06:40\n"
        "blocked: number 100 on both sides\n",
        "",
    )
    assert daemon.asked[0].body == {
        "numbers": ["4687000", "100"],
        "prefix": True,
        "side": "callee",
        "expires_s": 5400.0,
        "why": "fraud",
        "dry_run": False,
    }


def test_blacklist_bad_duration(daemon: Stub, vosctl: Vosctl) -> None:
    assert vosctl("blacklist", "add", "1", "--expires", "soon") == (
        2,
        "",
        "cannot read 'soon': a length of time such as 90s 15m 2h 1d is accepted\n",
    )
    assert daemon.asked == []


def test_blacklist_list_and_remove(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/blacklist", BlacklistList(rows=[ROW]))
    daemon.answer("DELETE /v1/blacklist", BlacklistChanged(removed=[ROW]))
    assert vosctl("blacklist", "list").out == (
        "number   matches  side    expires              since                by    why\n"
        "4687000  prefix   callee  2026-11-22 15:06:40  2026-11-22 14:06:40  root  fraud\n"
    )
    assert vosctl("blacklist", "remove", "4687000").out == (
        "taken off the list: prefix 4687000 as callee until 2026-11-22 15:06:40\n"
    )


def test_blacklist_check(daemon: Stub, vosctl: Vosctl) -> None:
    reply = BlacklistCheck(number="4687000123", as_caller=True, as_callee=False, rows=[ROW])
    daemon.answer("GET /v1/blacklist/check", reply)
    assert vosctl("blacklist", "check", "4687000123", "--gateway", "acme").out == (
        "number     4687000123\n"
        "as caller  passes\n"
        "as callee  blocked\n"
        "\n"
        "number   matches  side    expires              since                by    why\n"
        "4687000  prefix   callee  2026-11-22 15:06:40  2026-11-22 14:06:40  root  fraud\n"
    )
    assert daemon.asked[0].path == "/v1/blacklist/check?number=4687000123&gateway=acme"


# call


def direct(id_: str) -> Any:
    """A call whose sides send to each other."""
    view = call_view(id_, media="direct", relay=None, relay_reason="acme has off")
    for leg in view.legs:
        leg.received = leg.sent = leg.local_rtp = None
    return view


def test_call_list(daemon: Stub, vosctl: Vosctl) -> None:
    calls = [call_view(), direct("11")]
    daemon.answer("GET /v1/calls", CallList(calls=calls, total=2))
    assert vosctl("call", "list").out == (
        "id                state      length  caller   callee    from  to     relay        "
        "A loss %  A jitter ms  B loss %  B jitter ms\n"
        "00aa11bb22cc33dd  connected    1:40  4670001  46855501  acme  telia  userspace    "
        "     1.0         12.5       0.0         55.0\n"
        "11                connected    1:40  4670001  46855501  acme  telia  not relayed  "
        "       -            -         -            -\n"
    )


def test_call_list_of_none(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/calls", CallList())
    assert vosctl("call", "list", "--gateway", "acme") == (0, "", "no live calls\n")
    assert daemon.asked[0].path == "/v1/calls?gateway=acme"


def test_call_show(daemon: Stub, vosctl: Vosctl) -> None:
    view = call_view()
    view.attempts = [Attempt(party="first", code=503, reason="congestion", at=1.0, took_ms=250.4)]
    daemon.answer("GET /v1/calls/00aa", CallDetail(call=view))
    assert vosctl("call", "show", "00aa").out == """\
call      00aa11bb22cc33dd
state     connected
caller    4670001
callee    46855501
from, to  acme to telia
started   2026-11-22 15:00:00
answered  2026-11-22 15:00:05
ended     -
length    1:40
media     relayed by userspace relay (mode must_on)
because   global value must_on

route tried  SIP  reason      took ms
first        503  congestion      250

                 leg A, calling       leg B, called
party            acme (mapping)       telia (routing)
signalling       203.0.113.9:5060     192.0.2.7:5060
SDP address      203.0.113.9:40000    10.0.0.7:30000 private
our RTP address  198.51.100.1:20000   198.51.100.1:20002
RTP from         203.0.113.9:40000    192.0.2.7:30000
RTP to           203.0.113.9:40000    192.0.2.7:30000
DSCP received    EF/46:4900 CS0/0:50  EF/46:4900 CS0/0:50
DSCP sent        EF 46 0xb8           EF 46 0xb8
payload types    0:4950               0:4950
behind NAT       no                   no
direction        sendrecv             sendrecv
codec            PCMU 20 ms           PCMU 20 ms
codecs offered   PCMU PCMA            PCMU
profile          RTP/AVP              RTP/AVP
user agent       Caller 1.0           -
Call-ID          a-1@203.0.113.9      b-1@198.51.100.1

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


def test_call_show_of_a_direct_call_has_words_not_zeros(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/calls/11", CallDetail(call=direct("11")))
    out = vosctl("call", "show", "11").out
    assert "media     not relayed (mode must_on)\nbecause   acme has off\n" in out
    assert "our RTP address  not relayed        not relayed\n" in out
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


def test_call_watch_in_a_pipe_is_a_line_a_reply(
    daemon: Stub, vosctl: Vosctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.strftime", lambda _: "15:00:00")
    replies = [CallList(calls=[call_view()], total=3), CallList()]
    daemon.answer("GET /v1/calls/watch", replies)
    assert vosctl("call", "list", "--watch").out == (
        "15:00:00  1 of 3 calls, worst loss 1.0 %, worst jitter 55.0 ms\n"
        "15:00:00  0 calls, worst loss - %, worst jitter - ms\n"
    )


def test_call_watch_json_is_ndjson(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/calls/watch", [CallList(calls=[call_view()], total=1), CallList()])
    lines = vosctl("--json", "call", "list", "--watch").out.splitlines()
    assert [json.loads(line)["total"] for line in lines] == [1, 0]


def test_call_ids_are_short_where_that_tells_them_apart() -> None:
    apart = CallList(calls=[call_view("0123456789"), call_view("abcdefghij")])
    alike = CallList(calls=[call_view("0123456789"), call_view("01234567ab")])
    assert [row[0] for row in call_command._rows(apart, short=True)] == ["01234567", "abcdefgh"]
    assert [row[0] for row in call_command._rows(apart, short=False)] == ["0123456789",
                                                                          "abcdefghij"]
    assert [row[0] for row in call_command._rows(alike, short=True)] == ["0123456789",
                                                                         "01234567ab"]


def test_call_hangup(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("POST /v1/calls/hangup", CallsHungUp(ids=["aa11", "bb22"]))
    assert vosctl("call", "hangup", "aa", "bb", "--yes", "--why", "fraud") == (
        0,
        "hung up aa11\nhung up bb22\n",
        "",
    )
    assert daemon.asked[0].body == {"ids": ["aa", "bb"], "why": "fraud", "dry_run": False}
    assert vosctl("call", "hangup", "aa").code == 2


# cdr

CDR = Cdr(
    id="00aa", node="edge-1", caller="=1+1", callee="46855501", mapping="acme", routing="telia",
    started_at=1795359600.25, ringing_at=1795359602.0, answered_at=1795359605.0,
    ended_at=1795359612.5, duration_s=7.5, end_reason="caller_hangup", ended_by="caller",
    sip_code=200, q850=16,
)  # fmt: skip
OPEN = Cdr(id="00bb", node="edge-1", caller="a,\"b\"", callee="2", started_at=1795359700.0)


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
    assert vosctl("cdr", "show", "00aa").out == """\
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
    rows = [Cdr(id=f"{i}", node="n", caller=text, callee="1", started_at=0.0)
            for i, text in enumerate(["=cmd|'/C calc'!A0", "+46", "-1", "@x", "\tx", "46"])]
    daemon.answer("GET /v1/cdrs/export", rows)
    out = vosctl("cdr", "export", "--format", "csv", "--spreadsheet").out
    cells = [row["caller"] for row in csv.DictReader(io.StringIO(out))]
    assert cells == ["'=cmd|'/C calc'!A0", "'+46", "'-1", "'@x", "'\tx", "46"]


@pytest.mark.parametrize("rows", [[], [CDR], [CDR, OPEN]])
def test_cdr_export_json_is_one_document(daemon: Stub, vosctl: Vosctl, rows: list[Cdr]) -> None:
    daemon.answer("GET /v1/cdrs/export", rows)
    daemon.answer("GET /v1/cdrs", CdrList(records=rows))
    exported = json.loads(vosctl("cdr", "export", "--format", "json").out)
    assert exported == json.loads(vosctl("--json", "cdr", "list").out)


@pytest.mark.parametrize(
    ("args", "code", "problem"),
    [
        (["--format", "json", "--spreadsheet"], 2,
         "cannot use --spreadsheet with --format json: it is for csv\n"),
        (["--format", "csv", "--since", "yesterday"], 2,
         "cannot read the time 'yesterday': a length of time ago such as 2h or 1d, or a date such "
         "as 2026-11-22 or 2026-11-22T14:30 is accepted\n"),
        (["--format", "csv", "-o", "/no/such/dir/x"], 1,
         "cannot write /no/such/dir/x: No such file or directory\n"),
    ],
)  # fmt: skip
def test_cdr_export_usage(
    daemon: Stub, vosctl: Vosctl, args: list[str], code: int, problem: str
) -> None:
    assert vosctl("cdr", "export", *args) == (code, "", problem)


# diagnose

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
    reply = Diagnosis(subject="x", verdict="v", severity="ok", profile="source", call=direct("11"))
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


# figures


def test_colours_follow_the_default_profile_of_diagnose() -> None:
    source = PROFILES["source"]
    assert figures.LOSS_PERCENT == (source.loss.warning, source.loss.critical)
    assert figures.JITTER_MS == (source.jitter.warning, source.jitter.critical)
    assert figures.RTT_MS == (source.rtt.warning, source.rtt.critical)


@pytest.mark.parametrize(
    ("value", "text", "style"),
    [(0.5, "0.5", ""), (0.51, "0.5", "warn"), (2.0, "2.0", "warn"), (2.01, "2.0", "bad")],
)
def test_graded(value: float, text: str, style: str) -> None:
    assert figures.graded(value, figures.LOSS_PERCENT) == (text, style)


def test_unknown_is_never_zero() -> None:
    assert figures.graded(None, figures.LOSS_PERCENT) == "-"
    assert figures.number(None) == "-"
    assert figures.moment(None) == "-"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (7.9, "0:07"), (100, "1:40"), (3600, "1:00:00")]
)
def test_clock(seconds: float, shown: str) -> None:
    assert figures.clock(seconds) == shown


@pytest.mark.parametrize(
    ("text", "at"),
    [("90s", 910.0), ("1970-01-01", 0.0), ("1970-01-01T00:10", 600.0),
     ("1970-01-01T00:10:05+00:00", 605.0)],
)  # fmt: skip
def test_parse_moment(text: str, at: float) -> None:
    assert figures.parse_moment(text, 1000.0) == at


@pytest.mark.parametrize("text", ["", "now", "1970-13-01", "-2h"])
def test_no_moment(text: str) -> None:
    with pytest.raises(Usage, match="cannot read the time"):
        figures.parse_moment(text, 1000.0)
