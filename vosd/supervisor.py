# SPDX-License-Identifier: GPL-2.0-or-later
"""What systemd is told (sd_notify(3)): a datagram of lines to $NOTIFY_SOCKET, or nothing."""

from __future__ import annotations

import os
import socket
import time


class Supervisor:
    """Sends state to the service manager; silent when there is none."""

    def __init__(self, address: str | None = None) -> None:
        self._address = address if address is not None else os.environ.get("NOTIFY_SOCKET", "")

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, text: str) -> None:
        self._send(f"STATUS={text}")

    def reloading(self) -> None:
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, extend_s: float) -> None:
        """Going down, which may take `extend_s` seconds more."""
        self._send(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={int(extend_s * 1e6)}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            # a manager that does not read is no reason for calls to wait
            sock.setblocking(False)
            try:
                sock.sendto(text.encode(), address)
            except OSError:
                return
