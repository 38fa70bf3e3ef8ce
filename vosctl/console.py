# SPDX-License-Identifier: GPL-2.0-or-later
"""The only module that draws: tables, facts, JSON, problems, and what colour means.

Everything printed goes through `escape`: SIP text from strangers never reaches the terminal
raw. On a terminal a table is fitted to its width: figures and names that are pasted stay whole,
other text is shortened, columns of least interest go. In a pipe it is whole. rich is imported
only to redraw in place.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TextIO, TypeAlias

#: style word to SGR code (ECMA-48 8.3.117)
STYLES = {"bad": "31", "warn": "33", "good": "32", "dim": "2", "head": "1", "": ""}
GAP = "  "
#: shortened text keeps at least this many columns
LEAST = 8


class Cell(NamedTuple):
    """Text with a meaning: bad, warn, good, dim, head."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A column's title with its unit; figures stand right. On a narrow terminal figures and
    `keep` stay whole, and the column with the highest `optional` above 0 is left out first."""

    title: str
    right: bool = False
    keep: bool = False
    optional: int = 0


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

    def emit_json(self, reply: Any, more: Mapping[str, object] | None = None) -> None:
        """A reply for programs: the struct as the daemon sent it, and `more` keys, indented."""
        import msgspec

        document = {**msgspec.to_builtins(reply), **more} if more else reply
        text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
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
        laid = [[cell(value) for value in row] for row in rows]
        if not laid and empty:
            self.note(Cell(empty, "dim"))
            return
        for line in self._lines(columns, laid):
            print(line, file=self.out)

    @contextmanager
    def live(self) -> Iterator[Redraw]:
        """A screen area redrawn in place, at most four times a second; a terminal only."""
        from rich.console import Console as Rich
        from rich.live import Live
        from rich.text import Text as RichText

        screen = Rich(file=self.out, force_terminal=True, highlight=False, markup=False)
        with Live(console=screen, auto_refresh=False) as area:

            def draw(lines: Iterable[str]) -> None:
                text = RichText.from_ansi("\n".join(lines), no_wrap=True, overflow="crop")
                area.update(text, refresh=True)

            yield Redraw(self, draw)

    def confirm(self, question: str) -> bool:
        """Ask on stderr; anything but y or yes is no."""
        print(f"{escape(question)} [y/N] ", end="", file=self.err, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _paint(self, value: Cell) -> str:
        code = STYLES[value.style]
        return (
            f"\x1b[{code}m{value.text}\x1b[0m" if self.color and code and value.text else value.text
        )

    def _lines(
        self, columns: Sequence[Column | str], rows: Sequence[Sequence[Cell]]
    ) -> Iterator[str]:
        heads = [c if isinstance(c, Column) else Column(c) for c in columns]
        table = [[Cell(head.title, "head") for head in heads], *rows]
        widths = [max(width(row[i].text) for row in table) for i in range(len(heads))]
        shown = list(range(len(heads)))
        if self.tty:
            shown, widths = fit(heads, widths, shutil.get_terminal_size().columns)
        for row in table:
            yield GAP.join(
                self._pad(row[i], wide, heads[i].right)
                for i, wide in zip(shown, widths, strict=True)
            ).rstrip()

    def _pad(self, value: Cell, wide: int, right: bool) -> str:
        value = Cell(shorten(value.text, wide), value.style)
        space = " " * (wide - width(value.text))
        painted = self._paint(value)
        return space + painted if right else painted + space


class Redraw:
    """What `Console.live` hands out."""

    def __init__(self, console: Console, draw: Callable[[Iterable[str]], None]) -> None:
        self._console = console
        self._draw = draw

    def table(
        self, title: str, columns: Sequence[Column | str], rows: Iterable[Sequence[Text]]
    ) -> None:
        laid = [[cell(value) for value in row] for row in rows]
        self._draw([escape(title), *self._console._lines(columns, laid)])


def fit(heads: Sequence[Column], widths: Sequence[int], room: int) -> tuple[list[int], list[int]]:
    """Which columns to show, and how wide, in `room` terminal columns.

    When even the least does not fit, it is left to the terminal to wrap the lines.
    """
    least = [
        wide if head.right or head.keep else min(wide, max(LEAST, len(head.title)))
        for head, wide in zip(heads, widths, strict=True)
    ]
    shown = list(range(len(heads)))

    def over(sizes: Sequence[int]) -> int:
        return sum(sizes[i] for i in shown) + len(GAP) * (len(shown) - 1) - room

    while over(least) > 0 and any(heads[i].optional for i in shown):
        shown.remove(max(shown, key=lambda i: heads[i].optional))
    given = list(widths)
    while over(given) > 0:
        widest = max(shown, key=lambda i: given[i] if given[i] > least[i] else 0)
        if given[widest] <= least[widest]:
            break
        given[widest] -= 1
    return shown, [given[i] for i in shown]


def shorten(text: str, wide: int) -> str:
    """The text in at most `wide` terminal columns, an ellipsis for what is cut off."""
    if width(text) <= wide:
        return text
    while width(text) > wide - 1:
        text = text[:-1]
    return f"{text}…"
