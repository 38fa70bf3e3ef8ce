# SPDX-License-Identifier: GPL-2.0-or-later
"""A store in a directory of its own, and rows to put into it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vosd.store import Store, Tuning

#: waits of tests end much earlier; this only keeps a broken writer from hanging the run
PATIENCE_S = 20.0


def url(path: Path) -> str:
    return f"sqlite:///{path}"


class Answers:
    """A `done` callback that keeps what it was told."""

    def __init__(self, expected: int = 1) -> None:
        self.told: list[str | None] = []
        self._expected = expected
        self._all = threading.Event()

    def __call__(self, error: str | None) -> None:
        self.told.append(error)
        if len(self.told) >= self._expected:
            self._all.set()

    def wait(self) -> list[str | None]:
        assert self._all.wait(PATIENCE_S), f"{len(self.told)} answers of {self._expected}"
        return self.told


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "vosd.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store.open(url(path), node="edge-1", tuning=Tuning(busy_ms=50))
    yield opened
    opened.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    if os.geteuid() != 0:
        pytest.skip("not root: cannot mount a small file system to fill")
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(where)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.decode().strip()}")
    yield where
    subprocess.run(["umount", "--lazy", str(where)], check=True)


def fill(ballast: Path) -> None:
    """Write until nothing more goes in."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
