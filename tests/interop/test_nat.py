# SPDX-License-Identifier: GPL-2.0-or-later
"""NAT-01..12 through the kernel's own NAT: a call to a phone that has been silent for longer than
its binding lives arrives if the switch kept the binding open, and only then."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.programs import needs

ROOT = Path(__file__).parents[2]
#: seconds: what a silent binding lives, and how long the phones are silent. The switch sends each
#: 10 s, the least SS_SIP_NAT_KEEP_ALIVE_PERIOD takes
LIFE, IDLE = 12, 14
RULES = """
table ip vosd {
  chain out {
    type nat hook postrouting priority srcnat
    oifname "world" ip protocol udp masquerade to :45678-45778 random
  }
}
"""

pytestmark = [
    needs("ip", "nft", "sipp"),
    pytest.mark.skipif(os.geteuid() != 0, reason="did not run: no network namespace (not root)"),
]


def run(*words: str, text: str | None = None) -> str:
    done = subprocess.run(
        words, check=True, capture_output=True, text=True, input=text, timeout=60, cwd=ROOT
    )
    return done.stdout


@contextlib.contextmanager
def street() -> Iterator[tuple[str, str]]:
    """A world, a home, and a NAT between them; names of the first two's namespaces."""
    world, nat, home = (f"vosd-{name}-{os.getpid()}" for name in ("world", "nat", "home"))
    names = (world, nat, home)
    made: list[str] = []
    try:
        for name in names:
            run("ip", "netns", "add", name)
            made.append(name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        _wire(nat, "world", "203.0.113.9/24", world, "203.0.113.1/24", "203.0.113.2/24")
        _wire(nat, "home", "192.168.1.1/24", home, "192.168.1.100/24")
        run("ip", "-n", home, "route", "add", "default", "via", "192.168.1.1")
        inside = ("ip", "netns", "exec", nat)
        run(*inside, "nft", "-f", "-", text=RULES)
        for key, value in (
            ("ip_forward", 1),
            ("netfilter/nf_conntrack_udp_timeout", LIFE),
            ("netfilter/nf_conntrack_udp_timeout_stream", LIFE),
        ):
            where = "ipv4/" if key == "ip_forward" else ""
            run(*inside, "sh", "-c", f"echo {value} > /proc/sys/net/{where}{key}")
        yield world, home
    finally:
        for name in made:
            run("ip", "netns", "del", name)


def _wire(one: str, link: str, address: str, other: str, *addresses: str) -> None:
    peer = ("peer", "name", "outlet", "netns", other)
    run("ip", "-n", one, "link", "add", link, "type", "veth", *peer)
    run("ip", "-n", one, "address", "add", address, "dev", link)
    run("ip", "-n", one, "link", "set", link, "up")
    for each in addresses:
        run("ip", "-n", other, "address", "add", each, "dev", "outlet")
    run("ip", "-n", other, "link", "set", "outlet", "up")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of one call for each keep-alive message, by message."""
    with street() as (world, home):
        out = run(
            "ip", "netns", "exec", world, sys.executable, "-m", "tests.interop.behind_nat",
            str(tmp_path_factory.mktemp("nat")), home, str(IDLE), "HELLO", "OPTIONS", "",
        )  # fmt: skip
    found: dict[str, dict[str, Any]] = json.loads(out)
    return found


def test_the_binding_is_seen_from_outside(report: dict[str, dict[str, Any]]) -> None:
    for row in report.values():
        host, _, port = row["address"].rpartition(":")
        assert (host, 45678 <= int(port) <= 45778, row["nat"]) == ("203.0.113.9", True, True)


@pytest.mark.parametrize("message", ["HELLO", "OPTIONS"])
def test_the_call_arrives_and_ends_through_the_nat(
    report: dict[str, dict[str, Any]], message: str
) -> None:
    row = report[message]
    assert (row["successful"], row["failed"]) == (1, 0)
    assert row["phone"] == ["registered", "called", "acknowledged", "ended"]


def test_without_a_message_it_does_not(report: dict[str, dict[str, Any]]) -> None:
    """NAT-06: empty is disabled."""
    row = report[""]
    assert (row["successful"], row["failed"]) == (0, 1)
    assert row["phone"] == ["registered"]
