# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl diagnose: verdict first, then each cause with its proof and the one change to make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosctl.console import Cell
from vosctl.problems import Usage
from vosctl.session import WRONG, Context, Session, group, session

if TYPE_CHECKING:
    from vosd.wire.records import Diagnosis, Finding

STYLE = {"ok": "good", "info": "", "warning": "warn", "critical": "bad"}

app = group("Why a call or a gateway sounds bad, and what to change. Exit 5: something is wrong.")


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
) -> None:
    """Explain one call: verdict, evidence, cause, the one change, what would disprove it."""
    run = session(ctx)
    from vosd.wire.requests import DiagnoseQuery

    if (id_ is not None) + last + worst != 1:
        raise Usage("cannot tell which call: one of ID, --last, --worst is needed")
    pick: Literal["last", "worst"] | None = "last" if last else "worst" if worst else None
    _show(run, run.client.call("diagnose.call", query=DiagnoseQuery(id=id_, pick=pick)))


@app.command()
def gateway(
    ctx: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The gateway's name.")],
) -> None:
    """Explain what the live and latest calls of a gateway have in common."""
    run = session(ctx)
    _show(run, run.client.call("diagnose.gateway", path={"name": name}))


def _show(run: Session, diagnosis: Diagnosis) -> None:
    if not run.show_json(diagnosis):
        console = run.console
        console.say(Cell(f"verdict  {diagnosis.verdict}", STYLE[diagnosis.severity]))
        console.say(f"about    {diagnosis.subject}, judged by profile {diagnosis.profile}")
        for i, finding in enumerate(diagnosis.findings, 1):
            console.say()
            _show_finding(run, i, finding)
        if diagnosis.call is not None:
            from vosctl.callsheet import show_streams

            console.say()
            show_streams(console, diagnosis.call)
    if diagnosis.severity in ("warning", "critical"):
        raise typer.Exit(WRONG)


def _show_finding(run: Session, i: int, finding: Finding) -> None:
    side = {"a": "leg A", "b": "leg B", "both": "both legs"}.get(finding.side, finding.side)
    head = f"{i}. {finding.title} ({finding.severity}, {finding.confidence}, {side})"
    run.console.say(Cell(head, STYLE[finding.severity]))
    evidence = [("evidence" if n == 0 else "", line) for n, line in enumerate(finding.evidence)]
    rest = [
        ("cause", finding.cause),
        ("change", finding.change),
        ("disproof", finding.disproof),
        ("see", " ".join(finding.rows)),
    ]
    run.console.facts([*evidence, *((name, text) for name, text in rest if text)], indent=3)
