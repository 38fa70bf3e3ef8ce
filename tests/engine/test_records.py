# SPDX-License-Identifier: GPL-2.0-or-later
"""Proofs of life: each open call within any 30 s, and never all of them in one commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from vosd.engine.records import ALIVE_S, Records

CALLS: Any = [
    SimpleNamespace(
        call=SimpleNamespace(id=f"call-{number}", answered_at=1_800_000_000 + number / 100),
        stored=number % 10 != 0,
    )
    for number in range(3000)
]
OPEN = {live.call.id for live in CALLS if live.stored}


class Shelf:
    """Stands for the store: keeps the ids of each proof."""

    def __init__(self) -> None:
        self.cdr = self
        self.proofs: list[list[str]] = []

    def alive(self, ids: Iterable[str], at: float) -> None:
        self.proofs.append(list(ids))


def proofs(ticks: Iterable[float]) -> list[list[str]]:
    shelf: Any = Shelf()
    nothing: Any = None
    records = Records(shelf, nothing, "edge-1", nothing, nothing)
    records.beat((), 99.5, 0.0)
    for mono in ticks:
        records.beat(CALLS, mono, mono)
    return list(shelf.proofs)


def test_each_open_call_has_one_second_of_thirty() -> None:
    made = proofs(100.5 + n for n in range(ALIVE_S))
    assert Counter(id for ids in made for id in ids) == Counter(OPEN)
    assert max(map(len, made)) < len(OPEN) // 10


@pytest.mark.parametrize("ticks", [(100.1, 107.9, 129.0), (101.0, 101.9, 129.9), (500.0,)])
def test_seconds_the_loop_missed_are_made_up(ticks: tuple[float, ...]) -> None:
    made = proofs(ticks)
    assert Counter(id for ids in made for id in ids) == Counter(OPEN)
