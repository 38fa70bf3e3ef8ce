# SPDX-License-Identifier: GPL-2.0-or-later
"""The program around its commands: options, exit codes, help, start-up."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.control.standin import status
from tests.vosctl.stub import Ran, Stub, run
from vosctl.client import SYSTEM_SOCKET, default_sockets
from vosctl.main import COMMANDS, app, hoist

Vosctl = Callable[..., Ran]


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (["call", "list", "--json"], ["--json", "call", "list"]),
        (["--json", "call", "list"], ["--json", "call", "list"]),
        (["call", "list", "--socket", "/s"], ["--socket", "/s", "call", "list"]),
        (["call", "--timeout=3", "list"], ["--timeout=3", "call", "list"]),
        (["a", "--", "--json"], ["a", "--", "--json"]),
        (["a", "--color"], ["--color", "a"]),
        ([], []),
    ],
)
def test_global_options_stand_anywhere(given: list[str], seen: list[str]) -> None:
    assert hoist(given) == seen


def test_bare_is_status(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/status", status())
    assert vosctl() == vosctl("status")
    assert [asked.path for asked in daemon.asked] == ["/v1/status"] * 2


@pytest.mark.parametrize("args", [["status", "--json"], ["--json", "status"], ["--json"]])
def test_json_has_a_version_and_the_keys_of_the_record(
    daemon: Stub, vosctl: Vosctl, args: list[str]
) -> None:
    daemon.answer("GET /v1/status", status())
    ran = vosctl(*args)
    assert (ran.code, ran.err) == (0, "")
    document = json.loads(ran.out)
    assert next(iter(document)) == "version"
    assert set(document) == set(type(status()).__struct_fields__)


# exit codes


def test_3_nobody_there(tmp_path: Path) -> None:
    path = tmp_path / "none.sock"
    assert run(path, "status") == (
        3,
        "",
        f"cannot reach vosd at {path}: no such socket\n"
        "  start it: systemctl start vosd, or vosd in a terminal; another socket: --socket PATH "
        "or VOSCTL_SOCKET\n",
    )


def test_3_names_every_socket_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator who is not root has no switch of his own and the system's does not run."""
    monkeypatch.setattr("os.geteuid", lambda: 7)
    monkeypatch.setattr("vosctl.client.SYSTEM_SOCKET", tmp_path / "system.sock")
    ran = run(None, "status", XDG_RUNTIME_DIR=str(tmp_path))
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.splitlines()[0] == (
        f"cannot reach vosd at {tmp_path}/vosd/control.sock: no such socket, "
        f"nor at {tmp_path}/system.sock: no such socket"
    )


def test_3_nobody_listens(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    ran = run(path, "status")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith(f"cannot reach vosd at {path}: nothing listens on it\n")


def test_3_the_daemon_goes_away(tmp_path: Path) -> None:
    with answering(tmp_path / "s", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{") as path:
        ran = run(path, "status")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith(f"cannot read vosd's answer from {path}: ")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_4_not_permitted_by_the_file(tmp_path: Path) -> None:
    """As uid nobody in a process of its own, whose path to the socket is open."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        path = Path(name) / "s"
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(path))
            path.chmod(0o660)
            code = (
                "import os\n"
                "from vosctl.main import main\n"
                # all modules are loaded before root's own files are out of reach
                "try: main(['--socket', '/none', 'status'])\n"
                "except SystemExit: pass\n"
                "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
                f"main(['--socket', {str(path)!r}, 'status'])\n"
            )
            ran = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, timeout=30
            )
    assert (ran.returncode, ran.stdout) == (4, "")
    assert ran.stderr.partition("VOSCTL_SOCKET\n")[2] == (
        f"cannot open {path}: not permitted\n"
        "  reading needs group vos, changes need root or group vos-admin\n"
    )


def test_4_denied_by_the_daemon(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.refuse("GET /v1/status", "denied", "cannot do status as bob: read access is needed",
                  accepts="root")  # fmt: skip
    assert vosctl("status") == (4, "", "cannot do status as bob: read access is needed\n  root\n")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("bad_request", 2), ("bad_value", 2), ("not_found", 1), ("exists", 1), ("conflict", 1),
        ("denied", 4), ("unavailable", 1), ("internal", 1), ("of a newer daemon", 1),
    ],
)  # fmt: skip
def test_exit_code_of_each_kind_of_refusal(
    daemon: Stub, vosctl: Vosctl, kind: str, code: int
) -> None:
    daemon.refuse("GET /v1/status", kind, "cannot do it")
    assert vosctl("status") == (code, "", "cannot do it\n")


@pytest.mark.parametrize(
    ("message", "accepts", "told"),
    [
        ("cannot find 'x'", "y", "cannot find 'x'\n  accepted: y\n"),
        ("cannot use 'x': y is accepted", "y", "cannot use 'x': y is accepted\n"),
        ("cannot find 'acmee'", "acme", "cannot find 'acmee'\n  accepted: acme\n"),
    ],
)
def test_what_is_accepted_is_told_once(
    daemon: Stub, vosctl: Vosctl, message: str, accepts: str, told: str
) -> None:
    daemon.refuse("GET /v1/gateways/x", "not_found", message, accepts=accepts)
    assert vosctl("gateway", "show", "x").err == told


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["statsu"], "cannot find a command 'vosctl statsu': did you mean status?\n"),
        (["blacklist", "group", "add", "x"], "cannot find a command 'vosctl blacklist group': "
         "known are add, remove, list, check\n"),
        (["status", "--colour", "x"], "No such option: --colour"),
        (["--color", "pink", "status"],
         "cannot use 'pink' as --color: auto, always or never is accepted\n"),
        (["--timeout", "soon", "status"],
         "cannot use 'soon' as --timeout: a number of 0.05 or more is accepted\n"),
        (["gateway", "add", "x", "--kind", "customer"],
         "cannot use 'customer' as --kind: mapping or routing is accepted\n"),
        (["gateway", "add", "x", "--kind", "routing", "--priority", "-1"],
         "cannot use '-1' as --priority: a whole number from 0 to 1000000 is accepted\n"),
        (["gateway", "add", "x", "--kind", "routing", "--capacity", "x"],
         "cannot use 'x' as --capacity: a whole number from 0 to 1000000 is accepted\n"),
        (["cdr", "list", "--limit", "0"],
         "cannot use '0' as --limit: a whole number from 1 to 10000 is accepted\n"),
        (["cdr", "export", "--format", "xml"],
         "cannot use 'xml' as --format: csv or json is accepted\n"),
        (["blacklist", "add", "1", "--side", "nobody"],
         "cannot use 'nobody' as --side: caller, callee or both is accepted\n"),
        (["blacklist", "add", "1", "--expires", "soon"], "cannot use 'soon' as a length of time: "
         "a number with its unit such as 90s 15m 2h 1d is accepted\n"),
        (["gateway", "add", "x"],
         "cannot do without --kind: mapping or routing is accepted\n  see vosctl gateway add"),
        (["call", "show"], "cannot do without ID\n  see vosctl call show --help\n"),
        (["param", "show", "SS_NOPE"], "cannot find a parameter 'SS_NOPE': vosctl param list"),
        (["param", "list", "--group", "x"], "cannot find a group 'x' of parameters\n  accepted: t"),
    ],
)  # fmt: skip
def test_2_usage(vosctl: Vosctl, args: list[str], error: str) -> None:
    ran = vosctl(*args)
    assert (ran.code, ran.out) == (2, "")
    assert error in ran.err


def test_6_too_slow(tmp_path: Path) -> None:
    with answering(tmp_path / "s", None) as path:
        ran = run(path, "--timeout", "0.1", "status")
    assert ran == (
        6,
        "",
        "cannot wait longer than 0.1 s for vosd's answer\n"
        "  what was asked for may still be done: look before you repeat it. A longer wait:"
        " --timeout S; is the machine overloaded or its disk stuck?\n",
    )


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "cannot understand the answer from "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\xfe{}", "cannot understand the answ"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nOops", "cannot understand HTTP 500 from "),
    ],
)
def test_1_somebody_else_answers(tmp_path: Path, answer: bytes, error: str) -> None:
    with answering(tmp_path / "s", answer) as path:
        ran = run(path, "status")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(error)


def answering(path: Path, answer: bytes | None) -> Any:
    """A server of one connection that sends `answer` and closes, or says nothing."""
    from contextlib import contextmanager

    @contextmanager
    def serve() -> Iterator[Path]:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            done = threading.Event()

            def once() -> None:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    if answer is None:
                        done.wait(10)
                    else:
                        connection.sendall(answer)

            thread = threading.Thread(target=once)
            thread.start()
            yield path
            done.set()
            thread.join()

    return serve()


def test_a_terminal_that_lacks_a_letter(daemon: Stub) -> None:
    daemon.answer("GET /v1/status", status(node="käl王"))
    ran = subprocess.run(
        [sys.executable, "-m", "vosctl", "status"],
        env={**os.environ, "VOSCTL_SOCKET": str(daemon.path), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("node           k\\xe4l\\u738b, ")


# where the socket is


@pytest.mark.parametrize(
    ("environ", "uid", "paths"),
    [
        ({"XDG_RUNTIME_DIR": "/run/user/7"}, 0, [str(SYSTEM_SOCKET)]),
        ({"XDG_RUNTIME_DIR": "/run/7"}, 7, ["/run/7/vosd/control.sock", str(SYSTEM_SOCKET)]),
        ({"HOME": "/home/b"}, 7,
         ["/home/b/.local/state/vosd/control.sock", str(SYSTEM_SOCKET)]),
    ],
)  # fmt: skip
def test_default_sockets(environ: dict[str, str], uid: int, paths: list[str]) -> None:
    assert list(map(str, default_sockets(environ, uid))) == paths


def test_a_reader_without_a_switch_of_his_own_uses_the_systems(
    daemon: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 7)
    monkeypatch.setattr("vosctl.client.SYSTEM_SOCKET", daemon.path)
    daemon.answer("GET /v1/status", status())
    for own in ("nothing", "a dead socket"):
        if own == "a dead socket":
            (tmp_path / "vosd").mkdir()
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(tmp_path / "vosd/control.sock"))
        assert run(None, "status", XDG_RUNTIME_DIR=str(tmp_path)).code == 0


# help


def leaves() -> Iterator[tuple[str, Any]]:
    """Every command with its full name."""

    def walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        if not getattr(command, "commands", None):
            yield name, command
            return
        for child, sub in command.commands.items():
            yield from walk(f"{name} {child}".strip(), sub)

    yield from walk("", get_command(app))


LEAVES = dict(leaves())


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_and_each_of_its_options_has_help(name: str) -> None:
    command = LEAVES[name]
    assert command.help
    assert command.help.strip()[0].isupper()
    for param in command.params:
        # an argument's metavar may say enough: NAME
        assert param.help or (param.param_type_name == "argument" and param.metavar), param.name
    assert run(None, *name.split(), "--help").code == 0


@pytest.mark.parametrize("area", COMMANDS)
def test_every_area_has_help(area: str) -> None:
    ran = run(None, area, "--help")
    assert (ran.code, ran.err) == (0, "")


#: what changes something and therefore takes --why and --dry-run
CHANGES = [
    name for name in LEAVES
    if name.split()[-1] in ("add", "set", "remove", "enable", "disable", "hangup", "apply", "reset")
]  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_takes_why_and_dry_run(name: str) -> None:
    options = {option for param in LEAVES[name].params for option in param.opts}
    assert {"--why", "--dry-run"} <= options


def test_the_promised_commands_are_there() -> None:
    promised = """status
        param list|show|set|reset|diff|history|lint
        gateway add|list|show|set|enable|disable|remove|probe
        phone add|list|show|set|remove
        blacklist add|remove|list|check
        call list|show|hangup
        cdr list|show|export
        diagnose call|gateway|session|recent""".splitlines()
    for line in promised:
        area, _, verbs = line.strip().partition(" ")
        for verb in verbs.split("|"):
            assert f"{area} {verb}".strip() in LEAVES


def test_top_help_lists_every_area() -> None:
    ran = run(None, "--help")
    assert (ran.code, ran.err) == (0, "")
    for area, line in COMMANDS.items():
        assert f"  {area:<11}{line}\n" in ran.out


# start-up


HEAVY = ("rich", "pydantic", "http.client", "msgspec", "vosd.wire", "vosd.catalog", "vosctl.client")


def test_help_loads_nothing_it_does_not_need() -> None:
    code = (
        "import sys\nfrom vosctl.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert ran.stderr == "[]\n"


def test_status_draws_without_rich_and_parses_without_pydantic(daemon: Stub) -> None:
    daemon.answer("GET /v1/status", status())
    code = (
        "import sys\nfrom vosctl.main import main\n"
        "try: main(['status'])\nexcept SystemExit: pass\n"
        "heavy = ('rich', 'pydantic', 'vosd.catalog', 'vosd.diagnose', 'ssl')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    env = {**os.environ, "VOSCTL_SOCKET": str(daemon.path)}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, env=env
    )
    assert ran.stdout.startswith("node ")
    assert ran.stderr == "['ssl']\n"
