# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl phone: who may register, and who has."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from vosctl.console import Cell, Column, Text
from vosctl.figures import moment
from vosctl.problems import Usage
from vosctl.session import (
    Context,
    DryRun,
    Generate,
    PasswordFile,
    Why,
    Yes,
    assignments,
    group,
    password_of,
    say_changed,
    session,
)
from vosd.wire.values import show_duration

if TYPE_CHECKING:
    from vosd.wire.records import PhoneView

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Digits; also its user name.")]
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

    password = password_of(password_file, generate_password)
    if password.text is None:
        raise Usage(
            "cannot add a phone without a password: --password-file FILE or --generate-password"
        )
    request = PhoneAdd(
        number=number, password=password.text, account=account, display=display, why=why,
        dry_run=dry_run,
    )  # fmt: skip
    reply = run.client.call("phone.add", request)
    say_changed(run, f"phone {reply.phone.number}", reply, "add", password)


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
            Column("display", optional=1),
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
    password = password_of(password_file, generate_password)
    if not wanted and password.text is None:
        raise Usage("cannot set nothing: KEY=VALUE or a password option is needed",
                    f"vosctl phone show {number} shows what it has")  # fmt: skip
    request = PhoneSet(values=wanted, password=password.text, why=why, dry_run=dry_run)
    reply = run.client.call("phone.set", request, path={"number": number})
    say_changed(run, f"phone {reply.phone.number}", reply, "change", password)


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
    say_changed(run, f"phone {reply.phone.number}", reply, "remove")


def _state(phone: PhoneView) -> Text:
    if not phone.enabled:
        return Cell("disabled", "warn")
    if not phone.registered:
        return "not registered"
    return Cell("unreachable", "bad") if phone.unreachable else Cell("registered", "good")


def _row(phone: PhoneView, now: float) -> list[Text]:
    left = phone.expires_at - now if phone.expires_at else None
    return [
        phone.number,
        phone.display or "-",
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
        ("display", phone.display or "-"),
        ("state", _state(phone)),
        ("password", "set (hidden)" if phone.has_password else "none"),
        ("account", phone.account or "-"),
        ("calls", str(phone.calls)),
    ]
    if phone.registered:
        facts += [
            ("contact", phone.contact),
            ("comes from", phone.address),
            *[("also from", address) for address in phone.also],
            ("behind NAT", "yes" if phone.nat else "no"),
            ("registered", moment(phone.registered_at)),
            ("expires", moment(phone.expires_at)),
            ("user agent", phone.user_agent or "-"),
        ]
    return facts
