# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl blacklist: the system list, enforced on every path in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosctl.console import Cell, Column, Text
from vosctl.figures import moment
from vosctl.session import Context, DryRun, Session, Why, given, group, session
from vosd.wire.values import parse_duration

if TYPE_CHECKING:
    from vosd.wire.records import BlacklistRow

Numbers = Annotated[list[str], typer.Argument(metavar="NUMBER...", help="Digits, or anonymous.")]
COLUMNS: list[Column | str] = [
    Column("number", keep=True),
    "matches",
    "side",
    "expires",
    "since",
    "by",
    "why",
]

app = group("Numbers blocked on every path in: gateways and phones.")


@app.command()
def add(
    ctx: Context,
    numbers: Numbers,
    prefix: Annotated[
        bool, typer.Option("--prefix", help="Every number that begins with NUMBER.")
    ] = False,
    side: Annotated[
        Literal["caller", "callee", "both"],
        typer.Option("--side", help="Block it as caller, as callee, or both."),
    ] = "both",
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="D", help="For how long: 90s 2h 1d.")
    ] = None,
    why: Why = "",
    dry_run: DryRun = False,
) -> None:
    """Block numbers or prefixes.

    vosctl blacklist add 4687000 --prefix --side callee --expires 1d --why "premium rate fraud"
    """
    run = session(ctx)
    from vosd.wire.requests import BlacklistAdd

    request = BlacklistAdd(
        numbers=numbers,
        prefix=prefix,
        side=side,
        expires_s=given(parse_duration, expires),
        why=why,
        dry_run=dry_run,
    )
    reply = run.client.call("blacklist.add", request)
    if not run.show_json(reply):
        _say(run, "would block" if dry_run else "blocked", reply.added)


@app.command()
def remove(ctx: Context, numbers: Numbers, why: Why = "", dry_run: DryRun = False) -> None:
    """Take numbers or prefixes off the list, on every side.

    vosctl blacklist remove 4687000 --why "the customer vouches for it"
    """
    run = session(ctx)
    from vosd.wire.requests import BlacklistRemove

    request = BlacklistRemove(numbers=numbers, why=why, dry_run=dry_run)
    reply = run.client.call("blacklist.remove", request)
    if not run.show_json(reply):
        _say(run, "would take off the list" if dry_run else "taken off the list", reply.removed)


@app.command("list")
def list_(ctx: Context) -> None:
    """Show the system list."""
    run = session(ctx)
    reply = run.client.call("blacklist.list")
    if not run.show_json(reply):
        rows = [_row(row) for row in reply.rows]
        run.console.table(COLUMNS, rows, empty="the list is empty")


@app.command()
def check(
    ctx: Context,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Digits, or anonymous.")],
    gateway: Annotated[
        str | None,
        typer.Option("--gateway", metavar="GW", help="The mapping gateway it would come in on."),
    ] = None,
) -> None:
    """Would a call from or to NUMBER pass, and which row decides.

    vosctl blacklist check 46870001234
    """
    run = session(ctx)
    from vosd.wire.requests import BlacklistCheckQuery

    query = BlacklistCheckQuery(number=number, gateway=gateway)
    reply = run.client.call("blacklist.check", query=query)
    if run.show_json(reply):
        return
    run.console.facts(
        [
            ("number", reply.number),
            ("as caller", _verdict(reply.as_caller)),
            ("as callee", _verdict(reply.as_callee)),
        ]
    )
    if reply.rows:
        run.console.say()
        run.console.table(COLUMNS, [_row(row) for row in reply.rows])


def _verdict(passes: bool) -> Text:
    return Cell("passes", "good") if passes else Cell("blocked", "bad")


def _say(run: Session, done: str, rows: list[BlacklistRow]) -> None:
    for row in rows:
        what = f"{_matches(row)} {row.number} as {row.side}".replace("as both", "on both sides")
        until = f" until {moment(row.expires_at)}" if row.expires_at else ""
        run.console.say(f"{done}: {what}{until}")


def _matches(row: BlacklistRow) -> str:
    return "prefix" if row.prefix else "number"


def _row(row: BlacklistRow) -> list[Text]:
    return [
        row.number,
        _matches(row),
        row.side,
        moment(row.expires_at) if row.expires_at else "never",
        moment(row.created_at) if row.created_at else "-",
        row.created_by or "-",
        row.why or "-",
    ]
