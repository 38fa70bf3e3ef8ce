# SPDX-License-Identifier: GPL-2.0-or-later
"""MP-08, MP-09, D56: pairs, their rest, and the system's own ports."""

from __future__ import annotations

from random import Random

import pytest

from vosd.media.ports import KEEP_WARM, NoPorts, PortPool, ephemeral_overlap


@pytest.mark.parametrize(
    ("start", "end", "pairs"),
    [
        (10000, 10003, [10000, 10002]),
        (10001, 10004, [10002]),
        (10000, 10004, [10000, 10002]),
        (10001, 10002, []),
        (10000, 10000, []),
        (65534, 65535, [65534]),
    ],
)
def test_only_whole_pairs(start: int, end: int, pairs: list[int]) -> None:
    """RFC 3550 11: RTP even, RTCP the odd port after it; both inside the range."""
    pool = PortPool(start, end)
    assert pool.total == 2 * len(pairs)
    assert [pool.take(0.0) for _ in pairs] == pairs
    assert pool.used == 2 * len(pairs)
    with pytest.raises(NoPorts, match=rf"^cannot open a media port: all {len(pairs)} pairs"):
        pool.take(0.0)


def test_shuffled() -> None:
    pool = PortPool(10000, 10999, chance=Random(5))
    taken = [pool.take(0.0) for _ in range(500)]
    assert sorted(taken) == list(range(10000, 11000, 2))
    assert taken != sorted(taken)


def rested(quarantine_s: float = 5.0) -> PortPool:
    """One pair, given back at 100 s."""
    pool = PortPool(10000, 10001, quarantine_s)
    pool.take(0.0)
    pool.give(10000, 100.0)
    return pool


def test_rest() -> None:
    """A pair is not given out before its quarantine is over."""
    pool = rested()
    assert pool.used == 0
    with pytest.raises(NoPorts):
        pool.take(104.9)
    assert pool.take(105.0) == 10000


def test_rest_begins_anew_with_every_packet() -> None:
    """Held until silent: heard at 104 s, it may go out at 109 s."""
    pool = rested()
    pool.heard(10000, 104.0)
    with pytest.raises(NoPorts):
        pool.take(108.9)
    assert pool.take(109.0) == 10000


def test_a_rested_pair_that_is_heard_rests_again() -> None:
    pool = rested()
    pool.mature(106.0)
    pool.heard(10000, 107.0)
    with pytest.raises(NoPorts):
        pool.take(111.9)
    assert pool.take(112.0) == 10000


def test_unusable_pair_does_not_hold_up_others() -> None:
    """Bound by somebody else: left alone for a minute, while others come back."""
    pool = PortPool(10000, 10003, 5.0)
    assert (pool.take(0.0), pool.take(0.0)) == (10000, 10002)
    pool.unusable(10000, 0.0)
    pool.give(10002, 1.0)
    assert pool.take(6.0) == 10002
    with pytest.raises(NoPorts):
        pool.take(59.0)
    assert pool.take(60.0) == 10000


def test_rested_pairs_go_first_and_the_rest_cools() -> None:
    """Sockets are kept for KEEP_WARM pairs; those beyond go to the end of the line."""
    pool = PortPool(10000, 19999, 5.0)
    taken = [pool.take(0.0) for _ in range(KEEP_WARM + 2)]
    for port in taken:
        pool.give(port, 1.0)
    pool.mature(6.0)
    assert pool.cold == [10000, 10002]
    assert pool.take(6.0) == 10004


def test_range_changes_while_calls_run() -> None:
    """A pair in use outlives its range and is not given out again."""
    pool = PortPool(10000, 10003, 1.0)
    assert pool.take(0.0) == 10000
    pool.resize(20000, 20003)
    assert (pool.total, pool.used) == (4, 2)
    assert [pool.take(0.0), pool.take(0.0)] == [20000, 20002]
    pool.give(10000, 0.0)
    with pytest.raises(NoPorts):
        pool.take(10.0)


def test_range_changes_keep_what_is_in_use() -> None:
    pool = PortPool(10000, 10003)
    assert pool.take(0.0) == 10000
    pool.resize(10000, 10005)
    assert [pool.take(0.0), pool.take(0.0)] == [10002, 10004]


OVERLAPS = [
    # D56: the source's own range on Linux as it comes.
    (10000, 60000, "32768\t60999\n", "", "32768-60000"),
    (10000, 32767, "32768\t60999\n", "", None),
    (10000, 32768, "32768\t60999\n", "", "32768-32768"),
    (61000, 65535, "32768 60999", "", None),
    (40000, 41000, "32768 60999", "", "40000-41000"),
    (10000, 60000, "32768 60999", "32768-60000\n", None),
    (10000, 60000, "32768 60999", "32768-60001", None),
    (10000, 60000, "32768 60999", "40000-60000,32768-39999", None),
    (10000, 60000, "32768 60999", "32768-40000,40002-60000", "32768-60000"),
    (10000, 60000, "32768 60999", "8080", "32768-60000"),
    (32768, 32768, "32768 60999", "32768", None),
]


@pytest.mark.parametrize(("start", "end", "local", "reserved", "ports"), OVERLAPS)
def test_ephemeral_overlap(
    start: int, end: int, local: str, reserved: str, ports: str | None
) -> None:
    sentence = ephemeral_overlap(start, end, local, reserved)
    if ports is None:
        assert sentence is None
    else:
        assert sentence is not None
        assert sentence.endswith(f"sysctl net.ipv4.ip_local_reserved_ports={ports}")
        assert sentence.startswith(f"media ports {start}-{end} overlap the system's own 32768-")


def test_ephemeral_range_unreadable() -> None:
    with pytest.raises(ValueError):
        ephemeral_overlap(10000, 60000, "", "")
