# SPDX-License-Identifier: GPL-2.0-or-later
"""The command tree as plain rows, read once from typer; every generator works from these."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import typer.main

from vosctl.main import app

CHOICES = re.compile(r"[<\[]([\w-]+(?:\|[\w-]+)+)[>\]]")


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """`names` long first; `metavar` "" for a flag."""

    names: tuple[str, ...]
    metavar: str
    help: str
    choices: tuple[str, ...] = ()
    required: bool = False
    many: bool = False


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    metavar: str
    help: str
    required: bool
    many: bool


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One node: a group when it has `children`, and its path without "vosctl"."""

    path: tuple[str, ...]
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    children: tuple[Command, ...]

    @property
    def summary(self) -> str:
        return self.help.split("\n\n")[0].replace("\n", " ")

    @property
    def line(self) -> str:
        """What is typed to reach it: `vosctl param set`."""
        return " ".join(("vosctl", *self.path))

    def walk(self) -> list[Command]:
        """Itself and everything below, depth first."""
        return [self, *(below for child in self.children for below in child.walk())]

    def leaves(self) -> list[Command]:
        return [command for command in self.walk() if not command.children]


def tree() -> Command:
    """The whole program."""
    root: Any = typer.main.get_command(app)
    return _command(root, (), None)


def _command(command: Any, path: tuple[str, ...], parent: Any) -> Command:
    context = command.context_class(command, info_name=path[-1] if path else "vosctl",
                                    parent=parent)  # fmt: skip
    children: Any = getattr(command, "commands", {})
    params = [param for param in command.get_params(context)
              if not param.hidden and "--help" not in param.opts]  # fmt: skip
    return Command(
        path=path,
        help=(command.help or command.short_help or "").strip(),
        options=tuple(_option(p, context) for p in params if p.param_type_name == "option"),
        arguments=tuple(_argument(p) for p in params if p.param_type_name == "argument"),
        children=tuple(_command(children[name], (*path, name), context) for name in children),
    )


def _option(param: Any, context: Any) -> Option:
    names = sorted((*param.opts, *param.secondary_opts), key=len, reverse=True)
    found = CHOICES.search(param.get_help_record(context)[0])
    choices = tuple(found[1].split("|")) if found else ()
    metavar = param.metavar or ("" if param.is_flag else "VALUE")
    return Option(
        names=tuple(names), metavar="|".join(choices) or metavar, choices=choices,
        help=_help(param), required=param.required, many=param.multiple,
    )  # fmt: skip


def _argument(param: Any) -> Argument:
    metavar = (param.metavar or param.name.upper()).removesuffix("...")
    return Argument(metavar=metavar, help=_help(param), required=param.required,
                    many=param.nargs == -1)  # fmt: skip


def _help(param: Any) -> str:
    """The help text with default and environment, in words of our own: typer's change."""
    text = (param.help or "").strip()
    default = param.default
    if isinstance(default, str | int | float) and not isinstance(default, bool) and default != "":
        text += f" Default: {default:g}." if isinstance(default, float) else f" Default: {default}."
    if param.envvar:
        text += f" Environment: {param.envvar}."
    return text


def synopsis(command: Command) -> list[str]:
    """The words after the command's name, optional ones in brackets."""
    words = []
    for option in command.options:
        word = f"{option.names[0]}{' ' + option.metavar if option.metavar else ''}"
        word = word if option.required else f"[{word}]"
        words.append(f"{word}..." if option.many else word)
    for argument in command.arguments:
        word = argument.metavar if argument.required else f"[{argument.metavar}]"
        words.append(f"{word}..." if argument.many else word)
    return words
