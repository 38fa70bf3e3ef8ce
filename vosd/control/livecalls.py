# SPDX-License-Identifier: GPL-2.0-or-later
"""Live calls for a reply, gathered without holding up the calls themselves."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING

from vosd.wire.records import CallView

if TYPE_CHECKING:
    from vosd.engine.node import Node

#: calls looked at before SIP gets its turn, about 2 ms
TURN = 20


async def gather(node: Node, party: str | None, most: int | None = None) -> list[CallView]:
    """What stands now, of one gateway or phone or of all; the `most` oldest of it."""
    found = []
    for view in islice(node.calls.views(party), most):
        if view.state != "ended":
            found.append(view)
        if len(found) % TURN == 0:
            await asyncio.sleep(0)
    return found
