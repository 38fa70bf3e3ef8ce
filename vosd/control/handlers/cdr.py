# SPDX-License-Identifier: GPL-2.0-or-later
"""cdr.*: call records, read off the SIP loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

from vosd.control.access import Peer
from vosd.control.gateways import find_gateway
from vosd.control.handler import Handler, Path, Refusal, bad_value
from vosd.engine import evidence
from vosd.store.cdr import CdrFilter
from vosd.switch.reasons import REASONS
from vosd.wire.records import Cdr, CdrDetail, CdrList
from vosd.wire.requests import CdrQuery
from vosd.wire.values import parse_pattern

if TYPE_CHECKING:
    from vosd.engine.node import Node

#: in one reply; an export streams any number
MOST_RECORDS = 10_000
#: records read in one turn of the reading thread
BATCH = 500


async def list_(node: Node, peer: Peer, request: None, path: Path, query: CdrQuery) -> CdrList:
    if not 1 <= query.limit <= MOST_RECORDS:
        accepts = f"1 to {MOST_RECORDS}"
        raise Refusal("bad_value", f"cannot list {query.limit} records: {accepts} is accepted, "
                      "cdr export gives any number", value=str(query.limit),
                      accepts=accepts)  # fmt: skip
    wanted = await _filter(node, query)
    rows = await asyncio.to_thread(node.store.cdr.list, wanted, limit=query.limit)
    return CdrList(records=rows)


async def export(
    node: Node, peer: Peer, request: None, path: Path, query: CdrQuery
) -> AsyncIterator[Cdr]:
    if query.limit < 0:
        raise Refusal("bad_value", f"cannot export {query.limit} records: 0, which is all, or "
                      "more is accepted", value=str(query.limit))  # fmt: skip
    rows = node.store.cdr.iterate(await _filter(node, query))
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


async def _filter(node: Node, query: CdrQuery) -> CdrFilter:
    """The filter of a query whose every word means something. Raises Refusal."""
    if query.since is not None and query.until is not None and query.since >= query.until:
        raise Refusal("bad_value", f"cannot look from {_date(query.since)} until "
                      f"{_date(query.until)}: since before until is accepted",
                      value=f"{query.since:.0f}")  # fmt: skip
    if query.reason is not None and query.reason not in REASONS:
        raise _unknown_reason(query.reason)
    if query.gateway is not None and not await _in_use(node, query.gateway):
        find_gateway(node.configuration, query.gateway)
    return CdrFilter(
        since=query.since,
        until=query.until,
        caller=_number(query.caller),
        callee=_number(query.callee),
        gateway=query.gateway,
        reason=query.reason,
    )


async def _in_use(node: Node, party: str) -> bool:
    """Whether a phone or a record has that name: records outlive their gateway."""
    if party in node.configuration.gateways or party in node.configuration.phones:
        return True
    return bool(await asyncio.to_thread(node.store.cdr.list, CdrFilter(gateway=party), limit=1))


def _date(at: float) -> str:
    """ISO 8601 in UTC; what no calendar holds as seconds."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return f"{at:g} s"


def _number(text: str | None) -> str | None:
    try:
        return None if text is None else parse_pattern(text)
    except ValueError as error:
        raise bad_value(error, str(text)) from None


def _unknown_reason(name: str) -> Refusal:
    near = get_close_matches(name, REASONS, n=3)
    accepts = " or ".join(near) or ", ".join(REASONS)
    hint = f"did you mean {accepts}?" if near else f"{accepts} are accepted"
    return Refusal("bad_value", f"cannot use {name!r} as an end reason: {hint}", value=name,
                   accepts=accepts)  # fmt: skip


HANDLERS: dict[str, Handler] = {"cdr.list": list_, "cdr.export": export, "cdr.show": show}
