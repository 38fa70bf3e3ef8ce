# SPDX-License-Identifier: GPL-2.0-or-later
"""cdr.*: call records, read off the SIP loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import islice
from typing import TYPE_CHECKING

from vosd.control.access import Peer
from vosd.control.handler import Handler, Path, Refusal
from vosd.engine import evidence
from vosd.store.cdr import CdrFilter
from vosd.wire.records import Cdr, CdrDetail, CdrList
from vosd.wire.requests import CdrQuery

if TYPE_CHECKING:
    from vosd.engine.node import Node

#: in one reply; an export streams any number
MOST_RECORDS = 10_000
#: records read in one turn of the reading thread
BATCH = 500


async def list_(node: Node, peer: Peer, request: None, path: Path, query: CdrQuery) -> CdrList:
    if not 1 <= query.limit <= MOST_RECORDS:
        raise Refusal("bad_value", f"cannot list {query.limit} records: 1 to {MOST_RECORDS} in "
                      "one reply, cdr.export gives any number", value=str(query.limit),
                      accepts=f"1 to {MOST_RECORDS}")  # fmt: skip
    rows = await asyncio.to_thread(node.store.cdr.list, _filter(query), limit=query.limit)
    return CdrList(records=rows)


async def export(
    node: Node, peer: Peer, request: None, path: Path, query: CdrQuery
) -> AsyncIterator[Cdr]:
    if query.limit < 0:
        raise Refusal("bad_value", f"cannot export {query.limit} records: 0 is all of them",
                      value=str(query.limit), accepts="0 or more")  # fmt: skip
    rows = node.store.cdr.iterate(_filter(query))
    wanted = islice(rows, query.limit) if query.limit else rows
    while batch := await asyncio.to_thread(lambda: list(islice(wanted, BATCH))):
        for row in batch:
            yield row


async def show(node: Node, peer: Peer, request: None, path: Path, query: None) -> CdrDetail:
    id_ = path["id"]
    try:
        found = await asyncio.to_thread(node.store.cdr.show, id_)
    except LookupError as error:
        raise Refusal("conflict", str(error), value=id_, accepts="more of the id") from None
    if found is None:
        raise Refusal("not_found", f"cannot find a record {id_!r}: a live call is shown by "
                      f"vosctl call show {id_}", value=id_)  # fmt: skip
    record, stored = found
    return CdrDetail(
        record=record,
        call=None if stored is None else evidence.read(stored),
    )


def _filter(query: CdrQuery) -> CdrFilter:
    return CdrFilter(
        since=query.since,
        until=query.until,
        caller=query.caller,
        callee=query.callee,
        gateway=query.gateway,
        reason=query.reason,
    )


HANDLERS: dict[str, Handler] = {"cdr.list": list_, "cdr.export": export, "cdr.show": show}
