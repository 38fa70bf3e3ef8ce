# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl gateway: customers (mapping) and vendors (routing)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosctl.console import Cell, Column, Text
from vosctl.problems import Usage
from vosctl.session import (
    Context,
    DryRun,
    Generate,
    Password,
    PasswordFile,
    Session,
    Why,
    Yes,
    assignments,
    group,
    password_of,
    say_changed,
    session,
)
from vosd.wire.values import MOST_CALLS, MOST_PRIORITY, show_duration

if TYPE_CHECKING:
    from vosd.wire.records import GatewayView, RegistrationView
    from vosd.wire.requests import GatewayChanged

Name = Annotated[str, typer.Argument(metavar="NAME", help="The gateway's name.")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="Free text without spaces.")]
Kind = Annotated[
    Literal["mapping", "routing"],
    typer.Option("--kind", help="mapping: a customer; routing: a vendor."),
]
Address = Annotated[
    list[str] | None,
    typer.Option("--address", metavar="HOST[:PORT][/TRANSPORT]",
                 help="Where it is; again for more. [IPv6]:port; /udp, /tcp or /tls, udp when "
                 "left out; port 5060, 5061 for tls."),
]  # fmt: skip
Auth = Annotated[
    Literal["ip", "ip_port", "password"],
    typer.Option("--auth", help="How a customer is known."),
]
User = Annotated[
    str, typer.Option("--user", metavar="U", help="Digest user; a customer's name by default.")
]
Prefix = Annotated[
    list[str] | None,
    typer.Option("--prefix", metavar="P",
                 help="Called-number prefix a vendor serves; again for more."),
]  # fmt: skip
Priority = Annotated[
    int,
    typer.Option("--priority", metavar="N", min=0, max=MOST_PRIORITY,
                 help="Lower is tried first."),
]  # fmt: skip
Capacity = Annotated[
    int,
    typer.Option("--capacity", metavar="N", min=0, max=MOST_CALLS,
                 help="Concurrent calls; 0: no limit."),
]  # fmt: skip
Account = Annotated[
    str, typer.Option("--account", metavar="A", help="Account its calls belong to.")
]
Register = Annotated[
    bool,
    typer.Option("--register", help="Register with a vendor, as --user with its password."),
]
Registrar = Annotated[
    str,
    typer.Option("--registrar", metavar="HOST[:PORT][/TRANSPORT]",
                 help="Where to register; at the vendor's own address when left out."),
]  # fmt: skip
Domain = Annotated[
    str,
    typer.Option("--domain", metavar="HOST",
                 help="Domain to register for; the registrar's host when left out."),
]  # fmt: skip

app = group("Gateways: mapping (customers, calls come in) and routing (vendors, calls go out).")


@app.command()
def add(
    ctx: Context,
    name: NewName,
    kind: Kind,
    address: Address = None,
    auth: Auth = "ip",
    user: User = "",
    password_file: PasswordFile = None,
    generate_password: Generate = False,
    prefix: Prefix = None,
    priority: Priority = 0,
    capacity: Capacity = 0,
    account: Account = "",
    register: Register = False,
    registrar: Registrar = "",
    domain: Domain = "",
    why: Why = "",
    dry_run: DryRun = False,
) -> None:
    """Add a gateway.

    vosctl gateway add acme --kind mapping --address 203.0.113.9

    vosctl gateway add pbx7 --kind mapping --auth password --generate-password

    vosctl gateway add telia --kind routing --address sip.example.net:5061/tls --prefix 46

    vosctl gateway add itsp --kind routing --address sip.example.org --register --user u7
    --password-file FILE
    """
    run = session(ctx)
    from vosd.wire.requests import GatewayAdd

    password = password_of(password_file, generate_password)
    request = GatewayAdd(
        name=name, kind=kind, addresses=address or [], auth=auth, user=user,
        password=password.text, prefixes=prefix or [], priority=priority, capacity=capacity,
        account=account, register=register, registrar=registrar, domain=domain, why=why,
        dry_run=dry_run,
    )  # fmt: skip
    _say(run, run.client.call("gateway.add", request), "add", password)


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
            help="address auth user prefix priority capacity account register registrar domain; "
            "lists by comma.",
        ),
    ] = None,
    password_file: PasswordFile = None,
    generate_password: Generate = False,
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
    password = password_of(password_file, generate_password)
    if not wanted and password.text is None:
        raise Usage("cannot set nothing: KEY=VALUE or a password option is needed",
                    f"vosctl gateway show {name} shows what it has")  # fmt: skip
    request = GatewaySet(values=wanted, password=password.text, why=why, dry_run=dry_run)
    reply = run.client.call("gateway.set", request, path={"name": name})
    _say(run, reply, "change", password)


@app.command()
def enable(ctx: Context, name: Name, why: Why = "", dry_run: DryRun = False) -> None:
    """Let a gateway take part in calls again."""
    _change(session(ctx), "enable", name, why, dry_run)


@app.command()
def disable(
    ctx: Context, name: Name, why: Why = "", dry_run: DryRun = False, yes: Yes = False
) -> None:
    """Take a gateway out of new calls; its live calls go on."""
    run = session(ctx)
    run.agreed(f"take {name} out of new calls?", yes=yes, dry_run=dry_run)
    _change(run, "disable", name, why, dry_run)


@app.command()
def remove(
    ctx: Context, name: Name, why: Why = "", dry_run: DryRun = False, yes: Yes = False
) -> None:
    """Forget a gateway.

    Its own parameter values go with it; live calls go on, records stay.
    """
    run = session(ctx)
    run.agreed(f"remove gateway {name}?", yes=yes, dry_run=dry_run)
    _change(run, "remove", name, why, dry_run)


@app.command()
def probe(ctx: Context, name: Name) -> None:
    """Send one OPTIONS and show the answer.

    Exit code 1 when nothing usable answers.
    """
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


def _change(run: Session, verb: str, name: str, why: str, dry_run: bool) -> None:
    from vosd.wire.requests import Change

    change = Change(why=why, dry_run=dry_run)
    reply = run.client.call(f"gateway.{verb}", change, path={"name": name})
    _say(run, reply, verb)


def _say(
    run: Session, reply: GatewayChanged, verb: str, password: Password | None = None
) -> None:
    say_changed(run, f"gateway {reply.gateway.name}", reply, verb, password)
    for warning in () if run.json else reply.warnings:
        run.console.note(Cell(f"warning: {warning}", "warn"))


def _state(gateway: GatewayView) -> Text:
    if not gateway.enabled:
        return Cell("disabled", "warn")
    held = gateway.registration
    if held is not None and (held.state != "registered" or gateway.up is None):
        return _registration(held)
    return Cell("up", "good") if gateway.up else _health(gateway)


def _registration(held: RegistrationView) -> Text:
    now = time.time()
    again = f"; again in {show_duration(max(held.again_at - now, 0))}" if held.again_at else ""
    if held.state == "registered" and held.expires_at is not None:
        left = f"registered, for {show_duration(max(held.expires_at - now, 0))} more"
        if not held.reason:
            return Cell(left, "good")
        return Cell(f"{left}; not renewed: {held.reason}{again}", "warn")
    if held.state == "failed":
        return Cell(f"not registered: {held.reason}{again}", "bad")
    return held.state


def _health(gateway: GatewayView) -> Text:
    if gateway.up is None:
        return "not tried since start"
    word, style = ("up", "good") if gateway.up else ("down", "bad")
    return Cell(f"{word}: {gateway.note}", style)


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
        ("enabled", "yes" if gateway.enabled else Cell("no", "warn")),
        ("health", _health(gateway)),
    ]
    held = gateway.registration
    if held is not None:
        at = f" for {held.domain}" if held.domain else ""
        facts += [("registers at", f"{held.registrar}{at}"), ("registration", _registration(held))]
    facts += [(f"own {name}", value) for name, value in sorted(gateway.overrides.items())]
    return facts
