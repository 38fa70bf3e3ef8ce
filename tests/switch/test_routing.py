# SPDX-License-Identifier: GPL-2.0-or-later
"""Longest prefix, then priority, then load ratio, then name (vos3000.md 7)."""

import random

import pytest

from vosd.switch.routing import Routes, routes
from vosd.switch.tables import Gateway


def gateway(name: str, *prefixes: str, priority: int = 0, capacity: int = 0, **more: object):
    return Gateway(
        name=name,
        kind=more.pop("kind", "routing"),
        prefixes=prefixes or ("",),
        priority=priority,
        capacity=capacity,
        **more,
    )


WORLD = [
    gateway("default"),
    gateway("uk", "44"),
    gateway("uk-mobile", "447", priority=1),
    gateway("uk-mobile-b", "447", priority=0),
    gateway("de-b", "49", capacity=100),
    gateway("de-a", "49", capacity=10),
    gateway("de-c", "49", capacity=10),
    gateway("both", "33", "331"),
    gateway("off", "48", enabled=False),
    gateway("customer", "47", kind="mapping"),
]


@pytest.mark.parametrize(
    ("called", "loads", "expected"),
    [
        ("15551234", {}, ["default"]),
        ("44201234", {}, ["uk", "default"]),
        ("44712345", {}, ["uk-mobile-b", "uk-mobile", "uk", "default"]),
        # load ratio: 20/100 before 3/10 before 9/10
        ("4930123", {"de-b": 20, "de-a": 9, "de-c": 3}, ["de-b", "de-c", "de-a", "default"]),
        # equal ratios: the name
        ("4930123", {"de-b": 50, "de-a": 5, "de-c": 5}, ["de-a", "de-b", "de-c", "default"]),
        # full ones are left out, more than full too
        ("4930123", {"de-b": 100, "de-a": 10, "de-c": 11}, ["default"]),
        # a gateway under two matching prefixes stands once
        ("33123456", {}, ["both", "default"]),
        ("4812", {}, ["default"]),
        ("4712", {}, ["default"]),
        # shorter than the prefix is no match
        ("4", {}, ["default"]),
        ("44", {}, ["uk", "default"]),
        ("", {}, ["default"]),
    ],
)
def test_order(called: str, loads: dict[str, int], expected: list[str]) -> None:
    found = routes(called, Routes(WORLD), lambda name: loads.get(name, 0))
    assert [row.name for row in found] == expected


def test_no_prefix_is_told_from_full() -> None:
    index = Routes([gateway("uk", "44", capacity=1), gateway("off", "49", enabled=False)])
    assert routes("442", index, lambda _: 1) == []
    assert index.serves("442")
    assert not index.serves("492")
    assert not index.serves("4")


def test_a_single_full_gateway_gives_way_to_the_shorter_prefix() -> None:
    index = Routes([gateway("exact", "447", capacity=5), gateway("wide", "44")])
    assert [g.name for g in routes("4471", index, lambda _: 5)] == ["wide"]


def test_against_a_plain_reading_of_the_rule() -> None:
    chance = random.Random(7)
    prefixes = ["".join(chance.choices("0123", k=chance.randint(0, 4))) for _ in range(60)]
    world = [
        gateway(f"g{n}", prefix, priority=chance.randint(0, 2), capacity=chance.choice((0, 4, 8)))
        for n, prefix in enumerate(prefixes)
    ]
    index = Routes(world)
    for _ in range(300):
        called = "".join(chance.choices("0123", k=chance.randint(0, 6)))
        calls = {row.name: chance.randint(0, 8) for row in world}
        plain = [
            row
            for row in world
            if called.startswith(row.prefixes[0])
            and (not row.capacity or calls[row.name] < row.capacity)
        ]
        plain.sort(
            key=lambda row: (
                -len(row.prefixes[0]),
                row.priority,
                calls[row.name] / row.capacity if row.capacity else 0.0,
                row.name,
            )
        )
        assert routes(called, index, calls.__getitem__) == plain
