# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl param: values are checked against the catalogue here before the daemon is asked."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from vosctl.console import Cell, Column, Console, Text
from vosctl.figures import count, moment
from vosctl.problems import Usage
from vosctl.session import WRONG, Context, DryRun, Session, Why, assignments, group, session
from vosd import catalog
from vosd.catalog import presets as known_presets
from vosd.wire import params
from vosd.wire.records import AuditRow, ParamChange, ParamChanged, ParamList, ParamSet, ParamView

app = group("Parameters: values, changes, history, presets, known mistakes.")
preset_app = group("Presets: values that belong together.")
app.add_typer(preset_app, name="preset")

NOT_OBEYED = Cell("not obeyed yet", "dim")
#: -3 is a value, not an option
VALUES = {"ignore_unknown_options": True}

Gateway = Annotated[
    str | None,
    typer.Option("--gateway", metavar="GW", help="For calls of this gateway alone."),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Parameter, in any case.")]


@app.command("list")
def list_(
    ctx: Context,
    pattern: Annotated[
        str | None, typer.Argument(metavar="PATTERN", help="Part of a name, or a glob.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option("--group", metavar="G", help=f"One of {', '.join(catalog.GROUPS)}."),
    ] = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only what differs from its default.")
    ] = False,
) -> None:
    """Show parameters with value, default and when a change takes effect.

    vosctl param list --group qos
    """
    if group is not None and group not in catalog.GROUPS:
        raise Usage(f"cannot find a group {group!r} of parameters",
                    f"accepted: {', '.join(catalog.GROUPS)}")  # fmt: skip
    query = params.ParamQuery(pattern=pattern, group=group, changed=changed)
    _list(session(ctx), query, "no parameter matches")


@app.command()
def show(ctx: Context, name: Name) -> None:
    """Show everything known about one parameter.

    vosctl param show SS_QOS_RTP
    """
    run = session(ctx)
    detail: params.ParamDetail = run.client.call("param.show", path={"name": _known(name)})
    if not run.show_json(detail):
        _show(run.console, detail.parameter)


@app.command("set", context_settings=VALUES)
def set_(
    ctx: Context,
    values: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE...", help="Or: NAME VALUE.")
    ],
    gateway: Gateway = None,
    why: Why = "",
    dry_run: DryRun = False,
) -> None:
    """Set parameters, all or none.

    vosctl param set SS_QOS_RTP=EF SS_QOS_SIGNAL=CS5

    vosctl param set SS_SIP_TIMEOUT_RINGING 60s --gateway vendor1 --why "it lets calls ring"
    """
    wanted = {_known(name): text for name, text in _values(values).items()}
    for name, text in wanted.items():
        _check(name, text, gateway)
    _set(session(ctx), ParamSet(
        values=dict(wanted), gateway=gateway, why=why, dry_run=dry_run))  # fmt: skip


@app.command()
def reset(
    ctx: Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME...")],
    gateway: Gateway = None,
    why: Why = "",
    dry_run: DryRun = False,
) -> None:
    """Return to the default, or with --gateway to the value for all.

    vosctl param reset SS_RTP_TIMEOUT
    """
    values: dict[str, str | None] = {_known(name): None for name in names}
    _set(session(ctx), ParamSet(values=values, gateway=gateway, why=why, dry_run=dry_run))


@app.command()
def diff(ctx: Context, gateway: Gateway = None) -> None:
    """Show what differs from its default.

    With --gateway what it has values of its own for.
    """
    query = params.ParamQuery(changed=True, gateway=gateway)
    every = "every parameter has its default"
    _list(session(ctx), query, f"{gateway} has no value of its own" if gateway else every)


@app.command()
def history(
    ctx: Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=10_000, help="Newest N changes.")
    ] = 50,
) -> None:
    """Show who changed what, when and why.

    NAME@GATEWAY is a gateway's own value.

    vosctl param history SS_RTP_TIMEOUT
    """
    run = session(ctx)
    query = params.HistoryQuery(name=None if name is None else _known(name), limit=limit)
    rows = run.client.call("param.history", query=query)
    if not run.show_json(rows):
        run.console.table(
            ["when", "who", Column("name", keep=True), "old", "new", "why"],
            [
                (moment(row.at), row.user, row.subject, *_old_new(row, row.subject), row.why)
                for row in rows.rows
            ],
            empty="nothing was ever changed",
        )


@app.command()
def lint(ctx: Context) -> None:
    """Look for the known mistakes in this configuration.

    Exit code 5 when there is one. A note is no mistake: it is something only you can verify.
    """
    run = session(ctx)
    report: params.LintReport = run.client.call("param.lint")
    warnings = sum(row.severity == "warning" for row in report.findings)
    if not run.show_json(report):
        for row in report.findings:
            _finding(run.console, row)
        run.console.say(f"{count(len(report.checked), 'rule')}, {count(warnings, 'warning')},"
                        f" {count(len(report.findings) - warnings, 'note')}")  # fmt: skip
    if warnings:
        raise typer.Exit(WRONG)


@preset_app.command("list")
def preset_list(ctx: Context) -> None:
    """Show every preset, and whether its values are in force."""
    run = session(ctx)
    found: params.PresetList = run.client.call("param.preset.list")
    if not run.show_json(found):
        run.console.table(
            ["group", Column("name", keep=True), "in force", "for"],
            [(row.group, row.name, Cell("yes", "good") if row.in_force else "", row.summary)
             for row in found.presets],
        )  # fmt: skip


@preset_app.command("show")
def preset_show(ctx: Context, name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Show a preset's values beside those in force."""
    run = session(ctx)
    detail: params.PresetDetail = run.client.call(
        "param.preset.show", path={"name": _preset(name).name})
    if run.show_json(detail):
        return
    preset = detail.preset
    run.console.say(Cell(f"{preset.group}/{preset.name}: {preset.summary}", "head"))
    run.console.table(
        [Column("name", keep=True), "preset", "now"],
        [(key, _worded(key, text, catalog.ALL[key].kind.unit),
          _now(key, preset.current[key], text))
         for key, text in preset.values.items()],
    )  # fmt: skip


@preset_app.command("apply")
def preset_apply(
    ctx: Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    gateway: Gateway = None,
    why: Why = "",
    dry_run: DryRun = False,
) -> None:
    """Set every value of a preset, all or none.

    vosctl param preset apply internet --why "ADSL customers"
    """
    preset = _preset(name)
    for key, text in preset.values.items():
        _check(key, text, gateway)
    run = session(ctx)
    reply: ParamChanged = run.client.call(
        "param.preset.apply",
        params.PresetApply(gateway=gateway, why=why, dry_run=dry_run),
        path={"name": preset.name},
    )
    _changed(run, reply, list(preset.values))


def _values(words: list[str]) -> dict[str, str]:
    """NAME=VALUE words, or NAME and the words of its value. Raises Usage."""
    if "=" in words[0]:
        return assignments(words)
    if len(words) == 1:
        raise Usage(f"cannot set {words[0]} to nothing: NAME=VALUE or NAME VALUE is accepted",
                    f"the empty value: {words[0]}=")  # fmt: skip
    if len(words) > 2 and any("=" in word for word in words[1:]):
        raise Usage(f"cannot set {words[0]} and others so: NAME=VALUE for each is accepted")
    return {words[0]: " ".join(words[1:])}


def _known(name: str) -> str:
    try:
        return catalog.find(name).name
    except catalog.UnknownName as error:
        raise Usage(str(error)) from None


def _preset(name: str) -> known_presets.Preset:
    try:
        return known_presets.find(name)
    except known_presets.UnknownPreset as error:
        raise Usage(str(error)) from None


def _check(name: str, text: str, gateway: str | None) -> None:
    """Raises Usage for a value the catalogue refuses, or one a gateway may not have."""
    try:
        catalog.parse(name, text)
    except catalog.BadValue as error:
        raise Usage(str(error)) from None
    if gateway is not None and not catalog.ALL[name].overridable:
        raise Usage(f"cannot set {name} for {gateway} alone: it has one value for all",
                    "vosctl param show NAME says where gateways may differ,"
                    " for instance SS_MEDIAPROXYMODE")  # fmt: skip


def _set(run: Session, change: ParamSet) -> None:
    reply: ParamChanged = run.client.call("param.set", change)
    _changed(run, reply, list(change.values))


def _changed(run: Session, reply: ParamChanged, asked: Sequence[str]) -> None:
    """Old, new, effect; what was so already; warnings on stderr."""
    console = run.console
    if not run.show_json(reply):
        if reply.changes:
            console.table(
                [Column("name", keep=True), "old", "new", "takes effect"],
                [_change_row(row) for row in reply.changes],
            )
        same = [name for name in asked if name not in {row.name for row in reply.changes}]
        if same:
            console.say(f"already so: {', '.join(same)}")
        if reply.dry_run:
            console.note("dry run: nothing was changed")
    for warning in reply.warnings:
        for line in _wrapped(f"warning: {warning}"):
            console.note(Cell(line, "warn"))


def _change_row(row: ParamChange) -> tuple[Text, ...]:
    known = catalog.ALL.get(row.name)
    obeyed = known is None or known.obeyed
    subject = row.name if row.gateway is None else f"{row.name}@{row.gateway}"
    return subject, *_old_new(row, subject), row.takes_effect if obeyed else NOT_OBEYED


def _list(run: Session, query: params.ParamQuery, empty: str) -> None:
    found: ParamList = run.client.call("param.list", query=query)
    if run.show_json(found):
        return
    columns = [Column("name", keep=True), Column("value", keep=True), Column("default", keep=True),
               Column("takes effect", keep=True), Column("source", optional=1)]  # fmt: skip
    run.console.table(columns, [row for view in found.parameters for row in _rows(view)],
                      empty=empty)  # fmt: skip


def _rows(view: ParamView) -> Iterator[tuple[Text, ...]]:
    """The value for all, then a row for each gateway that differs."""
    style = "warn" if view.value != view.default else ""
    yield (
        view.name, Cell(_unit(view, view.value), style), _unit(view, view.default),
        view.takes_effect if view.obeyed else NOT_OBEYED,
        view.source,
    )  # fmt: skip
    for gateway, value in view.overrides.items():
        yield f"  @{gateway}", Cell(_unit(view, value), "warn"), "", "", "gateway"


def _show(console: Console, view: ParamView) -> None:
    console.say(Cell(view.name, "head"))
    console.say(view.summary)
    console.say()
    gateways: Text = "one value for all"
    if view.overridable:
        own = ", ".join(f"{name} {_unit(view, value)}" for name, value in view.overrides.items())
        gateways = f"may differ; now: {own or 'none does'}"
    effect: Text = view.takes_effect
    if not view.obeyed:
        effect = Cell("never: nothing in this version obeys it yet", "warn")
    console.facts([
        ("value", Cell(_unit(view, view.value), "head")),
        ("default", _unit(view, view.default)),
        ("accepts", view.accepts),
        ("takes effect", effect),
        ("gateways", gateways),
        ("source", view.source),
        ("presets", ", ".join(view.presets) or "-"),
        ("group", view.group),
    ])  # fmt: skip
    for title, text in (
        ("advice", view.detail), ("corrected", view.corrected), ("manual", view.manual),
        ("rows", " ".join(view.rows)),
    ):  # fmt: skip
        if text:
            console.say()
            console.say(Cell(title, "dim"))
            for line in _wrapped(text, "  "):
                console.say(line)


def _finding(console: Console, row: params.LintRow) -> None:
    style = "warn" if row.severity == "warning" else "dim"
    for line in _wrapped(f"{row.severity} {row.code}: {row.sentence}"):
        console.say(Cell(line, style))
    for text in row.evidence:
        console.say(f"    {text}")
    console.say(f"  change: {row.change}")
    console.say()


def _unit(view: ParamView, value: str) -> str:
    return _worded(view.name, value, view.unit) or '""'


def _old_new(row: AuditRow | ParamChange, subject: str) -> tuple[str, str]:
    """With their units; "" of a gateway: it had, or has, none of its own."""
    name, _, gateway = subject.partition("@")
    unit = catalog.ALL[name].kind.unit if name in catalog.ALL else ""
    none = "value for all" if gateway else '""'
    return _worded(name, row.old, unit) or none, _worded(name, row.new, unit) or none


def _worded(name: str, value: str, unit: str = "") -> str:
    """For people: the number beside a word, the unit beside a number."""
    if value.lstrip("-").isdigit():
        return f"{value} {unit}" if unit else value
    try:
        kind = catalog.ALL[name].kind
        return kind.describe(kind.parse(value)) if value else ""
    except (KeyError, ValueError):
        # a newer daemon may know more than this program
        return value


def _now(name: str, value: str, wanted: str) -> Cell:
    text = _worded(name, value, catalog.ALL[name].kind.unit)
    return Cell(text, "" if value == wanted else "warn")


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, min(_columns(), 100), initial_indent=indent,
                         subsequent_indent=indent or "  ", break_on_hyphens=False)  # fmt: skip


def _columns() -> int:
    return shutil.get_terminal_size((100, 24)).columns
