# SPDX-License-Identifier: GPL-2.0-or-later
"""A served stand-in node, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control.standin import Running, serving
from vosctl.client import Client


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with serving(tmp_path) as server:
        yield server


@pytest.fixture
def client(running: Running) -> Client:
    return Client(running.path, timeout=10)
