# SPDX-License-Identifier: GPL-2.0-or-later
"""`vosd --check`: what it says, its exit code, and that it leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def vosd(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vosd", *words],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def written(directory: Path, more: str = "") -> Path:
    path = directory / "vosd.toml"
    path.write_text(
        f'node = "edge-1"\nstate_dir = "{directory}/state"\n'
        f'control_socket = "{directory}/run/control.sock"\n{more}'
        '[[listen]]\naddress = "127.0.0.1:5070"\n[[listen]]\naddress = "[::1]"\ntransport = "tcp"\n'
    )
    return path


def test_a_good_file_is_one_line(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "state/vosd.db").touch()
    ran = vosd("--config", str(path), "--check")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == (
        f"{path}: good; node edge-1, listens on 127.0.0.1:5070/udp [::1]:5060/tcp, "
        f"control socket {tmp_path}/run/control.sock, database sqlite:///{tmp_path}/state/vosd.db\n"
    )


def test_checking_creates_nothing_and_says_what_start_would(tmp_path: Path) -> None:
    path = written(tmp_path)
    ran = vosd("--config", str(path), "--check")
    assert ran.returncode == 0
    assert ran.stderr == (
        f"vosd: state_dir {tmp_path}/state does not exist: vosd makes it when it starts\n"
        f"vosd: the database {tmp_path}/state/vosd.db does not exist: vosd makes it when it starts"
        f"\nvosd: the directory of control_socket {tmp_path}/run does not exist: vosd makes it when"
        " it starts\n"
    )
    assert list(tmp_path.iterdir()) == [path]


def test_a_bad_file_is_a_line_for_every_mistake(tmp_path: Path) -> None:
    path = written(tmp_path, 'media_address = "here"\nlog = 1\n')
    for words in (["--check"], []):
        ran = vosd("--config", str(path), *words)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert ran.stderr == (
            f'vosd: cannot use {path} line 4: media_address = "here", accepted is an IP address'
            " others can send to, for instance 203.0.113.5\n"
            f"vosd: cannot use {path} line 5: log = 1, accepted is a table [log]\n"
        )
        assert list(tmp_path.iterdir()) == [path]


def test_the_defaults_are_good() -> None:
    ran = vosd("--check")
    assert ran.returncode == 0
    assert ran.stdout.startswith("embedded defaults: good; node ")
    assert "listens on 0.0.0.0:5060/udp" in ran.stdout
