# SPDX-License-Identifier: GPL-2.0-or-later
"""What calls leave behind: nothing, and without help of the cycle collector."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest

from tests.sim.agents import Agent
from tests.sim.world import Link, World
from tests.sip.test_endpoint_timers import A, B
from vosd.sip.dialog import Dialog
from vosd.sip.transaction import ClientTransaction, ServerTransaction


def calls(world: World, alice: Agent, bob: Agent, count: int) -> None:
    for number in range(count):
        leg = alice.call("sip:100@bob", B)
        world.advance(1)
        if number % 3 == 0:
            alice.hold(leg)
        world.advance(1)
        if number % 2:
            alice.bye(leg)
        else:
            bob.bye(bob.legs[-1])
        world.advance(1)
    world.settle()
    for agent in (alice, bob):
        for leg in agent.legs:
            leg.dialog.owner = None
        agent.legs.clear()
        agent.events.clear()
    world.ladder.clear()


@pytest.mark.parametrize("script", [{}, {"reject_with": 486}, {"answer_after": None}])
def test_finished_calls_are_freed_without_the_collector(script: dict[str, Any]) -> None:
    world = World(link=Link(delay=0.01))
    alice, bob = Agent(world, "alice", A), Agent(world, "bob", B, **script)
    kinds = (Dialog, ClientTransaction, ServerTransaction)
    calls(world, alice, bob, 3)
    gc.collect()
    gc.disable()
    try:
        calls(world, alice, bob, 30)
        left = [thing for thing in gc.get_objects() if isinstance(thing, kinds)]
    finally:
        gc.enable()
    assert left == []
    for agent in (alice, bob):
        end = agent.endpoint
        assert (end.transactions, end.dialogs, end.merges, len(end.timers)) == (0, 0, {}, 0)


def test_memory_does_not_grow_over_many_calls() -> None:
    """The collector stays off; run by hand it finds no garbage, it only empties free lists."""
    world = World(link=Link(delay=0.01))
    alice, bob = Agent(world, "alice", A), Agent(world, "bob", B)
    calls(world, alice, bob, 50)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    used = []
    try:
        for _ in range(3):
            calls(world, alice, bob, 100)
            assert gc.collect() == 0
            used.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
        gc.enable()
    assert used[2] - used[1] < 2048


def test_a_held_call_keeps_neither_messages_nor_transactions() -> None:
    world = World(link=Link(delay=0.01))
    alice, bob = Agent(world, "alice", A), Agent(world, "bob", B)
    leg = alice.call("sip:100@bob", B)
    world.advance(33)
    for dialog in (leg.dialog, bob.legs[0].dialog):
        assert dialog.state == "confirmed"
        assert (dialog.invite, dialog.invite_message, dialog.early) == (None, None, None)
        assert (dialog.server, dialog.pending) == (None, None)
    assert (alice.endpoint.transactions, bob.endpoint.transactions) == (0, 0)


def test_a_finished_transaction_in_its_wait_state_keeps_no_dialog() -> None:
    world = World()
    alice, bob = Agent(world, "alice", A), Agent(world, "bob", B)
    leg = alice.call("sip:100@bob", B)
    world.advance(1)
    alice.bye(leg)
    world.advance(1)
    for end in (alice.endpoint, bob.endpoint):
        assert end.transactions == 2
        both: list[Any] = [*end.clients.values(), *end.servers.values()]
        for tx in both:
            assert tx.dialog is None
            assert getattr(tx, "message", None) is None
            assert getattr(tx, "common", "") == ""
