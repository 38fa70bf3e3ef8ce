# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of the command line: what typer would make of them, and refusals of our own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from vosctl.problems import Usage
from vosctl.quick import quicken

app = typer.Typer(rich_markup_mode=None, add_completion=False)
SEEN: list[Any] = []


@app.command()
def work(
    names: Annotated[list[str], typer.Argument(metavar="NAME...")],
    kind: Annotated[Literal["a", "b"], typer.Option("--kind")],
    more: Annotated[list[str] | None, typer.Option("--more")] = None,
    text: Annotated[str, typer.Option("--text")] = "",
    number: Annotated[int, typer.Option("-n", "--number", min=1)] = 7,
    file: Annotated[Path | None, typer.Option("--file")] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.25, max=60)] = 1.0,
    flag: Annotated[bool, typer.Option("--flag")] = False,
) -> None:
    """Take one of each."""
    SEEN.append((names, kind, more, text, number, file, seconds, flag))


def result(quick: bool, args: list[str]) -> tuple[int, str, list[Any]]:
    """Exit code, output and what the function was given. Raises Usage."""
    SEEN.clear()
    command = get_command(app)
    runner = CliRunner()
    if quick:
        quicken(command)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", lambda _: command)
        ran = runner.invoke(app, args)
    if isinstance(ran.exception, Usage):
        raise ran.exception
    return ran.exit_code, ran.output, list(SEEN)


@pytest.mark.parametrize(
    "args",
    [
        ["x", "--kind", "a"],
        ["x", "y", "--kind", "b", "--more", "1", "--more", "2", "--text", "t", "--flag"],
        ["x", "--kind", "a", "--number", "3", "--file", "/tmp/x"],
        ["x", "--kind", "a", "--number", "99", "--seconds", "2"],
        ["x", "--kind", "a", "--seconds", "0.25"],
        ["x", "--kind", "a", "--seconds", "1e1"],
        ["x", "--kind", "a", "--number", "99999999999"],
        ["x", "--kind", "a", "--text"],
        ["--help"],
    ],
)
def test_same_as_typer(args: list[str]) -> None:
    assert result(True, args) == result(False, args)


WHOLE = "a whole number of 1 or more is accepted"
SPAN = "a number from 0.25 to 60 is accepted"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["x", "--kind", "c"], "cannot use 'c' as --kind: a or b is accepted"),
        (["x", "--kind", "a", "-n", "0"], f"cannot use '0' as --number: {WHOLE}"),
        (["x", "--kind", "a", "--number", "many"], f"cannot use 'many' as --number: {WHOLE}"),
        (["x", "--kind", "a", "--number", "3.5"], f"cannot use '3.5' as --number: {WHOLE}"),
        (["x", "--kind", "a", "--number", "1_0"], f"cannot use '1_0' as --number: {WHOLE}"),
        (["x", "--kind", "a", "--number", " 3"], f"cannot use ' 3' as --number: {WHOLE}"),
        (["x", "--kind", "a", "--seconds", "0.2"], f"cannot use '0.2' as --seconds: {SPAN}"),
        (["x", "--kind", "a", "--seconds", "61"], f"cannot use '61' as --seconds: {SPAN}"),
        (["x", "--kind", "a", "--seconds", "nan"], f"cannot use 'nan' as --seconds: {SPAN}"),
        (["--kind", "a"], "cannot do without NAME..."),
        (["x"], "cannot do without --kind: a or b is accepted"),
    ],
)
def test_refusals_name_the_value_and_what_is_accepted(args: list[str], message: str) -> None:
    with pytest.raises(Usage) as refused:
        result(True, args)
    assert refused.value.message == message
