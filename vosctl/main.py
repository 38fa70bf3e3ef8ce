# SPDX-License-Identifier: GPL-2.0-or-later
"""The program: global options, and commands imported only when they are called.

Global options are taken anywhere on the line, so `vosctl call list --json` works as well as
`vosctl --json call list`. Without a command it shows the status.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.main import get_command

from vosctl.console import Console, wants_color
from vosctl.problems import EXIT_CODES, Problem
from vosctl.quick import CommandGroup, quicken
from vosctl.session import Session

if TYPE_CHECKING:
    from vosctl.client import Client

#: command, file under vosctl.commands, and its line in --help
COMMANDS: dict[str, str] = {
    "status": "How the node is: calls, gateways, relay, queue, alarms.",
    "param": "Parameters: list, set, history, presets, lint.",
    "gateway": "Gateways: mapping (customers) and routing (vendors).",
    "phone": "Phones and their registrations.",
    "blacklist": "Numbers blocked on every path in.",
    "call": "Live calls: both legs, figures, hang-up.",
    "cdr": "Call records: list, show, export.",
    "diagnose": "Why a call or a gateway sounds bad or drops, and what to change.",
    "trace": "SIP traces: start, stop, ladder, pcap.",
}
FLAGS = ("--json",)
VALUED = ("--socket", "--color", "--timeout")


class Commands(MutableMapping[str, Any]):
    """Commands by name; a command's file is imported when the command is asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            if name not in COMMANDS:
                raise KeyError(name)
            command: Any = quicken(get_command(import_module(f"vosctl.commands.{name}").app))
            command.name, command.short_help = name, COMMANDS[name]
            self._loaded[name] = command
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class Root(CommandGroup):
    """The top group: lazy commands, global options anywhere, errors as sentences."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        quicken(self)
        self.commands = Commands()

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with ending(ctx):
            return super().parse_args(ctx, hoist(args))

    def invoke(self, ctx: Any) -> Any:
        with ending(ctx):
            return super().invoke(ctx)


@contextmanager
def ending(ctx: Any) -> Iterator[None]:
    """A Problem is told on stderr and ends the program with its exit code."""
    try:
        yield
    except Problem as problem:
        found = ctx.find_object(Session)
        console = found.console if found else Console()
        console.problem(problem.message, problem.advice)
        raise typer.Exit(problem.exit_code) from None


def hoist(args: Sequence[str]) -> list[str]:
    """Global options moved before the command; what follows `--` stays."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in FLAGS or word.startswith(tuple(f"{option}=" for option in VALUED)):
            front.append(word)
        elif word in VALUED:
            front += [word, *islice(words, 1)]
        else:
            rest.append(word)
    return front + rest


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"vosctl {version('vosd')}")
        raise typer.Exit


app = typer.Typer(
    cls=Root,
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Global options may stand anywhere on the line. Exit codes: "
    + ", ".join(f"{code} {text}" for code, text in EXIT_CODES.items())
    + ".",
)


@app.callback()
def root(
    ctx: typer.Context,
    socket: Annotated[
        str | None,
        typer.Option("--socket", metavar="PATH", envvar="VOSCTL_SOCKET", help="Control socket."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Versioned JSON on stdout.")] = False,
    color: Annotated[
        Literal["auto", "always", "never"],
        typer.Option("--color", help="auto: on a terminal, unless NO_COLOR is set."),
    ] = "auto",
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="S", min=0.05, help="Seconds to wait for vosd.")
    ] = 10.0,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Run and understand a vosd softswitch. Without a command: status."""
    shown = wants_color(
        color, os.environ.get("NO_COLOR"), os.environ.get("TERM"), sys.stdout.isatty()
    )

    def connect() -> Client:
        from vosctl.client import Client, default_sockets

        paths = (Path(socket),) if socket else default_sockets()
        return Client(*paths, timeout=timeout)

    ctx.obj = Session(connect, Console(color=shown), json)
    if ctx.invoked_subcommand is None:
        command = Commands()["status"]
        with command.make_context("status", [], parent=ctx) as status:
            command.invoke(status)


def main(args: Sequence[str] | None = None) -> None:
    """Run the program and exit."""
    for stream in (sys.stdout, sys.stderr):
        # a name the terminal's encoding lacks is shown by its code, it ends nothing
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    get_command(app).main(args=args, prog_name="vosctl")
