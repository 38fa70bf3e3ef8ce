# SPDX-License-Identifier: GPL-2.0-or-later
"""What every command gets: the client, the console, and the options all changes share.

A command file holds `app = group(...)`, takes `ctx: Context`, and asks `session(ctx)`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

import typer

from vosctl.console import Console
from vosctl.problems import Usage

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
        help=help,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def password_from(path: Path | None) -> str | None:
    """First line of the file, without its end. Raises Usage."""
    if path is None:
        return None
    try:
        text = sys.stdin.readline() if str(path) == "-" else path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        raise Usage(f"cannot read the password from {path}: {why}") from None
    password = text.split("\n", 1)[0].rstrip("\r")
    if not password:
        raise Usage(f"cannot use {path} as a password: its first line is empty")
    return password


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
