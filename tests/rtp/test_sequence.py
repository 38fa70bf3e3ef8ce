# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 3550 A.1 and A.3: what a series of sequence numbers comes to."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vosd.rtp.sequence import Sequence

S = 0x51


class Came(NamedTuple):
    expected: int | None
    lost: int | None
    duplicate: int = 0
    out_of_order: int = 0
    late: int = 0
    restarts: int = 0
    ssrc_changes: int = 0
    unproven: int = 0


def come(packets: list[tuple[int, int]]) -> Came:
    order = Sequence()
    for number, ssrc in packets:
        order.receive(number, ssrc)
    expected = order.expected
    return Came(
        expected,
        None if expected is None else expected - order.unique(len(packets)),
        order.duplicate,
        order.out_of_order,
        order.late,
        order.restarts,
        order.ssrc_changes,
        order.unproven,
    )


#: expected = highest - first + 1; lost = expected - distinct packets
ONE_SOURCE = {
    "nothing": ([], Came(None, None)),
    "one packet proves nothing": ([7], Came(None, None)),
    "two in sequence": ([7, 8], Came(2, 0)),
    "ten": (list(range(100, 110)), Came(10, 0)),
    # 65534, 65535, 65536, 65537: four numbers.
    "wrap": ([65534, 65535, 0, 1], Came(4, 0)),
    # 10..16 are 7, 13 and 14 did not come.
    "gap": ([10, 11, 12, 15, 16], Came(7, 2)),
    "gap over the wrap": ([65533, 65534, 1, 2], Came(6, 2)),
    # 12 fills its gap one place late.
    "reordered": ([10, 11, 13, 12, 14], Came(5, 0, out_of_order=1)),
    # 12 comes after 16: four places behind is more than the window of three.
    "late": ([10, 11, 13, 14, 15, 16, 12], Came(7, 0, out_of_order=1, late=1)),
    "three behind is not late": ([10, 11, 13, 14, 15, 12], Came(6, 0, out_of_order=1)),
    "duplicate of the last": ([10, 11, 11, 12], Came(3, 0, duplicate=1)),
    "duplicate further back": ([10, 11, 12, 13, 11], Came(4, 0, duplicate=1)),
    "duplicate of a late one": (
        [10, 11, 13, 12, 12, 14],
        Came(5, 0, duplicate=1, out_of_order=1),
    ),
    "duplicate on trial": ([10, 10, 11], Came(2, 0, duplicate=1)),
    "reordered at the very start": ([11, 10, 12, 13], Came(4, 0, out_of_order=1)),
    # 9 comes when 10 was taken for the first; 8 is before it and never comes: not known of.
    "one before the first": ([10, 11, 9, 12], Came(4, 0, out_of_order=1)),
    "two before the first": ([10, 11, 8, 12], Came(5, 1, out_of_order=1)),
    "reordered over the wrap": ([65534, 65535, 1, 0, 2], Came(5, 0, out_of_order=1)),
    # Every second packet is lost: 0, 2 ... 14 are 8 of 15 numbers.
    "never two in a row": (list(range(0, 16, 2)), Came(15, 7)),
    # A far jump is believed with its second packet: 3 + 2 numbers, none lost.
    "restart": ([10, 11, 12, 40000, 40001], Came(5, 0, restarts=1)),
    "one far packet": ([10, 11, 40000, 12, 13], Came(4, 0, unproven=1)),
    # 40000 then 50000: neither proves the other; 50001 proves 50000.
    "two far packets": ([10, 11, 40000, 50000, 50001], Came(4, 0, restarts=1, unproven=1)),
    # 2999 ahead is still a gap (MAX_DROPOUT 3000): 11..3010 with 2998 missing.
    "longest gap": ([10, 11, 3010, 3011], Came(3002, 2998)),
    "beyond the longest gap": ([10, 11, 3011, 3012], Came(4, 0, restarts=1)),
    # 99 behind is a duplicate here, 100 behind is a far jump (MAX_MISORDER).
    "far back": ([*range(1000, 1200), 1100], Came(200, 0, duplicate=1)),
    "too far back": ([*range(1000, 1200), 1099], Came(200, 0, unproven=1)),
    "restart over zero": ([40000, 40001, 0, 1], Came(4, 0, restarts=1)),
}


@pytest.mark.parametrize("name", ONE_SOURCE)
def test_one_source(name: str) -> None:
    numbers, expected = ONE_SOURCE[name]
    assert come([(number, S) for number in numbers]) == expected


A, B = 0xA, 0xB
SOURCES = {
    # 3 of A, 4 of B, each counted on its own.
    "change": ([(1, A), (2, A), (3, A), (9, B), (10, B), (11, B), (12, B)],
               Came(7, 0, ssrc_changes=1)),
    "change with loss on both": ([(1, A), (2, A), (4, A), (9, B), (10, B), (12, B)],
                                 Came(8, 2, ssrc_changes=1)),
    # One packet of B is on trial for ever: it is not of the stream and nothing is lost.
    "stray": ([(1, A), (2, A), (9, B), (3, A), (4, A)], Came(4, 0)),
    "two strays": ([(1, A), (2, A), (9, B), (90, S), (3, A)], Came(3, 0, unproven=1)),
    "change and back": ([(1, A), (2, A), (5, B), (6, B), (3, A), (4, A)],
                        Came(6, 0, ssrc_changes=2)),
    "zero is an SSRC": ([(1, 0), (2, 0)], Came(2, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_sources(name: str) -> None:
    packets, expected = SOURCES[name]
    assert come(packets) == expected


@given(
    first=st.integers(0, 65535),
    fates=st.lists(st.sampled_from(["come", "come", "come", "lost", "twice"]), min_size=20),
    shuffle=st.randoms(use_true_random=False),
)
@settings(max_examples=300)
def test_every_loss_and_duplicate_is_found(first, fates, shuffle) -> None:  # type: ignore[no-untyped-def]
    """Whatever is lost, doubled and moved by less than MAX_MISORDER places is counted exactly."""
    fates[:2], fates[-1] = ["come", "come"], "come"
    sent = [number for number, fate in enumerate(fates) for _ in range(FATES[fate])]
    # The head stays in order, so that the source is believed with its first packets.
    head, tail = sent[:2], sent[2:]
    moved = sorted(tail, key=lambda number: number + shuffle.uniform(0, 40))
    order = Sequence()
    for number in head + moved:
        order.receive((first + number) & 0xFFFF, S)
    assert order.expected == len(fates)
    assert len(fates) - order.unique(len(sent)) == fates.count("lost")
    assert order.duplicate == fates.count("twice")
    assert order.restarts == order.unproven == 0


FATES = {"come": 1, "lost": 0, "twice": 2}
