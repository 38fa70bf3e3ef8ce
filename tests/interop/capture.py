# SPDX-License-Identifier: GPL-2.0-or-later
"""What really went over loopback, as tshark saw and decoded it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

DISCARD = 9


class Capture:
    """UDP on `lo` into `path` (pcap) from construction to `stop`; marks prove it is whole.

    `ports` narrow it down; `prefix` is put before the command (taskset and kin).
    """

    def __init__(
        self, path: Path, ports: Iterable[int] = (), prefix: Sequence[str] = (), length: int = 2048
    ) -> None:
        self.path = path
        chosen = " or ".join(f"udp port {port}" for port in ports)
        shown = f"{chosen} or udp port {DISCARD}" if chosen else "udp"
        self._process = subprocess.Popen(
            [
                *prefix,
                "tshark",
                "-q",
                "-i",
                "lo",
                "-s",
                str(length),
                "-f",
                shown,
                "-F",
                "pcap",
                "-w",
                str(path),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._mark()

    def _mark(self) -> None:
        """Send marks until the file holds one: then everything before it is in the file too."""
        mark = os.urandom(16)
        deadline = time.monotonic() + 10
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not (self.path.exists() and mark in _end_of(self.path)):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("tshark did not capture on lo")
                sender.sendto(mark, ("127.0.0.1", DISCARD))
                time.sleep(0.1)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._mark()
            self._process.send_signal(signal.SIGINT)
            self._process.wait(10)

    def fields(self, shown: str, *names: str, sip_ports: Iterable[int] = ()) -> list[list[str]]:
        """One row of field values per packet that the display filter lets through."""
        command = ["tshark", "-r", str(self.path), "--enable-heuristic", "rtp_udp", "-Y", shown]
        for port in sip_ports:
            command += ["-d", f"udp.port=={port},sip"]
        command += ["-T", "fields", *(word for name in names for word in ("-e", name))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]


def _end_of(path: Path, octets: int = 1 << 20) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - octets))
        return file.read()


def may_capture() -> bool:
    """Whether this user may capture on lo (root, or dumpcap's capabilities)."""
    try:
        done = subprocess.run(
            ["tshark", "-i", "lo", "-a", "duration:0", "-c", "1"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
