# SPDX-License-Identifier: GPL-2.0-or-later
"""What may stand at each place of a command line: the table the three completions are made from.

Command names, options, parameters, presets and groups are written into the scripts. Names that
only the daemon knows are asked for when they are wanted, with a short time-out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from vosctl.emit.tree import Argument, Command, Option
from vosd import catalog
from vosd.catalog import presets
from vosd.catalog.kinds import DSCP, Dscp, Duration, Integer, Kind, Pick, Switch, Word
from vosd.switch.reasons import REASONS
from vosd.wire.requests import GATEWAY_KEYS, PHONE_KEYS

#: prints names the daemon knows; those a shell could take for more than a word are left out
LIVE_COMMAND = (
    "vosctl --timeout 0.3 @WHAT@ list 2>/dev/null"
    " | awk 'NR > 1 && $1 ~ /^[A-Za-z0-9._+-]+$/ { print $1 }'"
)


class Source(msgspec.Struct, frozen=True):
    """`words`: these; `files`; `live`: the first column of `vosctl WORD list`;
    `assign`: `word=` and then what `VALUES` holds for it; `none`: free text."""

    kind: Literal["words", "files", "live", "assign", "none"]
    words: tuple[str, ...] = ()


class Slot(msgspec.Struct, frozen=True):
    """A place: `at` is `param set --gateway`, or `param set 1` for the first argument.

    The last argument of a command that may be repeated is `param set *`.
    """

    at: str
    source: Source


FREE = Source("none")
FILES = Source("files")
PARAMETERS = Source("words", tuple(catalog.ALL))
PRESETS = Source("words", tuple(presets.PRESETS))

#: command and metavar -> what the daemon is asked for
LIVE = {
    ("gateway", "NAME"): "gateway", ("diagnose gateway", "NAME"): "gateway",
    ("phone", "NUMBER"): "phone", ("call", "ID"): "call", ("diagnose call", "ID"): "call",
    ("diagnose session", "ID"): "call",
}  # fmt: skip
#: command -> what may stand before the equals sign
ASSIGN = {
    "param set": tuple(catalog.ALL), "gateway set": GATEWAY_KEYS, "phone set": PHONE_KEYS,
}  # fmt: skip


def slots(root: Command) -> Iterator[Slot]:
    """Every place that has something to offer."""
    for command in root.walk():
        for option in command.options:
            source = of_option(command, option)
            if source is not FREE:
                for name in option.names:
                    yield Slot(" ".join((*command.path, name)), source)
        for number, argument in enumerate(command.arguments, 1):
            source = of_argument(command, argument)
            if source is not FREE:
                place = "*" if argument.many else str(number)
                yield Slot(" ".join((*command.path, place)), source)


def of_option(command: Command, option: Option) -> Source:
    """What may follow an option."""
    if option.choices:
        return Source("words", option.choices)
    if option.metavar in ("FILE", "PATH"):
        return FILES
    if option.metavar == "GW":
        return Source("live", ("gateway",))
    if command.path == ("param", "list") and option.names[0] == "--group":
        return Source("words", tuple(catalog.GROUPS))
    if option.names[0] == "--reason":
        return Source("words", tuple(REASONS))
    return FREE


def of_argument(command: Command, argument: Argument) -> Source:
    """What may stand as an argument."""
    path = " ".join(command.path)
    if "=" in argument.metavar:
        return Source("assign", ASSIGN[path])
    if command.path[:2] == ("param", "preset"):
        return PRESETS
    if command.path[0] == "param" and argument.metavar == "NAME":
        return PARAMETERS
    if command.path[-1] == "add":
        return FREE
    wanted = LIVE.get((path, argument.metavar)) or LIVE.get((command.path[0], argument.metavar))
    return Source("live", (wanted,)) if wanted else FREE


def values() -> dict[str, tuple[str, ...]]:
    """Words a parameter takes, by its name; those that take only numbers or text are left out."""
    found = {name: _words(row.kind) for name, row in catalog.ALL.items()}
    return {name: words for name, words in found.items() if words}


def _words(kind: Kind) -> tuple[str, ...]:
    match kind:
        case Word():
            return tuple(kind.words)
        case Switch():
            return ("on", "off")
        case Pick():
            return tuple(map(str, kind.values))
        case Dscp():
            return tuple(DSCP)
        case Duration():
            return tuple(kind.words)
        case Integer(zero=zero) if zero:
            return (zero,)
    return ()


def valued(root: Command) -> list[str]:
    """Options that take a value, with their command: `--socket`, `param set --why`."""
    return [
        " ".join((*command.path, name))
        for command in root.walk() for option in command.options if option.metavar
        for name in option.names
    ]  # fmt: skip


def option_names(command: Command, root: Command) -> list[str]:
    """The long options of a command and the global ones, which may stand anywhere."""
    own = [*command.options, *(root.options if command.path else ())]
    return [*(option.names[0] for option in own if option.names[0] != "--version"
              or not command.path), "--help"]  # fmt: skip
