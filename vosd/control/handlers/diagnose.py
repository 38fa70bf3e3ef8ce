# SPDX-License-Identifier: GPL-2.0-or-later
"""diagnose.*: the evidence of live and finished calls put before the rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from vosd.control.access import Peer
from vosd.control.handler import Handler, Path, Refusal
from vosd.control.livecalls import gather
from vosd.diagnose import (
    Here,
    bad_calls,
    diagnose_call,
    diagnose_gateway,
    diagnose_session,
    worst_call,
)
from vosd.engine import evidence
from vosd.store.cdr import CdrFilter
from vosd.wire.diagnosis import Diagnosis, RecentCalls, RecentQuery, SessionQuery
from vosd.wire.records import CallView, Cdr
from vosd.wire.requests import DiagnoseQuery

if TYPE_CHECKING:
    from vosd.engine.node import Node

#: how many finished calls --worst and a gateway's diagnosis look back on
LOOK_BACK = 50
#: how many calls of all are looked through for attempts at a gateway that failed
SAVED = 200
#: how many live and how many finished calls are ranked: 0.3 s of a core
RANKED = 500


async def call(
    node: Node, peer: Peer, request: None, path: Path, query: DiagnoseQuery
) -> Diagnosis:
    if (query.id is None) == (query.pick is None):
        raise Refusal("bad_request", "cannot tell which call: one of id and pick is needed",
                      accepts="id=ID, pick=last, pick=worst")  # fmt: skip
    if query.id is not None:
        return diagnose_call(await _named(node, query.id), here=_here(node))
    views = await _views(node, None, 1 if query.pick == "last" else LOOK_BACK)
    if not views:
        raise Refusal("conflict", "cannot find a call: none is live, none left its evidence")
    if query.pick == "last":
        newest = max(views, key=lambda view: view.started_at)
        return diagnose_call(newest, here=_here(node))
    return await asyncio.to_thread(worst_call, views)


async def gateway(node: Node, peer: Peer, request: None, path: Path, query: None) -> Diagnosis:
    name = path["name"]
    if name not in node.configuration.gateways:
        raise Refusal("not_found", f"cannot find gateway {name!r}: none has that name",
                      value=name, accepts="what vosctl gateway list shows")  # fmt: skip
    # its own calls, and those another gateway saved, which are on record under that one
    views = [*await _views(node, None, SAVED), *await _views(node, name, LOOK_BACK)]
    once = list({view.id: view for view in views}.values())
    return await asyncio.to_thread(diagnose_gateway, name, once)


async def session(
    node: Node, peer: Peer, request: None, path: Path, query: SessionQuery
) -> Diagnosis:
    return diagnose_session(await _named(node, query.id), _here(node))


async def recent(
    node: Node, peer: Peer, request: None, path: Path, query: RecentQuery
) -> RecentCalls:
    return await _ranked(node, query, partial(diagnose_call, here=_here(node)))


async def sessions(
    node: Node, peer: Peer, request: None, path: Path, query: RecentQuery
) -> RecentCalls:
    return await _ranked(node, query, partial(diagnose_session, here=_here(node)))


async def _ranked(
    node: Node, query: RecentQuery, judge: Callable[[CallView], Diagnosis]
) -> RecentCalls:
    since = query.since or 0.0
    live = [view for view in await gather(node, None, RANKED) if view.started_at >= since]
    finished = await asyncio.to_thread(_finished, node, CdrFilter(since=query.since), RANKED)
    return RecentCalls(
        calls=await asyncio.to_thread(bad_calls, [*live, *finished], judge),
        finished=len(finished),
        live=len(live),
        limit=RANKED,
    )


def _here(node: Node) -> Here:
    """What the rules want to know of the switch as it is set now."""
    get = node.settings.snapshot.get
    return Here(
        ttl=float(get("SS_SIP_SESSION_TTL")),
        min_se=float(get("SS_SIP_SESSION_MIN_SE")),
        rtp_timeout=float(get("SS_RTP_TIMEOUT")),
        keepalive=str(get("SS_SIP_NAT_KEEP_ALIVE_MESSAGE")),
        keepalive_period=float(get("SS_SIP_NAT_KEEP_ALIVE_PERIOD")),
        unreachable=frozenset(
            number for number, rows in node.configuration.bindings.items()
            if any(map(node.unreachable, rows))
        ),
    )  # fmt: skip


async def _named(node: Node, id_: str) -> CallView:
    """A live call by its id, else the evidence of a finished one."""
    try:
        live = node.calls.view(id_) if id_ else None
        found = None if live else await asyncio.to_thread(node.store.cdr.show, id_)
    except LookupError as error:
        raise Refusal("conflict", str(error), value=id_, accepts="more of the id") from None
    if live is not None:
        return live
    if found is None:
        raise Refusal("not_found", f"cannot find a call {id_!r}: neither live nor on record",
                      value=id_, accepts="an id of vosctl call list or cdr list")  # fmt: skip
    return _view(*found)


async def _views(node: Node, name: str | None, count: int) -> list[CallView]:
    """Live calls, and the latest `count` finished ones, of a gateway or of all."""
    return await gather(node, name) + await asyncio.to_thread(
        _finished, node, CdrFilter(gateway=name), count
    )


def _finished(node: Node, wanted: CdrFilter, count: int) -> list[CallView]:
    views = []
    for record in node.store.cdr.list(wanted, limit=count):
        found = node.store.cdr.show(record.id)
        if found is not None:
            views.append(_view(*found))
    return views


def _view(record: Cdr, stored: bytes | None) -> CallView:
    """The kept evidence, or what the record alone tells when the node was lost."""
    if stored is not None:
        return evidence.read(stored)
    return CallView(
        id=record.id,
        state="ended",
        caller=record.caller,
        callee=record.callee,
        mapping=record.mapping,
        routing=record.routing,
        started_at=record.started_at,
        ringing_at=record.ringing_at,
        answered_at=record.answered_at,
        ended_at=record.ended_at,
        duration_s=record.duration_s,
        end_reason=record.end_reason or None,
        sip_code=record.sip_code or None,
    )


HANDLERS: dict[str, Handler] = {
    "diagnose.call": call,
    "diagnose.gateway": gateway,
    "diagnose.recent": recent,
    "diagnose.session": session,
    "diagnose.sessions": sessions,
}
