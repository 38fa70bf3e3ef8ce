# SPDX-License-Identifier: GPL-2.0-or-later
"""What is drawn: alignment, colour, width, and text from strangers (attack rows 20 and 21)."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vosctl.console import Cell, Column, Console, escape, fit, shorten, wants_color, width


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(*, tty: bool = False, color: bool = False) -> tuple[Console, io.StringIO]:
    out = Terminal() if tty else io.StringIO()
    return Console(color=color, out=out, err=io.StringIO()), out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Müller 王", "Müller 王"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\r\nVia: x", "a\\x0d\\x0aVia: x"),
        ("nul\0", "nul\\x00"),
        ("\u202eevil", "\\u202eevil"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("bell\a tab\t", "bell\\x07 tab\\x09"),
        ("csi\x9b31m", "csi\\x9b31m"),
        ("\U000e0041", "\\U000e0041"),
        ("[red]markup[/red]", "[red]markup[/red]"),
    ],
)
def test_escape(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text())
def test_nothing_unprintable_gets_out(text: str) -> None:
    assert escape(text).isprintable()


def test_every_way_out_is_escaped() -> None:
    console, out = drawn()
    evil = "\x1b[2J\u202e\r\n"
    console.say(evil)
    console.note(evil)
    console.problem(evil, evil)
    console.facts([("name", evil)])
    console.table(["name"], [[evil]])
    console.emit_json({"name": evil})
    console.emit_line({"name": evil})
    assert isinstance(console.err, io.StringIO)
    text = out.getvalue() + console.err.getvalue()
    # JSON has its own escapes for what is below 0x20; the override is text there
    assert "\x1b" not in text
    assert "\r" not in text


def test_table_in_a_pipe_is_whole_and_aligned() -> None:
    console, out = drawn()
    console.table(
        ["name", Column("loss %", right=True), "long " + "x" * 100],
        [["a", "0.5", "y"], ["longer", Cell("12.0", "bad"), "z" * 110]],
    )
    assert out.getvalue().splitlines() == [
        "name    loss %  long " + "x" * 100,
        "a          0.5  y",
        "longer    12.0  " + "z" * 110,
    ]


def test_wide_characters_are_two_columns() -> None:
    console, out = drawn()
    console.table(["name", "next"], [["王王", "a"], ["abcd", "b"], ["e\u0301x", "c"]])
    assert out.getvalue().splitlines() == [
        "name  next",
        "王王  a",
        "abcd  b",
        "e\u0301x    c",
    ]


def test_colour_is_put_around_text_not_around_space() -> None:
    console, out = drawn(color=True)
    console.table([Column("n", right=True)], [[Cell("1", "bad")], ["200"]])
    assert out.getvalue() == "  \x1b[1mn\x1b[0m\n  \x1b[31m1\x1b[0m\n200\n"


def test_empty_table_says_so_on_stderr() -> None:
    console, out = drawn()
    console.table(["name"], [], empty="no calls")
    assert isinstance(console.err, io.StringIO)
    assert (out.getvalue(), console.err.getvalue()) == ("", "no calls\n")


def test_facts() -> None:
    console, out = drawn()
    console.facts([("name", "x"), ("longer", Cell("y", "bad")), ("none", "")], indent=2)
    assert out.getvalue() == "  name    x\n  longer  y\n  none\n"


def test_problem_goes_to_stderr_with_what_to_do() -> None:
    console, out = drawn()
    console.problem("cannot do it", "try that")
    assert isinstance(console.err, io.StringIO)
    assert (out.getvalue(), console.err.getvalue()) == ("", "cannot do it\n  try that\n")


HEADS = [
    Column("id", keep=True),
    Column("state", optional=2),
    Column("name"),
    Column("%", right=True),
]


@pytest.mark.parametrize(
    ("room", "shown", "widths"),
    [
        (100, [0, 1, 2, 3], [8, 9, 20, 5]),
        (48, [0, 1, 2, 3], [8, 9, 20, 5]),
        (40, [0, 1, 2, 3], [8, 9, 12, 5]),
        (35, [0, 1, 2, 3], [8, 8, 8, 5]),
        (34, [0, 2, 3], [8, 17, 5]),
        (25, [0, 2, 3], [8, 8, 5]),
        (10, [0, 2, 3], [8, 8, 5]),
    ],
)
def test_fit(room: int, shown: Sequence[int], widths: Sequence[int]) -> None:
    """Figures and what is pasted stay whole; the optional goes when shortening is not enough."""
    assert fit(HEADS, [8, 9, 20, 5], room) == (shown, widths)


def test_table_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "26")
    console, out = drawn(tty=True)
    console.table(HEADS, [["00aa11bb", "connected", "a-very-long-gateway", "100.0"]])
    assert out.getvalue().splitlines() == [
        "id        name           %",
        "00aa11bb  a-very-l…  100.0",
    ]


@given(st.text(alphabet="ab王é", max_size=30), st.integers(min_value=1, max_value=30))
def test_shorten(text: str, wide: int) -> None:
    short = shorten(text, wide)
    assert width(short) <= wide
    assert (short == text) == (width(text) <= wide)


@pytest.mark.parametrize(
    ("policy", "no_color", "term", "tty", "wanted"),
    [
        ("auto", None, "xterm", True, True),
        ("auto", None, "xterm", False, False),
        ("auto", "1", "xterm", True, False),
        ("auto", "", "xterm", True, True),
        ("auto", None, "dumb", True, False),
        ("auto", None, None, True, True),
        ("always", "1", "dumb", False, True),
        ("never", None, "xterm", True, False),
    ],
)
def test_wants_color(
    policy: str, no_color: str | None, term: str | None, tty: bool, wanted: bool
) -> None:
    assert wants_color(policy, no_color, term, tty) is wanted


def test_redraw_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    console, out = drawn(tty=True, color=True)
    with console.live() as screen:
        screen.table("one \x1b[2J", ["name"], [[Cell("[red]x", "bad")]])
        screen.table("two", ["name"], [["y"]])
    text = out.getvalue()
    assert "one \\x1b[2J" in text
    assert "\x1b[31m[red]x\x1b[0m" in text
    assert text.count("two") == 2
