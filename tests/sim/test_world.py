# SPDX-License-Identifier: GPL-2.0-or-later
"""The simulated network itself: time, loss, order, repetition."""

from __future__ import annotations

import math

import pytest

from tests.sim.agents import Agent
from tests.sim.world import Address, Entry, Link, World, dropping, summary

X, Y = ("10.0.0.1", 1), ("10.0.0.2", 2)


class Box:
    """Keeps what arrives and wakes at the times it is given."""

    def __init__(self, world: World, *wakes: float) -> None:
        self.world = world
        self.outgoing: list[tuple[bytes, Address, int]] = []
        self.seen: list[tuple[float, bytes, Address, int]] = []
        self.wakes = list(wakes)
        self.woken: list[float] = []

    def receive(self, data: bytes, source: Address, local: int, now: float) -> list[bytes]:
        self.seen.append((now, data, source, local))
        return [data]

    def due(self, now: float) -> list[bytes]:
        self.woken.append(now)
        del self.wakes[0]
        return []

    def deadline(self) -> float:
        return self.wakes[0] if self.wakes else math.inf


def boxes(world: World, *wakes: float) -> tuple[Box, Box]:
    one, two = Box(world, *wakes), Box(world)
    world.add("x", one, [X])
    world.add("y", two, [("10.0.0.9", 9), Y])
    return one, two


def test_time_moves_only_by_advance_and_in_order() -> None:
    world = World(start=100.0, link=Link(delay=0.25))
    one, two = boxes(world, 100.1, 100.4)
    one.outgoing.append((b"a", Y, 0))
    world.at(100.3, lambda: one.outgoing.append((b"b", Y, 0)))
    assert (two.seen, one.woken) == ([], [])
    world.advance(0.3)
    assert (two.seen, one.woken) == ([(100.25, b"a", X, 1)], [100.1])
    world.advance(1.0)
    assert two.seen[1] == (100.55, b"b", X, 1)
    assert one.woken == [100.1, 100.4]
    assert world.now == 101.3


def test_handlers_get_what_a_node_returns() -> None:
    world = World()
    one, _ = boxes(world)
    got: list[bytes] = []
    world.add("z", Box(world), [("10.0.0.3", 3)], handler=got.append)
    one.outgoing.append((b"hello", ("10.0.0.3", 3), 0))
    world.advance(0)
    assert got == [b"hello"]


def test_loss_is_a_probability_and_a_seed_repeats_it() -> None:
    def run(seed: int) -> list[bytes]:
        world = World(seed, link=Link(loss=0.3))
        one, two = boxes(world)
        for number in range(1000):
            one.outgoing.append((b"%d" % number, Y, 0))
        world.advance(1)
        return [data for _, data, _, _ in two.seen]

    assert run(1) == run(1) != run(2)
    assert 650 < len(run(1)) < 750


def test_swapped_datagrams_are_overtaken_and_none_is_lost() -> None:
    world = World(3, link=Link(delay=0.01, swap=0.5, jitter=1.0))
    one, two = boxes(world)
    for number in range(100):
        one.outgoing.append((bytes([number]), Y, 0))
    world.advance(2)
    order = [data[0] for _, data, _, _ in two.seen]
    assert sorted(order) == list(range(100)) != order


def test_links_have_a_direction_and_datagrams_to_nobody_show() -> None:
    world = World()
    one, two = boxes(world)
    world.between("x", "y", Link(loss=1.0), Link())
    one.outgoing += [(b"SIP/2.0 180 R\r\nCSeq: 1 INVITE\r\n\r\n", Y, 0), (b"b", ("10.9.9.9", 5), 0)]
    two.outgoing.append((b"c", X, 0))
    world.advance(0)
    assert world.text() == (
        "   0.000  x -> y  180 INVITE 1  [lost]\n"
        "   0.000  x -> 10.9.9.9:5  b ?  [nobody]\n"
        "   0.000  y -> x  c ?\n"
    )
    assert one.seen == [(0.0, b"c", ("10.0.0.9", 9), 0)]


def test_settle_names_what_will_not_end() -> None:
    world = World()
    boxes(world, 1.0, 2.0, 5000.0)
    with pytest.raises(AssertionError, match="cannot settle within 600"):
        world.settle()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"INVITE sip:a@b SIP/2.0\r\nCSeq: 7 INVITE\r\n\r\nv=0", "INVITE 7 +"),
        (b"SIP/2.0 200 OK\r\nCSeq: 7 BYE\r\n\r\n", "200 BYE 7"),
        (b"\xff\x00", "\ufffd\x00 ?"),
    ],
)
def test_summary(data: bytes, text: str) -> None:
    assert summary(data) == text


def test_dropping_counts() -> None:
    drop = dropping("ACK", "BYE", times=2)
    lines = [b"ACK a\r\nCSeq: 1 ACK\r\n\r\n", b"INVITE a\r\nCSeq: 1 INVITE\r\n\r\n"]
    assert [drop(lines[0]), drop(lines[1]), drop(lines[0]), drop(lines[0])] == [
        True, False, True, False
    ]  # fmt: skip


def test_an_entry_prints_as_a_line() -> None:
    assert str(Entry(1.5, "a", "b", "ACK 1", "", b"")) == "   1.500  a -> b  ACK 1"


def test_a_silent_and_a_no_ack_agent() -> None:
    world = World()
    alice = Agent(world, "alice", X)
    bob = Agent(world, "bob", Y, bye_after=None)
    alice.script.no_ack = True
    alice.call("sip:b@10.0.0.2", Y)
    world.advance(40)
    assert [leg.end for leg in bob.legs] == ["ack lost"]
    bob.script.silent = True
    leg = alice.call("sip:b@10.0.0.2", Y)
    world.advance(40)
    assert (leg.end, leg.code) == ("timeout", 408)
