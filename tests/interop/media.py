# SPDX-License-Identifier: GPL-2.0-or-later
"""RTP parties of our own: one socket each, a packet every 20 ms, everything that comes counted."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
import time
from collections.abc import Mapping

INTERVAL_S = 0.02
PAYLOAD_TYPE = 8
IP_RECVTOS = 13
"""Linux in.h; the socket module of Python 3.11 does not name it."""

Address = tuple[str, int]


class Party:
    """One RTP socket. `target` None: silent."""

    def __init__(self, host: str, ssrc: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.setblocking(False)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
        self.port = int(self.socket.getsockname()[1])
        self.ssrc = ssrc
        self.target: Address | None = None
        self.sent = self.received = self.foreign = 0
        self.tos: set[int] = set()
        self._sequence = ssrc & 0x7FFF

    def send(self) -> None:
        if self.target is None:
            return
        number = self._sequence & 0xFFFF
        header = struct.pack(
            "!BBHII", 0x80, PAYLOAD_TYPE, number, number * 160 & 0xFFFFFFFF, self.ssrc
        )
        # RTCP or RTP to a closed port comes back as ECONNREFUSED on the next call
        with contextlib.suppress(ConnectionRefusedError):
            self.socket.sendto(header + bytes(160), self.target)
            self.sent += 1
        self._sequence += 1

    def drain(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            while True:
                _, extra, _, source = self.socket.recvmsg(2048, 64)
                if self.target is not None and source[:2] != self.target:
                    self.foreign += 1
                    continue
                self.received += 1
                self.tos.update(value[0] for _, kind, value in extra if kind in (1, IP_RECVTOS))


class Crowd:
    """`count` parties on one host, served by one thread between `start` and `stop`."""

    def __init__(self, host: str, count: int, ssrc: int) -> None:
        self.parties = [Party(host, ssrc + number) for number in range(count)]
        self.by_port = {party.port: party for party in self.parties}
        self._sending = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def ports(self) -> list[int]:
        return [party.port for party in self.parties]

    def start(self, targets: Mapping[int, Address]) -> None:
        """Send from each named port to its target; parties left out stay silent."""
        for port, target in targets.items():
            self.by_port[port].target = target
        self._sending.set()

    def stop(self) -> None:
        """Send no more; what is on its way still counts."""
        self._sending.clear()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(2)
        for party in self.parties:
            party.socket.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for party in self.parties:
                selector.register(party.socket, selectors.EVENT_READ, party)
            due = time.monotonic()
            while not self._ended.is_set():
                now = time.monotonic()
                if now >= due:
                    due = max(due + INTERVAL_S, now - INTERVAL_S)
                    if self._sending.is_set():
                        for party in self.parties:
                            party.send()
                for key, _ in selector.select(max(0.0, due - time.monotonic())):
                    key.data.drain()


def address(text: str) -> Address:
    """`host:port` or `[host]:port` as the control interface writes it."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
