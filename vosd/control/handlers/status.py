# SPDX-License-Identifier: GPL-2.0-or-later
"""status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vosd.control.access import Peer
from vosd.control.handler import Handler, Path
from vosd.wire.records import Status

if TYPE_CHECKING:
    from vosd.engine.node import Node


async def status(node: Node, peer: Peer, request: None, path: Path, query: None) -> Status:
    return node.status()


HANDLERS: dict[str, Handler] = {"status": status}
