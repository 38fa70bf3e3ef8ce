# SPDX-License-Identifier: GPL-2.0-or-later
"""systemd accepts the unit, and finds it well fenced."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from script.private_switch import ROOT
from tests.interop.programs import needs

pytestmark = needs("systemd-analyze")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists here in ExecStart's place."""
    text = (ROOT / "systemd" / "vosd.service").read_text("utf-8")
    assert "ExecStart=/opt/vos/bin/vosd " in text
    copy = tmp_path / "vosd.service"
    copy.write_text(text.replace("/opt/vos/bin/vosd", "/bin/true"), "utf-8")
    return copy


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=60)


def test_unit_verifies(unit: Path) -> None:
    done = analyze("verify", "--man=no", str(unit))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_unit_exposure_is_ok(unit: Path) -> None:
    """At most 2.0 on systemd's scale of 0 (fenced) to 10 (open)."""
    done = analyze("security", "--offline=true", str(unit))
    found = re.search(r"Overall exposure level for vosd.service: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) <= 2.0
