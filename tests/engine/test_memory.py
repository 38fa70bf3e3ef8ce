# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls are freed by counting references: the daemon runs the collector too rarely for more."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.engine.switchboard import ALICE, BOB, SWITCH, Switchboard


@pytest.fixture
def garbage() -> Iterator[list[object]]:
    """What only the collector would free, of all that is made in the test."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.parametrize(
    "behaviour",
    [{"answer_after": 0.1}, {"reject_with": 486}, {"reject_with": 503}, {"silent": True}],
    ids=["answered", "busy", "failed", "silent"],
)
def test_a_call_that_is_over_leaves_no_cycle(
    behaviour: dict[str, float], garbage: list[object]
) -> None:
    board = Switchboard()
    alice = board.agent("alice", ALICE)
    board.agent("bob", BOB, **behaviour)
    leg = alice.call("sip:200@10.0.0.1", SWITCH)
    board.world.advance(5)
    if leg.answered_at is not None:
        alice.bye(leg)
    board.world.advance(100)
    assert board.empty()
    gc.collect()
    ours = Counter(
        type(thing).__name__ for thing in garbage if type(thing).__module__.startswith("vosd.")
    )
    assert ours == {}
