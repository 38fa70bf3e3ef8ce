# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl cdr: call records on the screen and in files."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO

import typer

from vosctl.console import Column, Console, Text, escape
from vosctl.figures import UNKNOWN, clock, moment, number, parse_moment
from vosctl.problems import Problem, Usage
from vosctl.session import Context, group, session

if TYPE_CHECKING:
    from vosd.wire.records import Cdr
    from vosd.wire.requests import CdrQuery

TIMES = ("started_at", "ringing_at", "answered_at", "ended_at", "alive_at")
#: what a spreadsheet would take for a formula (OWASP CSV injection)
FORMULA = ("=", "+", "-", "@", "\t", "\r")

Since = Annotated[
    str | None, typer.Option("--since", metavar="T", help="A time ago (2h) or a date.")
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="T", help="A time ago (2h) or a date.")
]
Caller = Annotated[str | None, typer.Option("--caller", metavar="NUMBER", help="Calling number.")]
Callee = Annotated[str | None, typer.Option("--callee", metavar="NUMBER", help="Called number.")]
Gateway = Annotated[
    str | None, typer.Option("--gateway", metavar="GW", help="Came from it or went to it.")
]
Reason = Annotated[
    str | None, typer.Option("--reason", metavar="R", help="End reason, such as busy.")
]

app = group("Call records.")


@app.command("list")
def list_(
    ctx: Context,
    since: Since = None,
    until: Until = None,
    caller: Caller = None,
    callee: Callee = None,
    gateway: Gateway = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most N.")] = 50,
) -> None:
    """Show call records, newest first."""
    run = session(ctx)
    query = _query(since, until, caller, callee, gateway, reason, limit)
    reply = run.client.call("cdr.list", query=query)
    if run.show_json(reply):
        return
    run.console.table(
        [
            Column("id", keep=True),
            "started",
            "caller",
            "callee",
            "from",
            "to",
            Column("length", right=True),
            "end reason",
            "by",
            Column("SIP", right=True),
        ],
        [_row(record) for record in reply.records],
        empty="no records",
    )


@app.command()
def show(
    ctx: Context,
    id_: Annotated[str, typer.Argument(metavar="ID", help="The record's id.")],
) -> None:
    """Show one record with the evidence kept with it."""
    run = session(ctx)
    reply = run.client.call("cdr.show", path={"id": id_})
    if run.show_json(reply):
        return
    run.console.facts(_facts(reply.record))
    if reply.call is None:
        run.console.say()
        run.console.say("no evidence was kept: legs and streams are not known")
        return
    from vosctl.callsheet import show_call

    run.console.say()
    show_call(run.console, reply.call)


@app.command()
def export(
    ctx: Context,
    format: Annotated[Literal["csv", "json"], typer.Option("--format", help="Of the file.")],
    since: Since = None,
    until: Until = None,
    caller: Caller = None,
    callee: Callee = None,
    gateway: Gateway = None,
    reason: Reason = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, help="At most N; 0: all.")
    ] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Instead of stdout.")
    ] = None,
    spreadsheet: Annotated[
        bool,
        typer.Option("--spreadsheet", help="CSV: put ' before cells a spreadsheet would compute."),
    ] = False,
) -> None:
    """Write call records, oldest first; times in UTC as ISO 8601.

    vosctl cdr export --format csv --since 1d -o today.csv
    """
    run = session(ctx)
    if spreadsheet and format != "csv":
        raise Usage("cannot use --spreadsheet with --format json: it is for csv")
    query = _query(since, until, caller, callee, gateway, reason, limit)
    rows = run.client.stream("cdr.export", query=query)
    with _target(run.console, output) as file:
        if format == "json":
            _write_json(file, rows)
        else:
            _write_csv(file, rows, guard=spreadsheet, shown=file.isatty())


def _query(
    since: str | None,
    until: str | None,
    caller: str | None,
    callee: str | None,
    gateway: str | None,
    reason: str | None,
    limit: int,
) -> CdrQuery:
    from vosd.wire.requests import CdrQuery

    now = time.time()
    return CdrQuery(
        since=None if since is None else parse_moment(since, now),
        until=None if until is None else parse_moment(until, now),
        caller=caller,
        callee=callee,
        gateway=gateway,
        reason=reason,
        limit=limit,
    )


@contextmanager
def _target(console: Console, path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield console.out
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise Problem(f"cannot write {path}: {error.strerror or error}") from None


def _write_csv(file: TextIO, rows: Iterable[Cdr], *, guard: bool, shown: bool) -> None:
    import csv

    from vosd.wire.records import Cdr

    writer = csv.writer(file, lineterminator="\n")
    fields = Cdr.__struct_fields__
    writer.writerow(fields)
    for row in rows:
        cells = [_cell(name, getattr(row, name)) for name in fields]
        if guard:
            cells = [f"'{text}" if text.startswith(FORMULA) else text for text in cells]
        writer.writerow([escape(text) for text in cells] if shown else cells)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in TIMES:
        at = datetime.fromtimestamp(value, UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)


def _write_json(file: TextIO, rows: Iterable[Cdr]) -> None:
    """One document as `cdr list --json` prints it, written a record at a time."""
    import msgspec

    from vosd.wire.records import VERSION

    file.write(f'{{"version":{VERSION},"records":[')
    before = "\n"
    for row in rows:
        file.write(before + msgspec.json.encode(row).decode())
        before = ",\n"
    file.write("\n]}\n")


def _row(record: Cdr) -> list[Text]:
    return [
        record.id,
        moment(record.started_at),
        record.caller,
        record.callee,
        record.mapping or UNKNOWN,
        record.routing or UNKNOWN,
        clock(record.duration_s),
        record.end_reason or record.state,
        record.ended_by or UNKNOWN,
        str(record.sip_code) if record.sip_code else UNKNOWN,
    ]


def _facts(record: Cdr) -> list[tuple[str, Text]]:
    return [
        ("record", record.id),
        ("node", record.node),
        ("state", record.state),
        ("caller", record.caller),
        ("callee", record.callee),
        ("from, to", f"{record.mapping or UNKNOWN} to {record.routing or UNKNOWN}"),
        ("started", moment(record.started_at)),
        ("ringing", moment(record.ringing_at)),
        ("answered", moment(record.answered_at)),
        ("ended", moment(record.ended_at)),
        ("answered for", f"{record.duration_s:.3f} s"),
        ("end reason", record.end_reason or UNKNOWN),
        ("ended by", record.ended_by or UNKNOWN),
        ("SIP, Q.850", f"{number(record.sip_code)}, {number(record.q850)}"),
    ]
