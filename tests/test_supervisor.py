# SPDX-License-Identifier: GPL-2.0-or-later
"""What the service manager hears, taken from a socket of our own (sd_notify(3))."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from vosd.supervisor import Supervisor


@pytest.mark.parametrize("abstract", [False, True])
def test_each_word_to_the_service_manager(tmp_path: Path, abstract: bool) -> None:
    name = f"@vosd-test-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        manager.settimeout(2)
        supervisor = Supervisor(name)
        supervisor.ready("3 calls")
        supervisor.alive()
        supervisor.stopping(300)
        heard = [manager.recv(1000).decode() for _ in range(3)]
    assert heard == [
        "READY=1\nSTATUS=3 calls",
        "WATCHDOG=1",
        "STOPPING=1\nEXTEND_TIMEOUT_USEC=300000000",
    ]


def test_without_a_manager_nothing_happens() -> None:
    Supervisor("").ready("x")
    Supervisor("/nowhere/at/all").alive()
