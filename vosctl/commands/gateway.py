# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl gateway: customers (mapping) and vendors (routing)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vosctl.console import Cell, Column, Text
from vosctl.problems import Usage
from vosctl.session import (
    Context,
    DryRun,
    PasswordFile,
    Session,
    Why,
    Yes,
    assignments,
    group,
    password_from,
    session,
)

if TYPE_CHECKING:
    from vosd.wire.records import GatewayView
    from vosd.wire.requests import FieldChange, GatewayChanged

Name = Annotated[str, typer.Argument(metavar="NAME", help="The gateway's name.")]

app = group("Gateways: mapping (customers, calls come in) and routing (vendors, calls go out).")


@app.command()
def add(
    ctx: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Free text without spaces.")],
    kind: Annotated[
        Literal["mapping", "routing"],
        typer.Option("--kind", help="mapping: a customer; routing: a vendor."),
    ],
    address: Annotated[
        list[str] | None,
        typer.Option(
            "--address",
            metavar="HOST[:PORT][/TRANSPORT]",
            help="Where it is; again for more. [IPv6]:port; udp by default.",
        ),
    ] = None,
    auth: Annotated[
        Literal["ip", "ip_port", "password"],
        typer.Option("--auth", help="How a customer is known."),
    ] = "ip",
    user: Annotated[
        str, typer.Option("--user", metavar="U", help="Digest user; a customer's name by default.")
    ] = "",
    password_file: PasswordFile = None,
    prefix: Annotated[
        list[str] | None,
        typer.Option(
            "--prefix", metavar="P", help="Called-number prefix a vendor serves; again for more."
        ),
    ] = None,
    priority: Annotated[
        int, typer.Option("--priority", metavar="N", min=0, help="Lower is tried first.")
    ] = 0,
    capacity: Annotated[
        int, typer.Option("--capacity", metavar="N", min=0, help="Concurrent calls; 0: no limit.")
    ] = 0,
    account: Annotated[
        str, typer.Option("--account", metavar="A", help="Account its calls belong to.")
    ] = "",
    why: Why = "",
    dry_run: DryRun = False,
) -> None:
    """Add a gateway.

    vosctl gateway add acme --kind mapping --address 203.0.113.9

    vosctl gateway add telia --kind routing --address sip.example.net --prefix 46
    """
    run = session(ctx)
    from vosd.wire.requests import GatewayAdd

    request = GatewayAdd(
        name=name,
        kind=kind,
        addresses=address or [],
        auth=auth,
        user=user,
        password=password_from(password_file),
        prefixes=prefix or [],
        priority=priority,
        capacity=capacity,
        account=account,
        why=why,
        dry_run=dry_run,
    )
    reply: GatewayChanged = run.client.call("gateway.add", request)
    _say_changed(run, reply, "added", "would add")


@app.command("list")
def list_(ctx: Context) -> None:
    """Show every gateway with its live calls and health."""
    run = session(ctx)
    reply = run.client.call("gateway.list")
    if run.show_json(reply):
        return
    run.console.table(
        [
            Column("name", keep=True),
            "kind",
            "address",
            "known by",
            "prefixes",
            Column("priority", right=True),
            Column("calls", right=True),
            Column("capacity", right=True),
            "state",
        ],
        [_row(gateway) for gateway in reply.gateways],
        empty="no gateway yet: vosctl gateway add --help",
    )


@app.command()
def show(ctx: Context, name: Name) -> None:
    """Show one gateway."""
    run = session(ctx)
    reply = run.client.call("gateway.show", path={"name": name})
    if not run.show_json(reply):
        run.console.facts(_facts(reply.gateway))


@app.command("set")
def set_(
    ctx: Context,
    name: Name,
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE...",
            help="address auth user prefix priority capacity account; lists by comma.",
        ),
    ] = None,
    password_file: PasswordFile = None,
    why: Why = "",
    dry_run: DryRun = False,
) -> None:
    """Change fields of a gateway, all or none.

    vosctl gateway set telia capacity=200 prefix=46,47

    A gateway's own value of a parameter: vosctl param set NAME=VALUE --gateway GW
    """
    run = session(ctx)
    from vosd.wire.requests import GatewaySet

    wanted = assignments(values or [])
    if "password-file" in wanted:
        password_file = Path(wanted.pop("password-file"))
    if not wanted and password_file is None:
        raise Usage("cannot set nothing: KEY=VALUE or --password-file FILE is needed")
    request = GatewaySet(
        values=wanted, password=password_from(password_file), why=why, dry_run=dry_run
    )
    reply = run.client.call("gateway.set", request, path={"name": name})
    _say_changed(run, reply, "changed", "would change")


@app.command()
def enable(ctx: Context, name: Name, why: Why = "", dry_run: DryRun = False) -> None:
    """Let a gateway take part in calls again."""
    _change(session(ctx), "gateway.enable", name, why, dry_run, ("enabled", "would enable"))


@app.command()
def disable(
    ctx: Context, name: Name, why: Why = "", dry_run: DryRun = False, yes: Yes = False
) -> None:
    """Take a gateway out of new calls; its live calls go on."""
    run = session(ctx)
    run.agreed(f"take {name} out of new calls?", yes=yes, dry_run=dry_run)
    _change(run, "gateway.disable", name, why, dry_run, ("disabled", "would disable"))


@app.command()
def remove(
    ctx: Context, name: Name, why: Why = "", dry_run: DryRun = False, yes: Yes = False
) -> None:
    """Forget a gateway and its overrides; live calls go on, records stay."""
    run = session(ctx)
    run.agreed(f"remove gateway {name}?", yes=yes, dry_run=dry_run)
    _change(run, "gateway.remove", name, why, dry_run, ("removed", "would remove"))


@app.command()
def probe(ctx: Context, name: Name) -> None:
    """Send one OPTIONS and show what answers; exit 1 when nothing usable does."""
    run = session(ctx)
    reply = run.client.call("gateway.probe", path={"name": name})
    if not run.show_json(reply):
        state = Cell("up", "good") if reply.up else Cell("down", "bad")
        run.console.facts(
            [
                ("gateway", reply.name),
                ("state", state),
                ("answer", reply.answer),
                ("took", f"{reply.took_ms:.1f} ms"),
            ]
        )
    if not reply.up:
        raise typer.Exit(1)


def _change(
    run: Session, verb: str, name: str, why: str, dry_run: bool, said: tuple[str, str]
) -> None:
    from vosd.wire.requests import Change

    reply = run.client.call(verb, Change(why=why, dry_run=dry_run), path={"name": name})
    _say_changed(run, reply, *said)


def _say_changed(run: Session, reply: Any, done: str, would: str) -> None:
    if run.show_json(reply):
        return
    console = run.console
    nothing = not reply.changes and done in ("changed", "enabled", "disabled")
    said = "nothing changed:" if nothing else would if reply.dry_run else done
    console.say(f"{said} gateway {reply.gateway.name}")
    console.facts(
        [
            (change.name, change.new if done == "added" else _step(change))
            for change in reply.changes
        ],
        indent=2,
    )
    for warning in reply.warnings:
        console.note(Cell(f"warning: {warning}", "warn"))


def _step(change: FieldChange) -> str:
    return f"{change.old or '-'} -> {change.new or '-'}"


def _state(gateway: GatewayView) -> Text:
    if not gateway.enabled:
        return Cell("disabled", "warn")
    if gateway.up is None:
        return "not tried yet"
    return Cell("up", "good") if gateway.up else Cell(f"down: {gateway.note}", "bad")


def _row(gateway: GatewayView) -> list[Text]:
    mapping = gateway.kind == "mapping"
    return [
        gateway.name,
        gateway.kind,
        " ".join(gateway.addresses),
        gateway.auth if mapping else "",
        "" if mapping else " ".join(gateway.prefixes) or "every number",
        "" if mapping else str(gateway.priority),
        str(gateway.calls),
        str(gateway.capacity) if gateway.capacity else "no limit",
        _state(gateway),
    ]


def _facts(gateway: GatewayView) -> list[tuple[str, Text]]:
    mapping = gateway.kind == "mapping"
    limit = f" of {gateway.capacity}" if gateway.capacity else ", no limit"
    facts: list[tuple[str, Text]] = [
        ("gateway", gateway.name),
        ("kind", f"{gateway.kind} ({'customer' if mapping else 'vendor'})"),
        ("address", " ".join(gateway.addresses)),
    ]
    if mapping:
        facts.append(("known by", gateway.auth))
    else:
        facts.append(("prefixes", " ".join(gateway.prefixes) or "every number"))
        facts.append(("priority", str(gateway.priority)))
    facts += [
        ("user", gateway.user or "-"),
        ("password", "set (hidden)" if gateway.has_password else "none"),
        ("account", gateway.account or "-"),
        ("calls", f"{gateway.calls}{limit}"),
        ("state", _state(gateway)),
        ("last seen", gateway.note or "-"),
    ]
    facts += [(f"own {name}", value) for name, value in sorted(gateway.overrides.items())]
    return facts
