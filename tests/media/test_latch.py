# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may be heard (design section 7; reliability 15 and 16), row by row."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from vosd.media.latch import Held, Latch, network, sendable
from vosd.media.relay import Address

NAMED = ("203.0.113.9", 4000)
SAME_HOST = ("203.0.113.9", 61000)
STRANGER = ("198.51.100.66", 4000)
OTHER_STRANGER = ("198.51.100.67", 4000)
WINDOW_ENDS = 103.0


class Row(NamedTuple):
    """Packets as (source, sequence, SSRC, time) and what each is judged."""

    packets: list[tuple[Address, int, int, float]]
    verdicts: str
    locked: Address | None
    nat: bool = False
    near: str | None = None


def run(source: Address, first: int = 1, ssrc: int = 7, at: float = 101.0, count: int = 3) -> list:  # type: ignore[type-arg]
    return [(source, first + n, ssrc, at) for n in range(count)]


#: a accept, h hold, L lock, f foreign
ROWS = {
    "named address": Row(run(NAMED), "aaL", NAMED),
    "named address, long after": Row(run(NAMED, at=500.0), "aaL", NAMED),
    "named host, other port, in the window": Row(run(SAME_HOST), "aaL", SAME_HOST),
    "named host, other port, at the end": Row(run(SAME_HOST, at=103.0), "aaL", SAME_HOST),
    "named host, other port, too late": Row(run(SAME_HOST, at=103.1), "fff", None),
    "stranger": Row(run(STRANGER), "fff", None),
    "NAT: anybody in the window": Row(run(STRANGER), "hhL", STRANGER, nat=True),
    "NAT: too late": Row(run(STRANGER, at=103.1), "fff", None, nat=True),
    "NAT: named address is heard at once": Row(run(NAMED), "aaL", NAMED, nat=True),
    "NAT: near the signalling": Row(run(STRANGER), "hhL", STRANGER, nat=True, near="198.51.100.1"),
    "NAT: far from the signalling": Row(run(STRANGER), "fff", None, nat=True, near="192.0.2.1"),
    "not in sequence": Row(
        [(NAMED, 1, 7, 101.0), (NAMED, 3, 7, 101.0), (NAMED, 5, 7, 101.0)], "aaa", None
    ),
    "a gap begins the count anew": Row(
        [(NAMED, 1, 7, 101.0), (NAMED, 2, 7, 101.0), *run(NAMED, first=4)], "aaaaL", NAMED
    ),
    "another SSRC begins the count anew": Row(
        [(NAMED, 1, 7, 101.0), (NAMED, 2, 7, 101.0), *run(NAMED, first=3, ssrc=8)],
        "aaaaL",
        NAMED,
    ),
    "numbers wrap": Row(
        [(NAMED, 65535, 7, 101.0), (NAMED, 0, 7, 101.0), (NAMED, 1, 7, 101.0)], "aaL", NAMED
    ),
    "two at a time: first to three in sequence": Row(
        [
            (STRANGER, 1, 7, 101.0),
            (OTHER_STRANGER, 1, 7, 101.0),
            (STRANGER, 2, 7, 101.0),
            (OTHER_STRANGER, 9, 7, 101.0),
            (STRANGER, 3, 7, 101.0),
        ],
        "hhhhL",
        STRANGER,
        nat=True,
    ),
}
LETTERS = {"accept": "a", "hold": "h", "lock": "L", "foreign": "f"}


@pytest.mark.parametrize("name", ROWS)
def test_rows(name: str) -> None:
    row = ROWS[name]
    latch = Latch()
    latch.aim(NAMED, nat=row.nat, near=row.near, window_ends=WINDOW_ENDS)
    verdicts = ""
    for source, sequence, ssrc, now in row.packets:
        verdict, _ = latch.judge(source, sequence, ssrc, Held(b"", 0, 0), now)
        verdicts += LETTERS[verdict]
    assert (verdicts, latch.locked) == (row.verdicts, row.locked)


def test_what_was_held_comes_with_the_lock() -> None:
    """The first two packets of a NATed party are late by 40 ms, not lost."""
    latch = Latch()
    latch.aim(NAMED, nat=True, near=None, window_ends=WINDOW_ENDS)
    packets = [Held(bytes([n]), n, 0) for n in range(3)]
    given = [latch.judge(STRANGER, n, 7, packets[n], 101.0)[1] for n in range(3)]
    assert given == [[], [], packets[:2]]


def test_spraying_does_not_push_out_who_is_in_sequence() -> None:
    """Reliability 15: one packet from each of many sources, between the party's own."""
    latch = Latch()
    latch.aim(("10.0.0.1", 4000), nat=True, near=None, window_ends=WINDOW_ENDS)
    for number in range(2):
        latch.judge(STRANGER, number, 7, Held(b"", 0, 0), 101.0)
    for port in range(1000, 1100):
        latch.judge((OTHER_STRANGER[0], port), port, 7, Held(b"", 0, 0), 101.0)
    assert latch.judge(STRANGER, 2, 7, Held(b"", 0, 0), 101.0)[0] == "lock"


@pytest.mark.parametrize(
    ("remote", "nat", "locked"),
    [(NAMED, True, STRANGER), (SAME_HOST, True, None), (NAMED, False, None), (None, True, None)],
)
def test_new_sdp(remote: Address | None, nat: bool, locked: Address | None) -> None:
    """Only new SDP unlocks; SDP that names the same address leaves the source in place."""
    latch = Latch()
    latch.aim(NAMED, nat=True, near=None, window_ends=WINDOW_ENDS)
    for source, sequence, ssrc, now in run(STRANGER):
        latch.judge(source, sequence, ssrc, Held(b"", 0, 0), now)
    latch.aim(remote, nat=nat, near=None, window_ends=200.0)
    assert latch.locked == locked


@pytest.mark.parametrize(
    ("host", "fit"),
    [
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("172.32.0.1", True),
        ("192.168.255.255", True),
        ("100.64.0.1", True),
        ("169.254.1.1", True),
        ("203.0.113.9", True),
        ("127.0.0.1", True),
        ("fd00::1", True),
        ("fe80::1", True),
        ("2001:db8::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("255.255.255.255", False),
    ],
)
def test_addresses(host: str, fit: bool) -> None:
    assert sendable(host) == fit


def test_network() -> None:
    assert network("203.0.113.9") == "203.0.113.0/24"
    assert network("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"
