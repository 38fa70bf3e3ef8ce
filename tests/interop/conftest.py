# SPDX-License-Identifier: GPL-2.0-or-later
"""A real vosd on loopback for the interop tests, and callers and callees to put around it.

Customers live on 127.0.0.2, vendors on 127.0.0.3, a proxy on 127.0.0.4, phones on 127.0.0.5:
the address alone tells the switch who is who.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from script.private_switch import PrivateSwitch, endpoint, free_port
from tests.interop.sipp import Sipp

CUSTOMER, VENDOR, PROXY, PHONE = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"
#: sipp 3.6 and baresip 1.0 refuse a challenge that offers SHA-256 as well
MD5_ONLY = ("param", "set", "SS_DIGEST_ALGORITHMS=md5")
PASSWORD = "correct-horse-9"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/interop/" in str(item.path).replace("\\", "/"):
            item.add_marker(pytest.mark.interop)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say plainly what did not run, whatever -q hides."""
    reasons = {
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and "tests/interop" in report.nodeid
    }
    for reason in sorted(reasons):
        terminalreporter.write_line(f"interop: {reason}")


def eventually(check: Callable[[], Any], timeout_s: float = 10.0, what: str = "") -> Any:
    """Poll until `check` gives something true and return it; fail naming `what`."""
    deadline = time.monotonic() + timeout_s
    while not (found := check()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout_s:g} s: {what or check}")
        time.sleep(0.05)
    return found


class Field:
    """A running switch, and a way to make each kind of party around it in one line."""

    _numbers = itertools.count(1)

    def __init__(self, switch: PrivateSwitch, directory: Path, customer: str = CUSTOMER) -> None:
        self.switch = switch
        self._directory = directory
        self._sipps: list[Sipp] = []
        self.customer_host = customer

    def add_customer(self, name: str = "customer", *options: str) -> None:
        host = endpoint(self.customer_host, 5060)
        self.switch.vosctl(
            "gateway", "add", name, "--kind", "mapping", "--address", host, "--auth", "ip", *options
        )

    def add_vendor(self, prefix: str, port: int, *options: str, host: str = VENDOR) -> str:
        name = f"vendor{next(self._numbers)}"
        self.switch.vosctl(
            "gateway", "add", name, "--kind", "routing",
            "--address", endpoint(host, port), "--prefix", prefix, *options,
        )  # fmt: skip
        return name

    def add_phone(self, number: str) -> None:
        secret = self._directory / f"{number}.password"
        secret.write_text(PASSWORD + "\n")
        secret.chmod(0o600)
        self.switch.vosctl("phone", "add", number, "--password-file", str(secret))

    def phone(self, number: str) -> dict[str, Any]:
        """The phone as `vosctl phone show` has it."""
        shown: dict[str, Any] = self.switch.json("phone", "show", number)["phone"]
        return shown

    def prefix(self) -> str:
        """A called-number prefix no other test uses."""
        return f"44{next(self._numbers):04d}"

    def callers(self, count: int) -> list[str]:
        """Caller numbers no other test uses, so that records can be told apart."""
        return [f"7{next(self._numbers):05d}" for _ in range(count)]

    def callee(self, scenario: str = "uas", *, host: str = VENDOR, **more: Any) -> Sipp:
        port = more.pop("port", 0) or free_port(host)
        return self._keep(Sipp(self._directory, scenario, host=host, port=port, **more))

    def caller(
        self, scenario: str, callers: list[str], called: str, *, host: str = "", **more: Any
    ) -> Sipp:
        """One sipp, one call per number in `callers`; `ports` are their media ports."""
        host = host or self.customer_host
        ports = more.pop("ports", [6000 + 2 * index for index in range(len(callers))])
        rows = [(caller, called, port) for caller, port in zip(callers, ports, strict=True)]
        more.setdefault("calls", len(callers))
        more.setdefault("remote", self.switch.address)
        port = more.pop("port", 0) or free_port(host)
        return self._keep(Sipp(self._directory, scenario, host=host, port=port, rows=rows, **more))

    def records(self, callers: list[str]) -> dict[str, dict[str, Any]]:
        """Call records of these callers, by caller."""
        wanted = set(callers)
        rows = self.switch.json("cdr", "list", "--limit", "10000")["records"]
        return {row["caller"]: row for row in rows if row["caller"] in wanted}

    def live(self, callers: list[str]) -> list[dict[str, Any]]:
        wanted = set(callers)
        rows = self.switch.json("call", "list")["calls"]
        return [row for row in rows if row["caller"] in wanted]

    def await_records(self, callers: list[str]) -> dict[str, dict[str, Any]]:
        """Their records, once every one is final."""

        def final() -> dict[str, dict[str, Any]] | None:
            rows = self.records(callers)
            done = [row for row in rows.values() if row["state"] != "open"]
            return rows if len(done) == len(callers) else None

        found: dict[str, dict[str, Any]] = eventually(final, what=f"records of {callers}")
        return found

    def close(self) -> None:
        for sipp in self._sipps:
            sipp.end(grace_s=0.2)
        self._sipps.clear()

    def _keep(self, sipp: Sipp) -> Sipp:
        self._sipps.append(sipp)
        return sipp


def connected(field: Field, callers: list[str]) -> list[dict[str, Any]]:
    """The callers' calls once all are connected."""

    def all_up() -> list[dict[str, Any]] | None:
        rows = [row for row in field.live(callers) if row["state"] == "connected"]
        return rows if len(rows) == len(callers) else None

    found: list[dict[str, Any]] = eventually(all_up, what=f"{len(callers)} connected calls")
    return found


@pytest.fixture(scope="session")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateSwitch]:
    """One vosd for every test that leaves it as it was."""
    running = PrivateSwitch(tmp_path_factory.mktemp("switch"), node="interop")
    running.start()
    customer = endpoint(CUSTOMER, 5060)
    running.vosctl(
        "gateway", "add", "customer", "--kind", "mapping", "--address", customer, "--auth", "ip"
    )
    running.vosctl("param", "set", "SERVER_BILLING_RECORD_ILLEGAL_CALL=on",
                   "SERVER_BILLING_RECORD_ZERO_HOLD_TIME=on")  # fmt: skip
    yield running
    running.close()


@pytest.fixture
def field(switch: PrivateSwitch, tmp_path: Path) -> Iterator[Field]:
    """The shared switch with the customer of 127.0.0.2 known to it."""
    around = Field(switch, tmp_path)
    yield around
    around.close()


@pytest.fixture
def own_field(tmp_path: Path) -> Iterator[Field]:
    """A switch of the test's own, to restart, kill and drain; the customer is known."""
    own = PrivateSwitch(tmp_path / "own", node="own")
    own.start()
    around = Field(own, tmp_path)
    around.add_customer()
    yield around
    around.close()
    own.close()
