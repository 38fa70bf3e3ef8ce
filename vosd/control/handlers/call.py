# SPDX-License-Identifier: GPL-2.0-or-later
"""call.*: live calls as they are now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from vosd.control.access import Peer
from vosd.control.handler import Handler, Path, Refusal, entry, stored
from vosd.control.livecalls import gather
from vosd.wire.records import CallList, CallView
from vosd.wire.requests import CallDetail, CallHangup, CallQuery, CallsHungUp

if TYPE_CHECKING:
    from vosd.engine.node import Node

#: seconds between two lines of call.watch
EVERY_S = 1.0
MOST_IDS = 1000


async def list_(node: Node, peer: Peer, request: None, path: Path, query: CallQuery) -> CallList:
    _check_party(node, query.gateway)
    return await _list(node, query.gateway)


async def watch(
    node: Node, peer: Peer, request: None, path: Path, query: CallQuery
) -> AsyncIterator[CallList]:
    _check_party(node, query.gateway)
    while True:
        yield await _list(node, query.gateway)
        await asyncio.sleep(EVERY_S)


async def show(node: Node, peer: Peer, request: None, path: Path, query: None) -> CallDetail:
    return CallDetail(call=_find(node, path["id"]))


async def hangup(
    node: Node, peer: Peer, request: CallHangup, path: Path, query: None
) -> CallsHungUp:
    if not 1 <= len(request.ids) <= MOST_IDS:
        raise Refusal("bad_value", f"cannot end {len(request.ids)} calls: 1 to {MOST_IDS} in one "
                      "request", value=str(len(request.ids)))  # fmt: skip
    ids = list(dict.fromkeys(_find(node, id_).id for id_ in request.ids))
    if not request.dry_run:
        for id_ in ids:
            node.hangup(id_)
        audit = entry(peer, "call.hangup", " ".join(ids), "", "", request.why)
        await stored(node.store.write_audit(audit))
    return CallsHungUp(ids=ids, dry_run=request.dry_run)


async def _list(node: Node, party: str | None) -> CallList:
    return CallList(calls=await gather(node, party), total=len(node.calls))


def _check_party(node: Node, name: str | None) -> None:
    known = node.configuration
    if name is not None and name not in known.gateways and name not in known.phones:
        raise Refusal("not_found", f"cannot find gateway {name!r}: none has that name",
                      value=name, accepts="what vosctl gateway list shows")  # fmt: skip


def _find(node: Node, id_: str) -> CallView:
    try:
        view = node.calls.view(id_) if id_ else None
    except LookupError as error:
        raise Refusal("conflict", str(error), value=id_, accepts="more of the id") from None
    if view is None:
        raise Refusal("not_found", f"cannot find a live call {id_!r}: it may have ended, "
                      f"vosctl cdr show {id_} shows its record", value=id_)  # fmt: skip
    return view


HANDLERS: dict[str, Handler] = {
    "call.list": list_,
    "call.watch": watch,
    "call.show": show,
    "call.hangup": hangup,
}
