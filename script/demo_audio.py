# SPDX-License-Identifier: GPL-2.0-or-later
"""One party's audio: a tone sent as G.711 every 20 ms, what comes back decoded and kept."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import time
from collections import deque

import msgspec

from script.tone import RATE, amplitude, hears
from vosd.rtp import g711, rtcp

FRAME = 160
"""Samples in 20 ms at 8 kHz."""
INTERVAL_S = 0.02
REPORT_S = 2.0
PCMA = 8
NTP_EPOCH = 2208988800
"""Seconds from 1900 to 1970 (RFC 5905)."""


class Impairment(msgspec.Struct, frozen=True):
    """What happens to packets before they leave: `loss` 0-1, extra delay 0 to `jitter_ms`."""

    loss: float = 0.0
    jitter_ms: float = 0.0


class Audio:
    """An RTP and an RTCP socket on an even and the next odd port (RFC 3550 11)."""

    def __init__(self, host: str, hertz: int, impairment: Impairment, seed: int) -> None:
        self.hertz = hertz
        self._impairment = impairment
        self._chance = random.Random(seed)
        self._rtp, self._rtcp = _port_pair(host)
        self.port: int = self._rtp.getsockname()[1]
        self._ssrc = self._chance.getrandbits(32)
        second = g711.encode_alaw(g711.tone(hertz, RATE))
        self._frames = [second[at : at + FRAME] for at in range(0, RATE, FRAME)]
        #: the last second heard, A-law frames
        self._heard: deque[bytes] = deque(maxlen=RATE // FRAME)
        self.sent = self.dropped = self.received = 0
        self._remote_ssrc = self._first = self._highest = 0
        self._report = (0, 0.0)
        self._task: asyncio.Task[None] | None = None

    def start(self, target: tuple[str, int]) -> None:
        """Send to `target` from now on; called again it changes the target."""
        self._target = target
        if self._task is None:
            loop = asyncio.get_running_loop()
            loop.add_reader(self._rtp, self._on_rtp)
            loop.add_reader(self._rtcp, self._on_rtcp)
            self._task = loop.create_task(self._play())

    def close(self) -> None:
        if self._task is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._rtp)
            loop.remove_reader(self._rtcp)
            self._task.cancel()
        self._rtp.close()
        self._rtcp.close()

    def hears(self, wanted: int, others: list[int]) -> bool:
        """Whether the last second is the tone `wanted`, clear of `others` and of our own."""
        return hears(self._samples(), wanted, [*others, self.hertz])

    def level(self, hertz: int) -> float:
        return amplitude(self._samples(), hertz)

    def _samples(self) -> list[int]:
        return list(g711.decode_alaw(b"".join(self._heard)))

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        report = due + REPORT_S / 2
        while True:
            self._send_frame(loop)
            if loop.time() >= report:
                report += REPORT_S
                self._send_report()
            due += INTERVAL_S
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _send_frame(self, loop: asyncio.AbstractEventLoop) -> None:
        number = self.sent + self.dropped
        if self._chance.random() < self._impairment.loss:
            self.dropped += 1
            return
        self.sent += 1
        packet = struct.pack("!BBHII", 0x80, PCMA, number & 0xFFFF, number * FRAME, self._ssrc)
        packet += self._frames[number % len(self._frames)]
        if self._impairment.jitter_ms:
            late = self._chance.random() * self._impairment.jitter_ms / 1000
            loop.call_later(late, self._send, self._rtp, packet, 0)
        else:
            self._send(self._rtp, packet, 0)

    def _send(self, sock: socket.socket, packet: bytes, offset: int) -> None:
        # a delayed packet may outlive the call; the far end's port may be closed already
        with contextlib.suppress(OSError):
            sock.sendto(packet, (self._target[0], self._target[1] + offset))

    def _on_rtp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._take(self._rtp.recv(2048))

    def _take(self, packet: bytes) -> None:
        if len(packet) != 12 + FRAME or packet[1] & 0x7F != PCMA:
            return
        _, _, number, _, ssrc = struct.unpack_from("!BBHII", packet)
        if self.received == 0:
            self._first = self._highest = number
            self._remote_ssrc = ssrc
        # the call is shorter than a turn of the 16-bit counter
        self._highest = max(self._highest, number)
        self.received += 1
        self._heard.append(packet[12:])

    def _on_rtcp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                compound = rtcp.parse(self._rtcp.recv(2048))
                if compound is not None and compound.senders:
                    self._report = (compound.senders[-1].middle, time.monotonic())

    def _send_report(self) -> None:
        """A sender report with what was heard of the other side (RFC 3550 6.4.1)."""
        wall = time.time() + NTP_EPOCH
        ntp = int(wall) << 32 | int(wall % 1 * 2**32)
        number = self.sent + self.dropped
        sender = rtcp.SenderInfo(self._ssrc, ntp, number * FRAME, self.sent, self.sent * FRAME)
        blocks = (self._block(),) if self.received else ()
        self._send(self._rtcp, rtcp.build_sender_report(sender, blocks), 1)

    def _block(self) -> rtcp.ReportBlock:
        expected = self._highest - self._first + 1
        lost = max(0, expected - self.received)
        middle, at = self._report
        delay = int((time.monotonic() - at) * 65536) if middle else 0
        return rtcp.ReportBlock(
            self._remote_ssrc, lost * 256 // max(1, expected), lost, self._highest, 0, middle, delay
        )


def _port_pair(host: str) -> tuple[socket.socket, socket.socket]:
    for _ in range(50):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        two = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            one.bind((host, 0))
            port = one.getsockname()[1]
            if port % 2 == 0:
                two.bind((host, port + 1))
                one.setblocking(False)
                two.setblocking(False)
                return one, two
        except OSError:
            pass
        one.close()
        two.close()
    raise RuntimeError(f"cannot find an even and the next odd free port on {host}")
