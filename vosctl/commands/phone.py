# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl phone: who may register, and who has."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vosctl.console import Cell, Column, Text
from vosctl.figures import moment
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
from vosd.wire.values import show_duration

if TYPE_CHECKING:
    from vosd.wire.records import PhoneView

#: letters and digits without those that look alike
ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
#: of 57 characters each: 116 bits
GENERATED_LENGTH = 20

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Digits; also its user name.")]
Generate = Annotated[
    bool,
    typer.Option("--generate-password", help="Make a password and print it, this once."),
]

app = group("Phones and their registrations.")


@app.command()
def add(
    ctx: Context,
    number: Number,
    password_file: PasswordFile = None,
    generate_password: Generate = False,
    account: Annotated[
        str, typer.Option("--account", metavar="A", help="Account its calls belong to.")
    ] = "",
    display: Annotated[
        str, typer.Option("--display", metavar="TEXT", help="Name shown to who is called.")
    ] = "",
    why: Why = "",
    dry_run: DryRun = False,
) -> None:
    """Add a phone that may register.

    vosctl phone add 4670001 --generate-password
    """
    run = session(ctx)
    from vosd.wire.requests import PhoneAdd

    password = _password(password_file, generate_password)
    if password is None:
        raise Usage(
            "cannot add a phone without a password: --password-file FILE or --generate-password"
        )
    request = PhoneAdd(
        number=number,
        password=password,
        account=account,
        display=display,
        why=why,
        dry_run=dry_run,
    )
    reply = run.client.call("phone.add", request)
    _say_changed(run, reply, "added", "would add")
    _say_password(run, password if generate_password and not dry_run else None)


@app.command("list")
def list_(ctx: Context) -> None:
    """Show every phone: registration, the address it came from, expiry."""
    run = session(ctx)
    reply = run.client.call("phone.list")
    if run.show_json(reply):
        return
    now = time.time()
    run.console.table(
        [
            Column("number", keep=True),
            "state",
            "address",
            "NAT",
            Column("expires in", right=True),
            Column("calls", right=True),
            "account",
            "user agent",
        ],
        [_row(phone, now) for phone in reply.phones],
        empty="no phone yet: vosctl phone add --help",
    )


@app.command()
def show(ctx: Context, number: Number) -> None:
    """Show one phone."""
    run = session(ctx)
    reply = run.client.call("phone.show", path={"number": number})
    if not run.show_json(reply):
        run.console.facts(_facts(reply.phone))


@app.command("set")
def set_(
    ctx: Context,
    number: Number,
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE...", help="account display enabled=on|off."),
    ] = None,
    password_file: PasswordFile = None,
    generate_password: Generate = False,
    why: Why = "",
    dry_run: DryRun = False,
) -> None:
    """Change fields of a phone, all or none."""
    run = session(ctx)
    from vosd.wire.requests import PhoneSet

    wanted = assignments(values or [])
    password = _password(password_file, generate_password)
    if not wanted and password is None:
        raise Usage("cannot set nothing: KEY=VALUE or a password option is needed")
    request = PhoneSet(values=wanted, password=password, why=why, dry_run=dry_run)
    reply = run.client.call("phone.set", request, path={"number": number})
    _say_changed(run, reply, "changed", "would change")
    _say_password(run, password if generate_password and not dry_run else None)


@app.command()
def remove(
    ctx: Context, number: Number, why: Why = "", dry_run: DryRun = False, yes: Yes = False
) -> None:
    """Forget a phone and its registration."""
    run = session(ctx)
    from vosd.wire.requests import Change

    run.agreed(f"remove phone {number}?", yes=yes, dry_run=dry_run)
    change = Change(why=why, dry_run=dry_run)
    reply = run.client.call("phone.remove", change, path={"number": number})
    _say_changed(run, reply, "removed", "would remove")


def _password(path: Any, generate: bool) -> str | None:
    if path is not None and generate:
        raise Usage("cannot use both --password-file and --generate-password: one is enough")
    if not generate:
        return password_from(path)
    import secrets

    return "".join(secrets.choice(ALPHABET) for _ in range(GENERATED_LENGTH))


def _say_password(run: Session, password: str | None) -> None:
    """On stderr with --json, so that no document ever holds it."""
    if password is None:
        return
    line = f"password  {password}"
    if run.json:
        run.console.note(line)
    else:
        run.console.say(line)
    run.console.note(Cell("only its digest is kept: it is not shown again", "dim"))


def _say_changed(run: Session, reply: Any, done: str, would: str) -> None:
    if run.show_json(reply):
        return
    nothing = not reply.changes and done == "changed"
    said = "nothing changed:" if nothing else would if reply.dry_run else done
    run.console.say(f"{said} phone {reply.phone.number}")
    if done == "changed":
        run.console.facts(
            [(c.name, f"{c.old or '-'} -> {c.new or '-'}") for c in reply.changes], indent=2
        )


def _state(phone: PhoneView) -> Text:
    if not phone.enabled:
        return Cell("disabled", "warn")
    return Cell("registered", "good") if phone.registered else "not registered"


def _row(phone: PhoneView, now: float) -> list[Text]:
    left = phone.expires_at - now if phone.expires_at else None
    return [
        phone.number,
        _state(phone),
        phone.address or "-",
        "-" if not phone.registered else "yes" if phone.nat else "no",
        "-" if left is None else show_duration(max(left, 0)),
        str(phone.calls),
        phone.account or "-",
        phone.user_agent or "-",
    ]


def _facts(phone: PhoneView) -> list[tuple[str, Text]]:
    facts: list[tuple[str, Text]] = [
        ("phone", phone.number),
        ("state", _state(phone)),
        ("password", "set (hidden)" if phone.has_password else "none"),
        ("account", phone.account or "-"),
        ("calls", str(phone.calls)),
    ]
    if phone.registered:
        facts += [
            ("contact", phone.contact),
            ("comes from", phone.address),
            ("behind NAT", "yes" if phone.nat else "no"),
            ("registered", moment(phone.registered_at)),
            ("expires", moment(phone.expires_at)),
            ("user agent", phone.user_agent or "-"),
        ]
    return facts
