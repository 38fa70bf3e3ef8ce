# SPDX-License-Identifier: GPL-2.0-or-later
"""The delay a peer adds to an answer, from a capture: sipp's own clock ticks too coarsely.

For each call: INVITE in to INVITE out, and 200 in to 200 out. What the callee takes between the
two is left out. The calls of both legs are matched by the user in From.
"""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from socket import inet_aton

from bench.sip_peers import CALLEE, CALLEE_PORT, CALLER, CALLER_PORT, GUEST_PORT
from tests.interop.capture import Capture

_user = re.compile(rb"\nFrom:[^\n]*sip:(\w+)@", re.I).search
_cseq = re.compile(rb"\nCSeq:[^\n]*INVITE", re.I).search
#: lo speaks Ethernet to captures; IPv4 without options; UDP
HEADERS = 14 + 20 + 8
MAGIC = {0xA1B2C3D4: 1e3, 0xA1B23C4D: 1e6}
"""Fractions of a second per ms, by the pcap file's magic number."""


class Delays:
    """Watches from construction until `added_ms` is asked for."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / f"delays-{time.monotonic_ns()}.pcap"
        self._capture = Capture(
            self._path,
            ports=(CALLER_PORT, GUEST_PORT, CALLEE_PORT),
            prefix=("taskset", "-c", "0"),
            length=700,
        )

    def added_ms(self) -> list[float]:
        """Delay added to each call that was answered, sorted."""
        self._capture.stop()
        times: dict[bytes, dict[str, float]] = {}
        for at, name, user in self._events():
            times.setdefault(user, {}).setdefault(name, at)
        self._path.unlink()
        whole = [seen for seen in times.values() if len(seen) == 4]
        return sorted(
            seen["invite out"] - seen["invite in"] + seen["200 out"] - seen["200 in"]
            for seen in whole
        )

    def _events(self) -> Iterator[tuple[float, str, bytes]]:
        """(ms, what passed, user) of every INVITE and every 200 to one."""
        caller, callee = inet_aton(CALLER), inet_aton(CALLEE)
        for at, packet in packets(self._path.read_bytes()):
            sip, source, target = packet[HEADERS:], packet[26:30], packet[30:34]
            invite = sip.startswith(b"INVITE ")
            if not invite and not (sip.startswith(b"SIP/2.0 200") and _cseq(sip)):
                continue
            user = _user(sip)
            if user is None:
                continue
            if source == caller or target == callee:
                yield at, "invite in" if source == caller else "invite out", user[1]
            else:
                yield at, "200 in" if source == callee else "200 out", user[1]


def packets(data: bytes) -> Iterator[tuple[float, bytes]]:
    """(ms since the epoch, octets) of every packet of a pcap file."""
    (magic,) = struct.unpack_from("<I", data)
    per_ms, at = MAGIC[magic], 24
    while at + 16 <= len(data):
        seconds, fraction, length, _ = struct.unpack_from("<IIII", data, at)
        at += 16
        yield seconds * 1e3 + fraction / per_ms, data[at : at + length]
        at += length
