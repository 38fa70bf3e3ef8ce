# SPDX-License-Identifier: GPL-2.0-or-later
"""The only module that draws: tables, facts, JSON, problems, and what colour means.

Everything printed goes through `escape`: SIP text from strangers never reaches the terminal
raw. rich is imported only to fit tables to a terminal; in a pipe tables are plain text, whole.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO, TypeAlias

if TYPE_CHECKING:
    from rich.table import Table

#: style word to SGR code; rich knows them by the second name
STYLES = {
    "bad": ("31", "red"),
    "warn": ("33", "yellow"),
    "good": ("32", "green"),
    "dim": ("2", "dim"),
    "head": ("1", "bold"),
    "": ("", ""),
}


class Cell(NamedTuple):
    """Text with a meaning: bad, warn, good, dim, head."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A column's title with its unit; figures stand right, `keep` is never shortened."""

    title: str
    right: bool = False
    keep: bool = False


Text: TypeAlias = str | Cell


def escape(text: str) -> str:
    r"""Control, direction and invisible characters as \xNN or \uNNNN (attack row 20)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _code(ord(c)) for c in text)


def _code(point: int) -> str:
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def cell(value: Text) -> Cell:
    given = value if isinstance(value, Cell) else Cell(value)
    return Cell(escape(given.text), given.style)


def width(text: str) -> int:
    """Terminal columns of printable text."""
    if text.isascii():
        return len(text)
    import unicodedata

    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


def wants_color(policy: str, no_color: str | None, term: str | None, tty: bool) -> bool:
    """`--color` first, then NO_COLOR (any non-empty value), then whether it is a terminal."""
    if policy != "auto":
        return policy == "always"
    return tty and not no_color and term != "dumb"


class Console:
    """Writes to one stdout and one stderr."""

    def __init__(
        self, *, color: bool = False, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self.color = color
        self.tty = self.out.isatty()

    def say(self, text: Text = "") -> None:
        """One line."""
        print(self._paint(cell(text)), file=self.out)

    def note(self, text: Text) -> None:
        """One line on stderr that is no part of the result."""
        print(self._paint(cell(text)), file=self.err)

    def problem(self, message: str, advice: str = "") -> None:
        """What cannot be done, and what to do, on stderr."""
        print(self._paint(Cell(escape(message), "bad")), file=self.err)
        if advice:
            print(f"  {escape(advice)}", file=self.err)

    def emit_json(self, reply: Any) -> None:
        """A reply for programs: the struct as the daemon sent it, indented."""
        import msgspec

        text = msgspec.json.format(msgspec.json.encode(reply), indent=2).decode()
        print(text, file=self.out)

    def emit_line(self, reply: Any) -> None:
        """One reply of a stream for programs, on one line."""
        import msgspec

        print(msgspec.json.encode(reply).decode(), file=self.out, flush=True)

    def raw(self, text: str) -> None:
        """A document for a program or a file (CSV), unescaped, without a newline added."""
        self.out.write(text)

    def facts(self, pairs: Iterable[tuple[str, Text]], indent: int = 0) -> None:
        """Name and value a line, values aligned."""
        rows = [(name, cell(value)) for name, value in pairs]
        wide = max((len(name) for name, _ in rows), default=0)
        for name, value in rows:
            line = f"{' ' * indent}{name.ljust(wide)}  {self._paint(value)}"
            print(line.rstrip(), file=self.out)

    def table(
        self, columns: Sequence[Column | str], rows: Iterable[Sequence[Text]], *, empty: str = ""
    ) -> None:
        """Aligned columns under their titles; `empty` is said on stderr when there is no row."""
        heads = [c if isinstance(c, Column) else Column(c) for c in columns]
        cells = [[cell(value) for value in row] for row in rows]
        if not cells and empty:
            self.note(Cell(empty, "dim"))
            return
        if self.tty:
            self._rich().print(_rich_table(heads, cells))
            return
        for line in self._plain(heads, cells):
            print(line, file=self.out)

    @contextmanager
    def live(self) -> Iterator[Redraw]:
        """A screen area redrawn in place, at most four times a second; a terminal only."""
        from rich.live import Live

        with Live(console=self._rich(), auto_refresh=False, transient=False) as area:
            yield Redraw(area)

    def confirm(self, question: str) -> bool:
        """Ask on stderr; anything but y or yes is no."""
        print(f"{escape(question)} [y/N] ", end="", file=self.err, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _paint(self, value: Cell) -> str:
        code = STYLES[value.style][0]
        return f"\x1b[{code}m{value.text}\x1b[0m" if self.color and code else value.text

    def _plain(self, heads: Sequence[Column], cells: Sequence[Sequence[Cell]]) -> Iterator[str]:
        titles = [Cell(head.title, "head") for head in heads]
        wides = [max(width(row[i].text) for row in (titles, *cells)) for i in range(len(heads))]
        for row in (titles, *cells):
            yield "  ".join(
                self._pad(value, wide, head.right)
                for value, wide, head in zip(row, wides, heads, strict=True)
            ).rstrip()

    def _pad(self, value: Cell, wide: int, right: bool) -> str:
        gap = " " * (wide - width(value.text))
        painted = self._paint(value)
        return gap + painted if right else painted + gap

    def _rich(self) -> Any:
        from rich.console import Console as Rich

        return Rich(
            file=self.out,
            force_terminal=True,
            no_color=not self.color,
            highlight=False,
            markup=False,
            emoji=False,
        )


class Redraw:
    """What `Console.live` hands out."""

    def __init__(self, area: Any) -> None:
        self._area = area

    def table(
        self, title: str, columns: Sequence[Column | str], rows: Iterable[Sequence[Text]]
    ) -> None:
        heads = [c if isinstance(c, Column) else Column(c) for c in columns]
        drawn = _rich_table(heads, [[cell(value) for value in row] for row in rows])
        drawn.title, drawn.title_justify, drawn.title_style = escape(title), "left", "bold"
        self._area.update(drawn, refresh=True)


def _rich_table(heads: Sequence[Column], cells: Sequence[Sequence[Cell]]) -> Table:
    """Text objects only: rich never reads markup out of a value."""
    from rich.table import Table
    from rich.text import Text as RichText

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for i, head in enumerate(heads):
        least = max(width(t) for t in (head.title, *(row[i].text for row in cells)))
        drawn.add_column(
            RichText(head.title),
            justify="right" if head.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=least if head.keep else None,
        )
    for row in cells:
        drawn.add_row(*(RichText(value.text, style=STYLES[value.style][1]) for value in row))
    return drawn
