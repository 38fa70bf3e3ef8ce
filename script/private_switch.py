# SPDX-License-Identifier: GPL-2.0-or-later
"""A vosd of one's own: private directory, loopback ports, started and ended by process id."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class NotReady(Exception):
    """The daemon ended, or said nothing, before READY=1; the text holds the end of its log."""


def free_port(host: str = "127.0.0.1") -> int:
    """A UDP port nobody holds now. The caller binds it soon; nothing reserves it meanwhile."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def endpoint(host: str, port: int) -> str:
    """`host:port` as a configuration file and the command line write it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class PrivateSwitch:
    """One vosd under `directory`; `hosts` are the loopback addresses it listens on.

    `port` 0 takes a free one.
    """

    def __init__(
        self,
        directory: Path,
        hosts: Sequence[str] = ("127.0.0.1",),
        node: str = "private",
        port: int = 0,
    ) -> None:
        self.directory = directory
        self.node = node
        self.listens = [(host, port or free_port(host)) for host in hosts]
        self.socket = directory / "control.sock"
        self.config = directory / "vosd.toml"
        self.log = directory / "vosd.log"
        self.process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self.config.write_text(self._toml(), "utf-8")

    def _toml(self) -> str:
        lines = [
            f'node = "{self.node}"',
            f'state_dir = "{self.directory}/state"',
            f'control_socket = "{self.socket}"',
            f'database_url = "sqlite:///{self.directory}/state/vosd.db"',
        ]
        for host, port in self.listens:
            lines += ["", "[[listen]]", f'address = "{endpoint(host, port)}"', 'transport = "udp"']
        return "\n".join(lines) + "\n"

    @property
    def address(self) -> str:
        """The first listening socket as `host:port`."""
        return endpoint(*self.listens[0])

    @property
    def port(self) -> int:
        return self.listens[0][1]

    @property
    def pid(self) -> int:
        assert self.process is not None, "the switch is not running"
        return self.process.pid

    def start(self, timeout_s: float = 20.0) -> float:
        """Start and wait for READY=1; seconds it took. NotReady says what the log says."""
        began = time.monotonic()
        with notify_socket(self.directory) as (path, notify), self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vosd", "--config", str(self.config)],
                cwd=ROOT,
                env=os.environ | {"NOTIFY_SOCKET": path},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            while not says_ready(notify, 0.05):
                late = time.monotonic() - began > timeout_s
                if late or self.process.poll() is not None:
                    self.kill()
                    raise NotReady(f"vosd did not become ready; {self.log} ends:\n{self.tail()}")
        return time.monotonic() - began

    def tail(self, lines: int = 20) -> str:
        text = self.log.read_text("utf-8", "replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def vosctl(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the real `vosctl` against this switch; with `check` a non-zero exit raises."""
        done = subprocess.run(
            [sys.executable, "-m", "vosctl", "--socket", str(self.socket), *words],
            cwd=ROOT,
            env=os.environ | {"NO_COLOR": "1", "COLUMNS": "160"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )
        if check and done.returncode != 0:
            raise RuntimeError(
                f"vosctl {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done

    def json(self, *words: str) -> Any:
        return json.loads(self.vosctl("--json", *words).stdout)

    def stop(self, timeout_s: float = 15.0) -> int:
        """SIGTERM, wait, exit status; still there after `timeout_s` it is killed (-9)."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(timeout_s)
        return self.kill()

    def kill(self) -> int:
        assert self.process is not None
        self.process.kill()
        return self.process.wait()

    def close(self) -> None:
        """End the daemon whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.kill()


@contextlib.contextmanager
def notify_socket(directory: Path) -> Iterator[tuple[str, socket.socket]]:
    """A service manager's $NOTIFY_SOCKET, in the abstract namespace (sd_notify(3))."""
    name = f"vosd-notify-{os.getpid()}-{directory.name}-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind("\0" + name)
        yield "@" + name, notify


def says_ready(notify: socket.socket, wait_s: float) -> bool:
    readable, _, _ = select.select([notify], [], [], wait_s)
    return bool(readable) and b"READY=1" in notify.recv(4096).split(b"\n")
