# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 4475 and RFC 5118 on the wire: each file to a running vosd that knows its sender.

The verdicts are those of ../shared/torture/index.csv. A network namespace holds sender, switch and
a vendor who never answers; its default route leads to a dead end that counts what is sent there.
"""

from __future__ import annotations

import contextlib
import csv
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.programs import needs

ROOT = Path(__file__).parents[2]
TORTURE = ROOT / ".." / "shared" / "torture"
INDEX = TORTURE / "index.csv"
ROUNDS = 1600 if os.environ.get("VOSD_SOAK") else 1

pytestmark = [
    needs("ip"),
    pytest.mark.skipif(not TORTURE.is_dir(), reason="did not run: ../shared/torture is not there"),
    pytest.mark.skipif(os.geteuid() != 0, reason="did not run: no network namespace (not root)"),
]


def _rows() -> dict[str, dict[str, str]]:
    if not INDEX.exists():
        return {}
    with INDEX.open(newline="") as index:
        return {row["file"]: row for row in csv.DictReader(index)}


ROWS = _rows()


@contextlib.contextmanager
def namespace(name: str) -> Iterator[None]:
    """A network of its own: loopback, and a default route into nothing."""

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "set", "lo", "up")
        ip("-n", name, "link", "add", "dead", "type", "veth", "peer", "name", "end")
        for link in ("dead", "end"):
            ip("-n", name, "link", "set", link, "addrgenmode", "none", "arp", "off", "up")
        ip("-n", name, "address", "add", "198.51.100.1/24", "dev", "dead")
        ip("-n", name, "route", "add", "default", "via", "198.51.100.2")
        yield
    finally:
        ip("netns", "del", name)


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Everything sent once, for VOSD_SOAK over and over; what was seen, by file and by name."""
    name = f"vosd-torture-{os.getpid()}"
    with namespace(name):
        done = subprocess.run(
            ["ip", "netns", "exec", name, sys.executable, "-m", "tests.interop.replay",
             str(tmp_path_factory.mktemp("torture")), str(TORTURE), str(ROUNDS)],
            cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=90 + ROUNDS,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(line.split("\t") for line in done.stdout.splitlines())


def right(row: dict[str, str], codes: list[str]) -> bool:
    """Whether replies with these codes are the verdict of a row."""
    final = next((code for code in codes if code[0] != "1"), None)
    fit = {row["code"], *row["also_ok"].split(";")}
    if row["kind"] == "response" or row["outcome"] == "drop":
        return not codes
    accepted = final[0] == "2" if final is not None else bool(codes)
    if row["outcome"] == "accept" or "accept" in fit:
        return accepted or final in fit
    return final in fit


@pytest.mark.parametrize("file", ROWS)
def test_torture(replayed: dict[str, str], file: str) -> None:
    codes = replayed[file].split()
    assert right(ROWS[file], codes), (ROWS[file]["assert"], codes)


def test_one_final_reply_at_most(replayed: dict[str, str]) -> None:
    """dblreq above all: what follows the body in a datagram is no second request."""
    finals = {
        file: [code for code in replayed[file].split() if code[0] != "1"] for file in ROWS
    }
    assert {file: codes for file, codes in finals.items() if len(set(codes)) > 1} == {}


def test_the_switch_lives_and_nothing_left_for_elsewhere(replayed: dict[str, str]) -> None:
    """No broadcast, no host a message named, no traceback; and a real call still goes through."""
    assert replayed["alive"] == "200"
    assert replayed["astray"] == "0"
    assert not re.search("Traceback|cannot go on", replayed["log"])


@pytest.mark.skipif(ROUNDS == 1, reason="did not run: make soak sends the files over and over")
def test_memory_does_not_grow(replayed: dict[str, str]) -> None:
    """Less than 1 MiB in 1000 rounds, once the caches are full (reliability.md 2)."""
    assert int(replayed["grown_kib"]) < 1024
