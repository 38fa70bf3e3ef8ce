# SPDX-License-Identifier: GPL-2.0-or-later
"""trace.*: the signalling as it crosses the wire, kept in memory for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from vosd.control.access import Peer
from vosd.control.handler import Handler, Path, Refusal, bad_value, entry, stored
from vosd.engine.recording import Filter, Recording
from vosd.wire.traces import (
    LONGEST_S,
    TraceDetail,
    TraceList,
    TraceMessage,
    TracesStopped,
    TraceStart,
    TraceStop,
    TraceView,
)
from vosd.wire.values import parse_number

if TYPE_CHECKING:
    from vosd.engine.node import Node

#: messages written before SIP gets its turn, about 1 ms
TURN = 50


async def list_(node: Node, peer: Peer, request: None, path: Path, query: None) -> TraceList:
    return TraceList(traces=[trace.view() for trace in node.exchange.traces.kept()])


async def start(
    node: Node, peer: Peer, request: TraceStart, path: Path, query: None
) -> TraceDetail:
    wanted = _filter(node, request)
    seconds = request.for_s
    if seconds is not None and not 1 <= seconds <= LONGEST_S:
        raise Refusal("bad_value", f"cannot trace for {seconds:g} s: 1 s to {LONGEST_S / 3600:g} h "
                      "is accepted", value=f"{seconds:g}", accepts="1s to 2h")  # fmt: skip
    traces = node.exchange.traces
    try:
        planned = traces.plan(wanted, seconds)
    except ValueError as error:
        raise Refusal("conflict", str(error), value=request.call) from None
    if not request.dry_run:
        traces.start(planned)
        shown = " ".join(f"{name}={value}" for name, value in _words(planned.view()))
        audit = entry(peer, "trace.start", planned.id, "", shown or "everything", request.why)
        await stored(node.store.write_audit(audit))
    return TraceDetail(trace=planned.view(), dry_run=request.dry_run)


async def stop(
    node: Node, peer: Peer, request: TraceStop, path: Path, query: None
) -> TracesStopped:
    traces = node.exchange.traces
    chosen = traces.running if request.all else [_chosen(traces.running, node, request.id)]
    if not request.dry_run and chosen:
        for trace in chosen:
            traces.stop(trace)
        ids = " ".join(trace.id for trace in chosen)
        await stored(node.store.write_audit(entry(peer, "trace.stop", ids, "", "", request.why)))
    return TracesStopped(traces=[trace.view() for trace in chosen], dry_run=request.dry_run)


async def show(node: Node, peer: Peer, request: None, path: Path, query: None) -> TraceDetail:
    return TraceDetail(trace=_find(node, path["id"]).view())


async def messages(
    node: Node, peer: Peer, request: None, path: Path, query: None
) -> AsyncIterator[TraceMessage]:
    # a message is taken in after what it led to was begun: the wire's order is by time
    kept = sorted(_find(node, path["id"]).messages, key=lambda seen: seen.at)
    for count, seen in enumerate(kept, 1):
        yield seen.view()
        if count % TURN == 0:
            await asyncio.sleep(0)


def _filter(node: Node, request: TraceStart) -> Filter:
    numbers = {}
    for side in ("caller", "callee"):
        text = getattr(request, side)
        try:
            numbers[side] = parse_number(text) if text else ""
        except ValueError as error:
            raise bad_value(error, text) from None
    if request.gateway and request.gateway not in node.configuration.gateways:
        raise Refusal("not_found", f"cannot find gateway {request.gateway!r}: none has that name",
                      value=request.gateway, accepts="what vosctl gateway list shows")  # fmt: skip
    return Filter(**numbers, gateway=request.gateway, call=request.call)


def _words(view: TraceView) -> list[tuple[str, str]]:
    names = ("caller", "callee", "gateway", "call")
    return [(name, getattr(view, name)) for name in names if getattr(view, name)]


def _chosen(running: list[Recording], node: Node, id_: str | None) -> Recording:
    if id_ is not None:
        return _find(node, id_)
    if len(running) == 1:
        return running[0]
    if not running:
        raise Refusal("not_found", "cannot stop a trace: none runs")
    ids = ", ".join(trace.id for trace in running)
    raise Refusal("bad_request", f"cannot tell which trace to stop: {ids} run; name one, or all",
                  accepts=f"{ids}, all")  # fmt: skip


def _find(node: Node, id_: str) -> Recording:
    trace = node.exchange.traces.get(id_)
    if trace is None:
        raise Refusal("not_found", f"cannot find trace {id_!r}: traces are kept in memory only, "
                      "vosctl trace list shows what is there", value=id_)  # fmt: skip
    return trace


HANDLERS: dict[str, Handler] = {
    "trace.list": list_,
    "trace.start": start,
    "trace.stop": stop,
    "trace.show": show,
    "trace.messages": messages,
}
