# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl diagnose: verdict first, then each cause with its proof and the one change to make."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosctl.console import Cell, Column, Text
from vosctl.figures import UNKNOWN, count, moment
from vosctl.problems import Usage
from vosctl.session import WRONG, Context, Session, given, group, session
from vosctl.sheet import BLANK, Facts, Line, Sheet, Table, draw
from vosd.wire.values import parse_time

if TYPE_CHECKING:
    from vosd.wire.diagnosis import BadCall, Diagnosis, Finding, RecentCalls

STYLE = {"ok": "good", "info": "", "warning": "warn", "critical": "bad"}
SIDES = {"a": "leg A", "b": "leg B", "both": "both legs"}

Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write it as one HTML page as well."),
]

Since = Annotated[
    str | None, typer.Option("--since", metavar="T", help="A time ago (2h) or a date.")
]

app = group(
    "Why a call or a gateway sounds bad or drops, and what to change. Exit 5: something is wrong."
)


@app.command()
def call(
    ctx: Context,
    id_: Annotated[
        str | None, typer.Argument(metavar="ID", help="A live call or a record.")
    ] = None,
    last: Annotated[bool, typer.Option("--last", help="The call that began last.")] = False,
    worst: Annotated[
        bool, typer.Option("--worst", help="The worst of the live and latest calls.")
    ] = False,
    html: Html = None,
) -> None:
    """Explain one call: verdict, evidence, cause, the one change, what would disprove it."""
    run = session(ctx)
    from vosd.wire.requests import DiagnoseQuery

    if (id_ is not None) + last + worst != 1:
        raise Usage("cannot tell which call: one of ID, --last, --worst is needed")
    pick: Literal["last", "worst"] | None = "last" if last else "worst" if worst else None
    _show(run, run.client.call("diagnose.call", query=DiagnoseQuery(id=id_, pick=pick)), html)


@app.command()
def gateway(
    ctx: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The gateway's name.")],
    html: Html = None,
) -> None:
    """Explain what the live and latest calls of a gateway have in common."""
    run = session(ctx)
    _show(run, run.client.call("diagnose.gateway", path={"name": name}), html)


@app.command("session")
def session_(
    ctx: Context,
    id_: Annotated[
        str, typer.Argument(metavar="ID", help="A live call or a record; recent for all of them.")
    ],
    since: Since = None,
    html: Html = None,
) -> None:
    """Explain why a call dropped or will: lost ACK, RTP time-out, session timers, NAT.

    vosctl diagnose session recent ranks the live and latest calls by it; --since is for that.
    """
    run = session(ctx)
    from vosd.wire.diagnosis import SessionQuery

    if id_ == "recent":
        _rank(run, "diagnose.sessions", since, html)
        return
    if since is not None:
        raise Usage("cannot use --since with one call: it is for vosctl diagnose session recent")
    _show(run, run.client.call("diagnose.session", query=SessionQuery(id=id_)), html)


@app.command()
def recent(ctx: Context, since: Since = None, html: Html = None) -> None:
    """Rank the bad ones among the live and latest calls, the worst first."""
    _rank(session(ctx), "diagnose.recent", since, html)


def _rank(run: Session, verb: str, since: str | None, html: Path | None) -> None:
    from vosd.wire.diagnosis import RecentQuery

    begin = given(parse_time, since, time.time())
    reply: RecentCalls = run.client.call(verb, query=RecentQuery(since=begin))
    command = "session" if verb == "diagnose.sessions" else "call"
    if not run.show_json(reply):
        draw(run.console, _ranking(reply, command, run.console.tty))
    _write(run, html, f"recent {command}s", _ranking(reply, command, short=False))
    if reply.calls:
        raise typer.Exit(WRONG)


def _show(run: Session, diagnosis: Diagnosis, html: Path | None) -> None:
    sheet = _report(diagnosis)
    if not run.show_json(diagnosis):
        draw(run.console, sheet)
    _write(run, html, diagnosis.subject, sheet)
    if diagnosis.severity in ("warning", "critical"):
        raise typer.Exit(WRONG)


def _write(run: Session, path: Path | None, subject: str, sheet: Sheet) -> None:
    if path is None:
        return
    from vosctl.page import write

    made = Line(Cell(f"made {moment(time.time())}", "dim"))
    write(path, f"Diagnosis of {subject}", [*sheet, made])
    run.console.note(f"written to {path}")


def _report(diagnosis: Diagnosis) -> Sheet:
    head: list[tuple[str, Text]] = [
        ("verdict", Cell(diagnosis.verdict, STYLE[diagnosis.severity])),
        ("about", _about(diagnosis)),
    ]
    if diagnosis.call is not None:
        from vosctl.callsheet import parties

        head.append(("parties", parties(diagnosis.call)))
    sheet: Sheet = [Facts(head)]
    for i, finding in enumerate(diagnosis.findings, 1):
        sheet += [BLANK, *_finding(i, finding)]
    if diagnosis.call is not None:
        from vosctl.callsheet import streams_sheet, timers_sheet

        # a session is judged by no profile of bands
        more = streams_sheet if diagnosis.profile else timers_sheet
        sheet += [BLANK, *more(diagnosis.call)]
    return sheet


def _about(diagnosis: Diagnosis) -> str:
    if diagnosis.profile:
        return f"{diagnosis.subject}, judged by profile {diagnosis.profile}"
    return diagnosis.subject


def _finding(i: int, finding: Finding) -> Sheet:
    side = SIDES.get(finding.side, finding.side)
    head = f"{i}. {finding.title} ({finding.severity}, {finding.confidence}, {side})"
    evidence = [("evidence" if n == 0 else "", line) for n, line in enumerate(finding.evidence)]
    rest = [
        ("cause", finding.cause),
        ("change", finding.change),
        ("disproof", finding.disproof),
        ("see", " ".join(finding.rows)),
    ]
    facts = [*evidence, *((name, text) for name, text in rest if text)]
    return [Line(Cell(head, STYLE[finding.severity]), head=True), Facts(facts, indent=3)]


def _ranking(reply: RecentCalls, command: str, short: bool) -> Sheet:
    looked = f"{count(reply.live, 'live call')} and {count(reply.finished, 'finished one')}"
    said = f"{count(len(reply.calls), 'bad call')} among {looked} (at most {reply.limit} of each)"
    if not reply.calls:
        return [Line(Cell(said.replace("0 bad calls", "no bad call"), "good"))]
    columns: list[Column | str] = [
        Column("id", keep=True),
        Column("started", keep=True, optional=2),
        Column("caller", keep=True),
        Column("callee", keep=True),
        Column("whose side", keep=True, optional=1),
        "verdict",
    ]
    table = Table(columns, [_row(call, 8 if short else None) for call in reply.calls])
    more = f"vosctl diagnose {command} ID explains one of them."
    return [Line(said), table, Line(Cell(more, "dim"))]


def _row(call: BadCall, wide: int | None) -> list[Text]:
    party = {"a": call.mapping, "b": call.routing}.get(call.side, "")
    side = SIDES.get(call.side, call.side)
    return [
        call.id[:wide],
        "live" if call.live else moment(call.started_at),
        call.caller or UNKNOWN,
        call.callee or UNKNOWN,
        f"{side} ({party})" if party else side,
        Cell(call.verdict, STYLE[call.severity]),
    ]
