# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl gateway: what is asked of the daemon, and stdout, stderr and exit code whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.vosctl.stub import Asked, Ran, Stub
from vosd.wire.records import (
    GatewayList,
    GatewayView,
)
from vosd.wire.requests import (
    FieldChange,
    GatewayChanged,
    GatewayDetail,
    GatewayProbe,
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
    note="not tried since start",
)


def test_gateway_list(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/gateways", GatewayList(gateways=[ACME, TELIA]))
    assert (
        vosctl("gateway", "list").out
        == """\
name   kind     address           known by  prefixes  priority  calls  capacity  state
acme   mapping  203.0.113.9:5060  password                          0  no limit  disabled
telia  routing  192.0.2.7:5060              46 47            1     12       200  up
"""
    )


def test_gateway_list_of_none(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/gateways", GatewayList())
    assert vosctl("gateway", "list") == (0, "", "no gateway yet: vosctl gateway add --help\n")


def test_gateway_show(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/gateways/acme", GatewayDetail(gateway=ACME))
    assert (
        vosctl("gateway", "show", "acme").out
        == """\
gateway                acme
kind                   mapping (customer)
address                203.0.113.9:5060
known by               password
user                   acme1
password               set (hidden)
account                -
calls                  0, no limit
enabled                no
health                 not tried since start
own SS_MEDIAPROXYMODE  off
"""
    )


def test_gateway_add(daemon: Stub, vosctl: Vosctl, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse 9\nsecond line\n")
    changes = [
        FieldChange(name="kind", old="", new="routing"),
        FieldChange(name="address", old="", new="192.0.2.7:5060"),
        FieldChange(name="password", old="", new="set"),
    ]
    daemon.answer(
        "POST /v1/gateways",
        GatewayChanged(gateway=TELIA, changes=changes, warnings=["cannot find an address"]),
    )
    ran = vosctl("gateway", "add", "telia", "--kind", "routing", "--address", "192.0.2.7",
                 "--address", "[2001:db8::7]:5070/udp", "--user", "us", "--password-file",
                 str(secret), "--prefix", "46", "--prefix", "47", "--priority", "1",
                 "--capacity", "200", "--account", "a1", "--why", "new vendor")  # fmt: skip
    assert ran == (
        0,
        """\
added gateway telia
  kind      routing
  address   192.0.2.7:5060
  password  set
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
                "register": False,
                "registrar": "",
                "domain": "",
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
         "cannot set nothing: KEY=VALUE or a password option is needed\n"
         "  vosctl gateway show telia shows what it has\n"),
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
    method, path = what.split()
    assert daemon.asked == [Asked(method, path, {"why": why, "dry_run": False})]


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
