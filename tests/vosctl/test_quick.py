# SPDX-License-Identifier: GPL-2.0-or-later
"""Parameters without pydantic give what typer's own give."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from vosctl.quick import passes, quicken

app = typer.Typer(rich_markup_mode=None, add_completion=False)
SEEN: list[Any] = []


@app.command()
def work(
    names: Annotated[list[str], typer.Argument()],
    kind: Annotated[Literal["a", "b"], typer.Option("--kind")],
    more: Annotated[list[str] | None, typer.Option("--more")] = None,
    text: Annotated[str, typer.Option("--text")] = "",
    number: Annotated[int, typer.Option("--number", min=1)] = 7,
    file: Annotated[Path | None, typer.Option("--file")] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.25, max=60)] = 1.0,
    flag: Annotated[bool, typer.Option("--flag")] = False,
) -> None:
    """Take one of each."""
    SEEN.append((names, kind, more, text, number, file, seconds, flag))


def result(quick: bool, args: list[str]) -> tuple[int, str, list[Any]]:
    """Exit code, output and what the function was given."""
    SEEN.clear()
    command = get_command(app)
    runner = CliRunner()
    if quick:
        quicken(command)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", lambda _: command)
        ran = runner.invoke(app, args)
    return ran.exit_code, ran.output, list(SEEN)


@pytest.mark.parametrize(
    "args",
    [
        ["x", "--kind", "a"],
        ["x", "y", "--kind", "b", "--more", "1", "--more", "2", "--text", "t", "--flag"],
        ["x", "--kind", "a", "--number", "3", "--file", "/tmp/x"],
        ["x", "--kind", "c"],
        ["x", "--kind", "a", "--number", "0"],
        ["x", "--kind", "a", "--number", "many"],
        ["x", "--kind", "a", "--number", "99", "--seconds", "2"],
        ["x", "--kind", "a", "--seconds", "0.25"],
        ["x", "--kind", "a", "--seconds", "0.2"],
        ["x", "--kind", "a", "--seconds", "1e1"],
        ["x", "--kind", "a", "--seconds", "61"],
        ["x", "--kind", "a", "--number", "1_0"],
        ["x", "--kind", "a", "--number", " 3"],
        ["x", "--kind", "a", "--number", "3.5"],
        ["x", "--kind", "a", "--number", "99999999999"],
        ["x", "--kind", "a", "--text"],
        ["--kind", "a"],
        ["x"],
        ["--help"],
    ],
)
def test_same_as_typer(args: list[str]) -> None:
    assert result(True, args) == result(False, args)


@pytest.mark.parametrize(
    ("annotation", "value", "plain"),
    [
        (str, "x", True),
        (str, 5, False),
        (str, None, False),
        (int, "5", False),
        (list[str], ("a", "b"), True),
        (list[str], (), True),
        (list[str], (1,), False),
        (list[str], "ab", False),
        (Literal["a", "b"], "a", True),
        (Literal["a", "b"], "c", False),
        (None, "x", False),
    ],
)
def test_passes(annotation: Any, value: Any, plain: bool) -> None:
    assert passes(annotation, value) is plain
