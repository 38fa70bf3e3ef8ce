# SPDX-License-Identifier: GPL-2.0-or-later
"""vosd registered with a vendor that is a real Kamailio (vos3000.md 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from script.private_switch import endpoint, free_port
from tests.interop.conftest import CUSTOMER, PASSWORD, PROXY, VENDOR, Field, eventually
from tests.interop.kamailio import Kamailio
from tests.interop.programs import needs

pytestmark = needs("sipp", "kamailio")
CONFIG = Path(__file__).with_name("registrar.cfg")
WORDS = {"LONGEST": 3600, "SHORTEST": 20, "ALGORITHM": "MD5", "REALM": "itsp.example",
         "USER": "us", "PASSWORD": PASSWORD}  # fmt: skip

Start = Callable[..., "Vendor"]


class Vendor:
    """A Kamailio, and the gateway `itsp` of the switch that registers with it."""

    def __init__(self, field: Field, directory: Path, **words: object) -> None:
        self.field = field
        self.port = free_port(PROXY)
        self.kamailio = Kamailio(directory / "itsp", PROXY, self.port, {**WORDS, **words}, CONFIG)
        self._password = directory / "itsp.password"
        self.address = f"{endpoint(PROXY, self.port)}/{words.get('TRANSPORT', 'udp')}"

    def add(self, password: str = PASSWORD, *options: str) -> None:
        self._password.write_text(password + "\n")
        self._password.chmod(0o600)
        self.field.switch.vosctl(
            "gateway", "add", "itsp", "--kind", "routing", "--prefix", "99",
            "--address", self.address, "--register", "--user", "us",
            "--password-file", str(self._password), *options,
        )  # fmt: skip

    def seen(self) -> dict[str, Any]:
        """Our registration as `vosctl gateway show` has it."""
        shown = self.field.switch.json("gateway", "show", "itsp")
        held: dict[str, Any] = shown["gateway"]["registration"]
        return held

    def state(self, wanted: str, timeout_s: float = 10.0) -> dict[str, Any]:
        found: dict[str, Any] = eventually(
            lambda: (held := self.seen())["state"] == wanted and held, timeout_s, wanted
        )
        return found

    def registers(self) -> list[str]:
        """The Expires of every REGISTER that proved itself."""
        lines = self.kamailio.log.read_text("utf-8", "replace").splitlines()
        return [line.partition("expires=")[2].split()[0] for line in lines if "expires=" in line]


@pytest.fixture
def start(own_field: Field, tmp_path: Path) -> Iterator[Start]:
    running: list[Vendor] = []

    def begin(**words: object) -> Vendor:
        running.append(Vendor(own_field, tmp_path, **words))
        return running[-1]

    yield begin
    for vendor in running:
        vendor.kamailio.close()


def call(field: Field, vendor: Vendor, called: str) -> tuple[str, Any]:
    """One call from the world through the vendor."""
    (caller,) = field.callers(1)
    done = field.caller(
        "uac", [caller], called, host=CUSTOMER, remote=endpoint(PROXY, vendor.port), hold_ms=200
    ).wait(20)
    return caller, done


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_registered_called_and_gone(start: Start, algorithm: str) -> None:
    """The call of the vendor finds us by our Contact; what it calls stands in To."""
    vendor = start(ALGORITHM=algorithm)
    field = vendor.field
    vendor.add()
    held = vendor.state("registered")
    assert held["expires_at"] is not None
    assert held["registrar"] == endpoint(PROXY, vendor.port)
    port = free_port(VENDOR)
    field.callee(port=port)
    field.add_vendor("44", port)
    caller, done = call(field, vendor, "4420")
    assert (done.successful, done.failed) == (1, 0), done.errors
    record = field.await_records([caller])[caller]
    assert (record["mapping"], record["callee"], record["end_reason"]) == (
        "itsp", "4420", "caller_hangup"
    )
    field.switch.vosctl("gateway", "disable", "itsp", "--yes")
    eventually(lambda: vendor.registers() == ["3600", "0"], what="our farewell")
    assert vendor.seen()["state"] == "disabled"
    _, done = call(field, vendor, "4420")
    assert (done.successful, done.failed) == (0, 1)


def test_renewed_in_time_and_gone_at_the_stop(start: Start) -> None:
    """20 s are renewed after 10 at the latest; SIGTERM takes the registration back."""
    vendor = start()
    vendor.field.switch.vosctl("param", "set", "SS_SIP_USER_AGENT_EXPIRE=20")
    vendor.add()
    vendor.state("registered")
    eventually(lambda: vendor.registers() == ["20", "20"], 15.0, "a renewal")
    vendor.field.switch.stop()
    assert vendor.registers() == ["20", "20", "0"]


def test_too_brief_is_obeyed_and_survives_a_kill(start: Start) -> None:
    """423 with Min-Expires 60; after kill -9 the same Contact is registered anew, once."""
    vendor = start(SHORTEST=60)
    vendor.field.switch.vosctl("param", "set", "SS_SIP_USER_AGENT_EXPIRE=20")
    vendor.add()
    vendor.state("registered")
    assert vendor.registers() == ["20", "60"]
    vendor.field.switch.kill()
    vendor.field.switch.start()
    vendor.state("registered")
    lines = vendor.kamailio.log.read_text("utf-8", "replace").splitlines()
    contacts = {line.partition("contact=")[2] for line in lines if "contact=" in line}
    assert len(contacts) == 1


def test_a_wrong_password_is_said_everywhere(start: Start) -> None:
    vendor = start()
    vendor.add("not-the-password")
    held = vendor.state("failed")
    assert held["reason"] == "401 Unauthorized: user or password is wrong"
    assert held["again_at"] is not None
    shown = vendor.field.switch.vosctl("gateway", "list").stdout
    assert "not registered: 401 Unauthorized: user or password is wrong; again in" in shown
    (alarm,) = vendor.field.switch.json("status")["alarms"]
    assert alarm == f"not registered with gateway itsp: {held['reason']}"


def test_over_tcp(start: Start) -> None:
    """The Contact names the transport; the farewell takes the connection that stands."""
    vendor = start(TRANSPORT="tcp")
    switch = vendor.field.switch
    switch.stop()
    listen = f'\n[[listen]]\naddress = "{switch.address}"\ntransport = "tcp"\n'
    switch.config.write_text(switch.config.read_text("utf-8") + listen, "utf-8")
    switch.start()
    vendor.add()
    vendor.state("registered")
    switch.stop()
    assert vendor.registers() == ["3600", "0"]
    assert f"@{switch.address};transport=tcp;line=" in vendor.kamailio.log.read_text("utf-8")
