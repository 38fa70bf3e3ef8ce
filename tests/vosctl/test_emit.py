# SPDX-License-Identifier: GPL-2.0-or-later
"""Generated files: current, complete, and taken by the programs that read them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from vosctl.emit import bash, daemon
from vosctl.emit.__main__ import files, main, stale, write
from vosctl.emit.man import escape
from vosctl.emit.slots import slots, values
from vosctl.emit.tree import Command, tree
from vosctl.main import app
from vosctl.problems import EXIT_CODES
from vosd import catalog, config
from vosd.__main__ import _parser
from vosd.catalog import lint, presets
from vosd.diagnose.rules import BY_CODE
from vosd.switch.reasons import REASONS
from vosd.wire.verbs import VERBS

PROJECT = Path(__file__).parents[2]
TREE = tree()
FILES = files()
COMMANDS = {command.line for command in TREE.walk()}


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def test_committed_files_are_what_the_tables_say() -> None:
    assert stale(PROJECT) == [], "run python -m vosctl.emit"


def test_check_names_what_is_missing_old_or_left_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    assert main(["--check", str(tmp_path)]) == 0
    (tmp_path / "man/vosctl.1").unlink()
    (tmp_path / "docs/reference.md").write_text("old")
    (tmp_path / "man/vosctl-gone.1").write_text("gone")
    assert main(["--check", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        "man/vosctl.1 is missing\n"
        "docs/reference.md is not what the tables say\n"
        "man/vosctl-gone.1 is made no more\n"
        "python -m vosctl.emit makes them anew\n"
    )
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0
    assert not (tmp_path / "man/vosctl-gone.1").exists()


@pytest.mark.parametrize("command", TREE.walk(), ids=lambda command: command.line)
def test_every_command_has_help_and_a_place_in_the_manual(command: Command) -> None:
    assert len(command.summary) > 10
    if len(command.path) > 1 and command.children:
        return  # its commands have their places, it has none
    group = f"-{command.path[0]}" if len(command.path) > 1 else ""
    page = FILES[f"man/vosctl{group}.1"]
    assert escape(command.summary) in page
    for option in command.options:
        assert option.help, f"{command.line} {option.names[0]} has no help"
        assert escape(option.names[0]) in page


def test_every_name_is_in_the_reference() -> None:
    page = FILES["docs/reference.md"]
    rules = [rule.code for rule in BY_CODE.values()]
    codes = [preset.path for preset in presets.PRESETS.values()]
    for name in [*catalog.ALL, *codes, *REASONS, *rules, *VERBS]:
        assert f"| `{name}` |" in page
    for code in lint.ROWS:
        assert f"| {code} |" in page


@pytest.mark.parametrize("name", catalog.ALL)
def test_every_parameter_is_in_the_manual_and_the_completions(name: str) -> None:
    assert f".B {name}\n" in FILES["man/vosctl-param.1"]
    for script in ("vosctl.bash", "_vosctl", "vosctl.fish"):
        assert name in FILES[f"completions/{script}"]


def test_exit_codes_are_those_of_the_help() -> None:
    epilog = app.info.epilog
    assert isinstance(epilog, str)
    told = re.findall(r"(\d) ([^,.]+)", epilog)
    assert {int(code): text for code, text in told} == EXIT_CODES


def test_every_lint_row_says_when_it_is_found() -> None:
    assert [code for code, row in lint.ROWS.items() if not (row.__doc__ or "").endswith(".")] == []


PAGES = [name for name in FILES if name.startswith("man/")]


@pytest.mark.parametrize("name", PAGES)
def test_man_has_no_complaint(name: str, tmp_path: Path) -> None:
    file = tmp_path / Path(name).name
    file.write_text(FILES[name])
    ran = subprocess.run(
        [tool("man"), "--warnings", "-l", str(file)], capture_output=True, text=True, check=False,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "MAN_KEEP_STDERR": "1"},
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "SEE ALSO" in ran.stdout


def test_man_shows_what_roff_would_swallow() -> None:
    assert escape(".TH 'a\\b' -1") == "\\&.TH \\(aqa\\eb\\(aq \\-1"


@pytest.mark.parametrize(
    ("shell", "script"), [("bash", "vosctl.bash"), ("zsh", "_vosctl"), ("fish", "vosctl.fish")]
)
def test_shells_take_their_completion(shell: str, script: str, tmp_path: Path) -> None:
    file = tmp_path / script
    file.write_text(FILES[f"completions/{script}"])
    ran = subprocess.run(
        [tool(shell), "-n", str(file)], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


#: line up to the cursor -> what is offered, and in fish where it differs
OFFERED = [
    ("vosctl par", ["param"]),
    ("vosctl param preset ", ["list", "show", "apply"]),
    ("vosctl --json param sho", ["show"]),
    ("vosctl --socket /tmp/x param preset app", ["apply"]),
    ("vosctl param show SS_QOS", ["SS_QOS_SIGNAL", "SS_QOS_RTP"]),
    ("vosctl param set SS_ECHOCANCELT", ["SS_ECHOCANCELTAIL="]),
    ("vosctl param set SS_QOS_RTP=EF SS_ECHOCANCELT", ["SS_ECHOCANCELTAIL="]),
    ("vosctl param set SS_MEDIAPROXYMODE=m", ["must_on"]),
    ("vosctl param set SS_ECHOCANCEL=", ["on", "off"]),
    ("vosctl param set --ga", ["--gateway"]),
    ("vosctl param list --group re", ["registration", "records"]),
    ("vosctl param preset apply sat", ["satellite"]),
    ("vosctl --color ne", ["never"]),
    # --prefix takes a value for gateways and none for the black list
    ("vosctl gateway add --prefix 49 --kind m", ["mapping"]),
    ("vosctl blacklist add --prefix --side cal", ["caller", "callee"]),
    ("vosctl gateway set acme capac", ["capacity="]),
    ("vosctl cdr list --reason node", ["node_lost"]),
    ("vosctl param set --why ", []),
]


@pytest.mark.parametrize(("line", "offered"), OFFERED)
def test_bash_offers(line: str, offered: list[str], tmp_path: Path) -> None:
    file = tmp_path / "vosctl.bash"
    file.write_text(FILES["completions/vosctl.bash"])
    program = (
        f"source {file}; compopt() {{ :; }}; COMP_LINE=$1; COMP_POINT=${{#1}}; _vosctl;"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    ran = subprocess.run(
        [tool("bash"), "--norc", "-c", program, "bash", line], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert (ran.stdout.split(), ran.stderr) == (offered, "")


@pytest.mark.parametrize(("line", "offered"), OFFERED)
def test_fish_offers(line: str, offered: list[str], tmp_path: Path) -> None:
    file = tmp_path / "vosctl.fish"
    file.write_text(FILES["completions/vosctl.fish"])
    ran = subprocess.run(
        [tool("fish"), "--no-config", "-c", f"source {file}; complete -C '{line}'"],
        capture_output=True, text=True, check=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, cwd=tmp_path,
    )  # fmt: skip
    # fish repeats what stands before the equals sign
    words = {word.split("\t")[0] for word in ran.stdout.splitlines()}
    typed = line.rpartition(" ")[2].rpartition("=")
    assert (words, ran.stderr) == ({typed[0] + typed[1] + word for word in offered}, "")


def test_names_from_the_daemon_cannot_run_in_the_shell(tmp_path: Path) -> None:
    fake = tmp_path / "vosctl"
    fake.write_text("#!/bin/sh\nprintf 'NAME KIND\\nacme x\\n$(touch$IFS%s/pwned) x\\n' \"$PWD\"\n")
    fake.chmod(0o755)
    script = tmp_path / "vosctl.bash"
    script.write_text(FILES["completions/vosctl.bash"])
    program = (
        f"source {script}; COMP_LINE='vosctl gateway show '; COMP_POINT=${{#COMP_LINE}}; _vosctl;"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    ran = subprocess.run(
        [tool("bash"), "--norc", "-c", program], capture_output=True, text=True, check=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, cwd=tmp_path,
    )  # fmt: skip
    assert ran.stdout == "acme\n"
    assert not (tmp_path / "pwned").exists()


def test_no_word_of_a_script_could_end_its_quotes() -> None:
    words = [word for slot in slots(TREE) for word in slot.source.words]
    words += [word for each in values().values() for word in each]
    assert all(re.fullmatch(r"[\w.+/-]+", word) for word in words)
    assert bash.script(TREE).count("'") % 2 == 0


def test_vosd_8_has_the_options_of_vosd() -> None:
    told = {option.split()[0] for option in daemon.OPTIONS}
    has = {name for action in _parser()._actions for name in action.option_strings}
    assert told == {name for name in has if name.startswith("--")}


def test_vosd_toml_5_has_every_key() -> None:
    inner = {"listen": config.Listen, "tls": config.Tls, "log": config.Log}
    keys = {("", field.name) for field in msgspec.structs.fields(config.Config)
            if field.name not in inner}
    for name, struct in inner.items():
        table = f"[[{name}]]" if name == "listen" else f"[{name}]"
        keys |= {(table, field.name) for field in msgspec.structs.fields(struct)}
    assert {(key.table, key.name) for key in daemon.KEYS} == keys


def test_vosd_toml_5_example_is_read(tmp_path: Path) -> None:
    file = tmp_path / "vosd.toml"
    file.write_text(daemon.EXAMPLE)
    read = config.load(file)
    assert (read.node, read.listens(), read.log.format) == (
        "edge-1", [config.Listening("udp", "203.0.113.5", 5060)], "json",
    )  # fmt: skip


def advice() -> list[str]:
    """Every text that may tell the operator to type something."""
    rows = [text for row in catalog.ALL.values() for text in (row.detail, row.corrected)]
    rules = [text for rule in BY_CODE.values() for text in (rule.change, rule.disproof)]
    return [*rows, *rules, *(reason.advice for reason in REASONS.values())]


def test_commands_that_texts_advise_exist() -> None:
    found = [match for text in advice() for match in re.findall(r"vosctl(?: [a-z]+)+", text)]
    assert len(found) > 10
    for phrase in found:
        words = phrase.split()
        known = [" ".join(words[:n]) for n in (4, 3, 2) if " ".join(words[:n]) in COMMANDS]
        assert known, phrase


def test_values_that_texts_advise_are_accepted() -> None:
    found = [
        match for text in advice()
        for match in re.findall(r"param set ((?:SS|SERVER)_[A-Z_]+)=([\w:]+)", text)
    ]  # fmt: skip
    assert found
    for name, value in found:
        if value not in ("N", "PORT"):
            catalog.parse(name, value)
