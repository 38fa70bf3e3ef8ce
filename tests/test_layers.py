# SPDX-License-Identifier: GPL-2.0-or-later
"""The import contracts bite: each planted violation is refused by the contract that forbids it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for package in ("vosd", "vosctl"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(tree), "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


PLANTED = {
    "vosd/switch/routing.py": ("import time", "Pure packages take time, chance and bytes"),
    "vosd/sip/uri.py": ("import vosd.sip.endpoint", "sip is layered"),
    "vosd/store/cdr.py": ("import vosd.engine.calls", "vosd is layered"),
    "vosd/media/ports.py": ("import vosd.catalog", "Parameter names stop at the engine"),
    "vosctl/commands/cdr.py": ("import vosd.store.cdr", "vosctl reaches live state"),
    "vosd/switch/call.py": ("import vosd.sip.message", "The switch thinks in call events"),
}


def test_the_tree_keeps_every_contract_and_planted_violations_do_not(tree: Path) -> None:
    clean = lint(tree)
    assert clean.returncode == 0, clean.stdout
    for name, (line, _) in PLANTED.items():
        path = tree / name
        path.write_text(path.read_text() + f"\n{line}  # planted\n")
    broken = lint(tree)
    assert broken.returncode == 1
    refused = [row for row in broken.stdout.splitlines() if row.endswith("BROKEN")]
    for contract in (contract for _, contract in PLANTED.values()):
        assert any(contract in row for row in refused), f"{contract}: not refused\n{broken.stdout}"
