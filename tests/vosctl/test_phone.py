# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl phone: what is asked of the daemon, and stdout, stderr and exit code whole."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import pytest

from tests.vosctl.stub import Ran, Stub
from vosd.wire.records import (
    PhoneList,
    PhoneView,
)
from vosd.wire.requests import (
    FieldChange,
    PhoneChanged,
    PhoneDetail,
)

Vosctl = Callable[..., Ran]

PHONE = PhoneView(
    number="4670001",
    display="Front desk",
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
        "number   display     state       address             NAT  expires in  calls  account  "
        "user agent\n"
        "4670001  Front desk  registered  203.0.113.77:61000  yes      1m 40s      0  a1       "
        "Phone\\x1b[2J 2\n"
        "4670002  -           disabled    -                   -             -      0  -        -\n"
    )


def test_phone_show(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/phones/4670001", PhoneDetail(phone=PHONE))
    assert (
        vosctl("phone", "show", "4670001").out
        == """\
phone       4670001
display     Front desk
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
    )


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


@pytest.mark.parametrize("args", [["add", "4670001"], ["set", "4670001"]])
def test_generated_password_is_in_the_document(
    daemon: Stub, vosctl: Vosctl, args: list[str]
) -> None:
    reply = PhoneChanged(phone=PHONE)
    daemon.answer("POST /v1/phones", reply)
    daemon.answer("PATCH /v1/phones/4670001", reply)
    ran = vosctl("--json", "phone", *args, "--generate-password")
    password = daemon.asked[0].body["password"]
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == {**msgspec.to_builtins(reply), "password": password}


def test_no_password_of_a_dry_run_is_shown(daemon: Stub, vosctl: Vosctl) -> None:
    """Nothing was kept: it would open nothing."""
    daemon.answer("POST /v1/phones", PhoneChanged(phone=PHONE, dry_run=True))
    for json_ in ([], ["--json"]):
        ran = vosctl(*json_, "phone", "add", "4670001", "--generate-password", "--dry-run")
        assert daemon.asked[-1].body["password"] not in ran.out + ran.err


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["add", "1"], "cannot add a phone without a password: --password-file FILE or "
         "--generate-password\n"),
        (["add", "1", "--generate-password", "--password-file", "x"], "cannot use both "
         "--password-file and --generate-password: one is enough\n"),
        (["set", "1"], "cannot set nothing: KEY=VALUE or a password option is needed\n"
         "  vosctl phone show 1 shows what it has\n"),
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
