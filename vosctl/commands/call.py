# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl call: live calls, one line each or one in full."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from vosctl.console import Column, Text
from vosctl.figures import (
    JITTER_MS,
    LOSS_PERCENT,
    NOT_RELAYED,
    UNKNOWN,
    clock,
    count,
    graded,
)
from vosctl.session import Context, DryRun, Session, Why, Yes, group, session

if TYPE_CHECKING:
    from vosd.wire.records import CallList, CallView
    from vosd.wire.requests import CallQuery

#: a redraw takes the terminal at most this often
REDRAW_S = 0.25
#: characters of an id on a terminal
SHORT_ID = 8
COLUMNS: list[Column | str] = [
    Column("id", keep=True),
    Column("state", keep=True, optional=5),
    Column("length", right=True, optional=4),
    Column("caller", keep=True),
    Column("callee", keep=True),
    Column("from", keep=True, optional=2),
    Column("to", keep=True, optional=1),
    Column("relay", keep=True, optional=3),
    Column("A loss%", right=True),
    Column("A jit ms", right=True),
    Column("B loss%", right=True),
    Column("B jit ms", right=True),
]

Gateway = Annotated[
    str | None, typer.Option("--gateway", metavar="GW", help="Only calls from or to it.")
]

app = group("Live calls. A is the calling side, B the called; figures are what vosd receives.")


@app.command("list")
def list_(
    ctx: Context,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep showing; in a pipe, all rows each second.")
    ] = False,
    gateway: Gateway = None,
) -> None:
    """Show the live calls with the loss and jitter of both legs."""
    run = session(ctx)
    from vosd.wire.requests import CallQuery

    query = CallQuery(gateway=gateway)
    if watch:
        _watch(run, query)
        return
    reply: CallList = run.client.call("call.list", query=query)
    if not run.show_json(reply):
        run.console.table(COLUMNS, _rows(reply, run.console.tty), empty="no live calls")


@app.command()
def show(
    ctx: Context,
    id_: Annotated[str, typer.Argument(metavar="ID", help="A call's id or the start of it.")],
) -> None:
    """Show one live call: both legs, all four streams side by side."""
    run = session(ctx)
    reply = run.client.call("call.show", path={"id": id_})
    if run.show_json(reply):
        return
    from vosctl.callsheet import call_sheet
    from vosctl.sheet import draw

    draw(run.console, call_sheet(reply.call))


@app.command()
def hangup(
    ctx: Context,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids or starts of them.")],
    why: Why = "",
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """End calls; all are found before the first is ended."""
    run = session(ctx)
    from vosd.wire.requests import CallHangup

    run.agreed(f"hang up {' '.join(ids)}?", yes=yes, dry_run=dry_run)
    request = CallHangup(ids=ids, why=why, dry_run=dry_run)
    reply = run.client.call("call.hangup", request)
    if not run.show_json(reply):
        for id_ in reply.ids:
            run.console.say(f"{'would hang up' if dry_run else 'hung up'} {id_}")


def _watch(run: Session, query: CallQuery) -> None:
    try:
        if run.console.tty and not run.json:
            _redraw(run, query)
        else:
            _lines(run, query)
    except KeyboardInterrupt:
        return


def _lines(run: Session, query: CallQuery) -> None:
    """Each reply as one line of JSON, or as time and worst figures over the rows."""
    for reply in run.client.stream("call.watch", query=query):
        if run.json:
            run.console.emit_line(reply)
            continue
        run.console.say(_summary(reply))
        if reply.calls:
            run.console.table(COLUMNS, _rows(reply, short=False))
        run.console.out.flush()


def _redraw(run: Session, query: CallQuery) -> None:
    last = 0.0
    with run.console.live() as screen:
        for reply in run.client.stream("call.watch", query=query):
            if time.monotonic() - last < REDRAW_S:
                continue
            last = time.monotonic()
            title = f"{_summary(reply)}   Ctrl-C ends"
            screen.table(title, COLUMNS, _rows(reply, short=True))


def _summary(reply: CallList) -> str:
    now = time.strftime("%H:%M:%S")
    streams = [leg.received for call in reply.calls for leg in call.legs if leg.received]
    loss = max((s.loss_percent for s in streams if s.loss_percent is not None), default=None)
    jitter = max((s.jitter_ms for s in streams if s.jitter_ms is not None), default=None)
    shown = len(reply.calls)
    of = f"{shown} of " if shown != reply.total else ""
    parts = [f"{now}  {of}{count(reply.total, 'call')}"]
    if loss is not None:
        parts.append(f"worst loss {loss:.1f} %")
    if jitter is not None:
        parts.append(f"worst jitter {jitter:.1f} ms")
    return ", ".join(parts)


def _rows(reply: CallList, short: bool) -> list[list[Text]]:
    """`short`: only the start of each id, where that tells them apart; vosd takes it as well."""
    starts = {call.id[:SHORT_ID] for call in reply.calls}
    wide = SHORT_ID if short and len(starts) == len(reply.calls) else None
    return [[call.id[:wide], *_row(call)] for call in reply.calls]


def _row(call: CallView) -> list[Text]:
    row: list[Text] = [
        call.state,
        clock(call.duration_s),
        call.caller,
        call.callee,
        call.mapping or UNKNOWN,
        call.routing or UNKNOWN,
        _relay(call),
    ]
    relayed = call.media == "relayed"
    streams = {str(leg.side): leg.received for leg in call.legs if relayed}
    for side in ("a", "b"):
        received = streams.get(side)
        row.append(graded(received.loss_percent if received else None, LOSS_PERCENT))
        row.append(graded(received.jitter_ms if received else None, JITTER_MS))
    return row


def _relay(call: CallView) -> str:
    if call.media == "relayed":
        return call.relay or "relayed"
    return NOT_RELAYED if call.media == "direct" else UNKNOWN
