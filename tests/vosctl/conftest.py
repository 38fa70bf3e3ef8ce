# SPDX-License-Identifier: GPL-2.0-or-later
"""A stub daemon for each test, and local time that is UTC."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.vosctl.stub import Ran, Stub, run, stub_daemon


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Stub]:
    with stub_daemon(tmp_path / "control.sock") as stub:
        yield stub


@pytest.fixture
def vosctl(daemon: Stub) -> Callable[..., Ran]:
    """Run the program against the stub."""

    def against(*args: str, input: str | None = None, **env: str) -> Ran:
        return run(daemon.path, *args, input=input, **env)

    return against
