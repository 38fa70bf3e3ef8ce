# SPDX-License-Identifier: GPL-2.0-or-later
"""What every command gets: the client, the console, and the options all changes share.

A command file holds `app = group(...)`, takes `ctx: Context`, and asks `session(ctx)`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias, TypeVar, cast

import typer

from vosctl.console import Cell, Console
from vosctl.problems import Usage
from vosctl.quick import CommandGroup

if TYPE_CHECKING:
    from vosctl.client import Client

Context: TypeAlias = typer.Context

#: exit code of a check that found something wrong
WRONG = 5

Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why, kept in the audit.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="Password in its first line; - is stdin."),
]
Generate = Annotated[
    bool,
    typer.Option("--generate-password", help="Make a password and print it, this once."),
]

#: letters and digits without those that look alike
ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
#: of 57 characters each: 116 bits
GENERATED_LENGTH = 20
T = TypeVar("T")


class Session:
    """One run of the program; the client's libraries are loaded when it is first used."""

    def __init__(self, connect: Callable[[], Client], console: Console, json: bool) -> None:
        self._connect = connect
        self.console = console
        self.json = json

    @cached_property
    def client(self) -> Client:
        return self._connect()

    def show_json(self, reply: Any) -> bool:
        """Print the reply as JSON when --json asked for it, and say whether."""
        if self.json:
            self.console.emit_json(reply)
        return self.json

    def agreed(self, question: str, *, yes: bool, dry_run: bool = False) -> None:
        """Go on only when the operator agrees; a program must say --yes."""
        if yes or dry_run:
            return
        if not sys.stdin.isatty():
            raise Usage(f"cannot ask ({question}): stdin is no terminal", "add --yes")
        if not self.console.confirm(question):
            self.console.note("nothing changed")
            raise typer.Exit(1)


def session(ctx: Context) -> Session:
    return cast("Session", ctx.find_object(Session))


def group(help: str) -> typer.Typer:
    """The typer application of one command file, plain and quick to start."""
    return typer.Typer(
        cls=CommandGroup,
        help=help,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


class Password(NamedTuple):
    """A password that was given (`shown` False), or made here and shown once; None: neither."""

    text: str | None = None
    shown: bool = False


def password_of(path: Path | None, generate: bool) -> Password:
    """What --password-file and --generate-password ask for. Raises Usage."""
    if path is not None and generate:
        raise Usage("cannot use both --password-file and --generate-password: one is enough")
    if not generate:
        return Password(None if path is None else _first_line(path))
    import secrets

    return Password("".join(secrets.choice(ALPHABET) for _ in range(GENERATED_LENGTH)), True)


def _first_line(path: Path) -> str:
    try:
        text = sys.stdin.readline() if str(path) == "-" else path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        raise Usage(f"cannot read the password from {path}: {why}") from None
    password = text.split("\n", 1)[0].rstrip("\r")
    if not password:
        raise Usage(f"cannot use {path} as a password: its first line is empty")
    return password


def say_changed(
    run: Session, what: str, reply: Any, verb: str, password: Password | None = None
) -> None:
    """What became of `what`, old and new of its fields, and a password made for it."""
    made = password.text if password and password.shown and not reply.dry_run else None
    if run.json:
        run.console.emit_json(reply, {"password": made} if made else {})
        return
    done = f"{verb}d" if verb.endswith("e") else f"{verb}ed"
    same = not reply.changes and verb not in ("add", "remove")
    run.console.say(f"{'nothing changed:' if same else f'would {verb}' if reply.dry_run else done}"
                    f" {what}")  # fmt: skip
    run.console.facts(
        [(row.name, row.new if verb == "add" else f"{row.old or '-'} -> {row.new or '-'}")
         for row in reply.changes], indent=2,
    )  # fmt: skip
    if made:
        run.console.say(f"password  {made}")
        run.console.note(Cell("only its digest is kept: it is not shown again", "dim"))


def given(parse: Callable[..., T], text: str | None, *more: Any) -> T | None:
    """What an option's text stands for, None when it was not given. Raises Usage."""
    try:
        return None if text is None else parse(text, *more)
    except ValueError as error:
        raise Usage(str(error)) from None


def assignments(words: list[str]) -> dict[str, str]:
    """KEY=VALUE words as a dict. Raises Usage."""
    values: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key or not equals:
            raise Usage(f"cannot read {word!r}: KEY=VALUE is accepted")
        if key in values:
            raise Usage(f"cannot set {key} twice in one command")
        values[key] = value
    return values
