# SPDX-License-Identifier: GPL-2.0-or-later
"""A call that was answered has a record, whatever is killed and whenever."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.store.conftest import url
from vosd.store import Store

RUNS = 20


def killed_run(path: Path, run: str, after_s: float) -> list[list[str]]:
    """What the victim said until SIGKILL met it, some time after its first commit."""
    command = [sys.executable, "-m", "tests.store.writing", url(path), run]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        said = [victim.stdout.readline().split()]
        threading.Timer(after_s, victim.kill).start()
        said += [line.split() for line in victim.stdout if line.endswith("\n")]
    assert victim.returncode == -9
    return said


def stored(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    found = dict(connection.execute("SELECT id, state FROM calls").fetchall())
    connection.close()
    return found


@pytest.mark.timeout(180)
def test_what_was_acknowledged_survives_sigkill(path: Path) -> None:
    """Reliability section 6: 20 times SIGKILL, 0 acknowledged rows lost, node_lost once."""
    chance = random.Random(0)
    lost = 0
    for number in range(RUNS):
        said = killed_run(path, f"r{number:02d}", chance.uniform(0.0, 0.4))
        assert said[0] == ["recovered", str(lost)]
        found = stored(path)
        assert {what for what, _ in said[1:]} <= {"open", "closed"}
        answered = {id for _, id in said[1:]}
        closed = {id for what, id in said[1:] if what == "closed"}
        assert answered - found.keys() == set()
        assert {found[id] for id in closed} <= {"closed"}
        lost = sum(state == "open" for state in found.values())
    assert lost > 0

    store = Store.open(url(path), node="edge-1")
    assert store.cdr.recover(1e6) == lost
    assert store.cdr.recover(1e6) == 0
    reasons = {(row.state, row.end_reason) for row in store.cdr.iterate()}
    store.close()
    assert reasons == {("closed", "normal"), ("recovered", "node_lost")}
    assert "open" not in stored(path).values()
