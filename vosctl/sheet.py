# SPDX-License-Identifier: GPL-2.0-or-later
"""A report as blocks, so that the terminal and the page show the same words and figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from vosctl.console import Column, Console, Text


class Line(NamedTuple):
    """One line of text; `head` opens what belongs together."""

    text: Text = ""
    head: bool = False


class Facts(NamedTuple):
    """Name and value, a line each."""

    pairs: Sequence[tuple[str, Text]]
    indent: int = 0


class Table(NamedTuple):
    columns: Sequence[Column | str]
    rows: Sequence[Sequence[Text]]


Block: TypeAlias = Line | Facts | Table
Sheet: TypeAlias = list[Block]
BLANK = Line()


def draw(console: Console, sheet: Iterable[Block]) -> None:
    """Show the report on the terminal."""
    for block in sheet:
        if isinstance(block, Line):
            console.say(block.text)
        elif isinstance(block, Facts):
            console.facts(block.pairs, indent=block.indent)
        else:
            console.table(block.columns, block.rows)
