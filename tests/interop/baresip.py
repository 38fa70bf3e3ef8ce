# SPDX-License-Identifier: GPL-2.0-or-later
"""baresip as a phone without a sound card: plays a tone, records what it hears, obeys ctrl_tcp."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import subprocess
import time
import wave
from pathlib import Path
from typing import Any

from script.private_switch import free_port
from script.tone import RATE
from vosd.rtp.g711 import tone

#: net_interface takes the address: "lo" fails. sndfile.so records, stdio.so cannot poll /dev/null.
CONFIG = """\
poll_method epoll
sip_listen {host}:{port}
audio_source aufile,{directory}/tone.wav
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
ausrc_format s16
auplay_format s16
rtp_tos 184
rtcp_mux no
jitter_buffer_delay 5-10
rtp_stats yes
rtp_ports {rtp}-{rtp_end}
net_interface {host}
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {directory}/heard
"""


class Baresip:
    """One baresip process; `account` is the part after the address of record."""

    def __init__(
        self, directory: Path, host: str, user: str, domain: str, account: str, hertz: int
    ) -> None:
        self.directory, self.host, self.port = directory, host, free_port(host)
        (directory / "heard").mkdir(parents=True)
        self.domain = domain or f"{host}:{self.port}"
        control, rtp = _free_tcp_port(), free_port(host) & ~1
        (directory / "config").write_text(
            CONFIG.format(
                host=host,
                port=self.port,
                directory=directory,
                rtp=rtp,
                rtp_end=rtp + 20,
                control=control,
            )
        )
        codecs = "audio_codecs=PCMA/8000/1,PCMU/8000/1"
        (directory / "accounts").write_text(f"<sip:{user}@{self.domain}>;{account};{codecs}\n")
        (directory / "contacts").write_text("")
        _write_tone(directory / "tone.wav", hertz)
        self.events: list[dict[str, Any]] = []
        self._rest = b""
        self.log = directory / "log"
        self.process = subprocess.Popen(
            ["baresip", "-f", str(directory)],
            stdin=subprocess.DEVNULL,
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
        )
        self._control = _connect(control)

    def command(self, name: str, params: str = "") -> None:
        text = json.dumps({"command": name, "params": params, "token": name}).encode()
        self._control.sendall(b"%d:%b," % (len(text), text))

    def wait_for(self, event: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """The next event of this type; RuntimeError with the log when none comes."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self._poll()
            for index, seen in enumerate(self.events):
                if seen.get("type") == event:
                    del self.events[: index + 1]
                    return seen
        log = self.log.read_text("utf-8", "replace")[-2000:]
        raise RuntimeError(f"baresip gave no {event} within {timeout_s} s:\n{log}")

    def heard(self) -> list[int]:
        """Samples decoded from what was received, of the longest recording."""
        files = list((self.directory / "heard").glob("*-dec.wav"))
        return _read_wave(max(files, key=lambda path: path.stat().st_size)) if files else []

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.command("quit")
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._control.close()

    def _poll(self) -> None:
        with contextlib.suppress(TimeoutError):
            self._rest += self._control.recv(65536)
        while b":" in self._rest:
            length, _, rest = self._rest.partition(b":")
            size = int(length)
            if len(rest) < size + 1:
                return
            self.events.append(json.loads(rest[:size]))
            self._rest = rest[size + 1 :]


def _connect(port: int) -> socket.socket:
    deadline = time.monotonic() + 5
    while True:
        try:
            control = socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            control.settimeout(0.2)
            return control


def _free_tcp_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_tone(path: Path, hertz: int, seconds: int = 30) -> None:
    samples = tone(hertz, RATE) * seconds
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def _read_wave(path: Path) -> list[int]:
    """16-bit samples; a recording that is still open has no length in its header yet."""
    data = path.read_bytes()[44:]
    return list(struct.unpack(f"<{len(data) // 2}h", data[: len(data) // 2 * 2]))
