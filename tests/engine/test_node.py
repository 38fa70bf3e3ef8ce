# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine on real sockets: what the world of virtual time leaves out."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from vosd.engine.node import Node
from vosd.media.userspace import UserspaceRelay
from vosd.sip.endpoint import Listen
from vosd.store.store import Store


def test_tags_and_branches_come_from_no_generator_that_can_be_worked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer sees hundreds of them; 624 words of a Mersenne Twister tell all that follow."""
    seeded = random.Random

    class Known(seeded):
        """Every generator that is seeded begins the same."""

        def __new__(cls, *_: object) -> Known:
            return super().__new__(cls, 1)

        def __init__(self, *_: object) -> None:
            super().__init__(1)

    monkeypatch.setattr(random, "Random", Known)

    async def drawn(name: str) -> tuple[str, str]:
        store = Store.open(f"sqlite:///{tmp_path}/{name}.db", node=name)
        node = Node(node=name, store=store, listens=[Listen("udp", "127.0.0.1", 0)],
                    media_address=None, relay=UserspaceRelay(),
                    loop=asyncio.get_running_loop())  # fmt: skip
        try:
            return node.exchange.endpoint._token(), node.calls.node
        finally:
            node.close()
            store.close()

    first, second = asyncio.run(drawn("one")), asyncio.run(drawn("two"))
    assert first[0] != second[0]
    assert first[1] != second[1]
