# SPDX-License-Identifier: GPL-2.0-or-later
"""Which gateways answer: a probe that gets nothing shows at once, what comes late still counts."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine.switchboard import BOB, Switchboard
from vosd.engine import health


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in these worlds answers while the event loop waits."""
    monkeypatch.setattr(health, "ANSWER_S", 0.0)


def probe(board: Switchboard) -> tuple[bool, str]:
    """Ask in the world's time; only the wait for the answer is the event loop's."""

    async def ask() -> tuple[bool, str, float]:
        return await board.switch.health.probe(board.switch.configuration.gateways["vendor"])

    up, note, _ = asyncio.run(ask())
    return up, note


def board_at_now(monkeypatch: pytest.MonkeyPatch) -> Switchboard:
    board = Switchboard()
    monkeypatch.setattr("time.monotonic", lambda: board.world.now)
    return board


def test_unknown_says_since_when() -> None:
    assert Switchboard().switch.health.state("vendor") == (None, "not tried since start")


def test_an_unanswered_probe_shows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only when the OPTIONS transaction ends, 32 s later (RFC 3261 17.1.2.2)."""
    board = board_at_now(monkeypatch)
    board.agent("bob", BOB, silent=True)
    silence = (False, "no answer to OPTIONS for 0 s")
    assert probe(board) == silence
    assert board.switch.health.state("vendor") == silence
    board.world.advance(40)
    assert board.switch.health.state("vendor") == silence
    assert board.empty()


def test_a_late_answer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    board = board_at_now(monkeypatch)
    board.agent("bob", BOB)
    assert probe(board)[0] is False
    board.world.advance(1)
    up, note = board.switch.health.state("vendor")
    assert (up, note[:22]) == (True, "answered OPTIONS with ")


def test_a_probe_given_up_does_not_undo_what_was_heard_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    board = board_at_now(monkeypatch)
    board.agent("bob", BOB, silent=True)
    probe(board)
    board.switch.health.heard("vendor")
    board.world.advance(40)
    assert board.switch.health.state("vendor") == (True, "answers")
