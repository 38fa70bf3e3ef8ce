# SPDX-License-Identifier: GPL-2.0-or-later
"""What a control handler is given and how it refuses.

A handler is `async def verb(node, peer, request, path, query)`: `request` and `query` are the
structs the verb's row names, `path` the segments of its template. It returns the reply struct,
or raises Refusal. A stream verb's handler is an async generator of reply structs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import msgspec

from vosd.control.access import Peer
from vosd.store.audit import AuditEntry
from vosd.wire.records import Failure

if TYPE_CHECKING:
    from vosd.engine.node import Node

Path: TypeAlias = Mapping[str, str]
Handler: TypeAlias = Callable[
    ["Node", Peer, Any, Path, Any], Awaitable[msgspec.Struct] | AsyncIterator[msgspec.Struct]
]
Kind: TypeAlias = Literal[
    "bad_request", "bad_value", "not_found", "exists", "conflict", "denied", "unavailable",
    "internal",
]  # fmt: skip
T = TypeVar("T")


class Refusal(Exception):
    """The verb is not done; the client gets the Failure, with the HTTP status of its kind."""

    def __init__(self, kind: Kind, message: str, *, value: str = "", accepts: str = "") -> None:
        super().__init__(message)
        self.failure = Failure(kind=kind, message=message, value=value, accepts=accepts)


def bad_value(error: ValueError, value: str = "") -> Refusal:
    """What a parser of `vosd.wire.values` or a catalogue kind said, as a refusal."""
    return Refusal("bad_value", str(error), value=value)


async def stored(future: Future[T]) -> T:
    """Wait for a write of the store without holding up the loop; raises StoreError."""
    return await asyncio.wrap_future(future)


def entry(peer: Peer, verb: str, subject: str, old: str, new: str, why: str) -> AuditEntry:
    """The audit row of a change made now; `old` and `new` never hold a secret."""
    return AuditEntry(
        at=time.time(),
        uid=peer.uid,
        user=peer.user,
        verb=verb,
        subject=subject,
        old=old,
        new=new,
        why=why,
    )
