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
from vosctl.figures import UNKNOWN, clock, moment, number
from vosctl.problems import Problem, Usage
from vosctl.session import Context, given, group, session
from vosd.wire.values import parse_time

if TYPE_CHECKING:
    from vosd.wire.records import Cdr
    from vosd.wire.requests import CdrQuery

TIMES = ("started_at", "ringing_at", "answered_at", "ended_at", "alive_at")
#: what a spreadsheet would take for a formula (OWASP CSV injection)
FORMULA = ("=", "+", "-", "@", "\t", "\r")

Since = Annotated[
    str | None,
    typer.Option("--since", metavar="T",
                 help="Began then or later: a time ago (90s 2h 1d) or a date (2026-11-22T14:30)."),
]  # fmt: skip
Until = Annotated[
    str | None, typer.Option("--until", metavar="T", help="Began before then, said likewise.")
]
Caller = Annotated[
    str | None,
    typer.Option("--caller", metavar="NUMBER", help="Calling number; 46* for all that begin so."),
]
Callee = Annotated[
    str | None,
    typer.Option("--callee", metavar="NUMBER", help="Called number; 46* for all that begin so."),
]
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
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=10_000, help="At most N.")
    ] = 50,
) -> None:
    """Show call records, newest first.

    vosctl cdr list --since 2h --callee '46*' --reason busy
    """
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
    id_: Annotated[str, typer.Argument(metavar="ID", help="The record's id or the start of it.")],
) -> None:
    """Show one record with its evidence.

    Both legs and all four streams, as the call left them.
    """
    run = session(ctx)
    reply = run.client.call("cdr.show", path={"id": id_})
    if run.show_json(reply):
        return
    if reply.call is None:
        run.console.facts(_facts(reply.record))
        run.console.say()
        run.console.say("no evidence was kept: legs and streams are not known")
        return
    from vosctl.callsheet import record_sheet
    from vosctl.sheet import draw

    draw(run.console, record_sheet(_facts(reply.record), reply.call))


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
    """Write call records, oldest first.

    Times in UTC as ISO 8601, lengths in seconds.

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
        since=given(parse_time, since, now),
        until=given(parse_time, until, now),
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
        cells = ["" if value is None else str(value) for value in _fields(row).values()]
        if guard:
            cells = [f"'{text}" if text.startswith(FORMULA) else text for text in cells]
        writer.writerow([escape(text) for text in cells] if shown else cells)


def _fields(record: Cdr) -> dict[str, Any]:
    """A record for a file: times as ISO 8601 in UTC, lengths to the millisecond."""
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    fields["duration_s"] = round(record.duration_s, 3)
    for name in TIMES:
        if fields[name] is not None:
            fields[name] = _iso(fields[name])
    return fields


def _iso(at: float) -> str:
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _write_json(file: TextIO, rows: Iterable[Cdr]) -> None:
    """One document with the keys of `cdr list --json`, written a record at a time."""
    import msgspec

    from vosd.wire.records import VERSION

    file.write(f'{{"version":{VERSION},"records":[')
    before = "\n"
    for row in rows:
        file.write(before + msgspec.json.encode(_fields(row)).decode())
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
