# SPDX-License-Identifier: GPL-2.0-or-later
"""sipp as caller and callee: one process, its scenario filled in, its counts read back."""

from __future__ import annotations

import contextlib
import csv
import errno
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

SCENARIOS = Path(__file__).with_name("scenarios")


class Outcome(msgspec.Struct):
    """What one sipp counted, from its last statistics row and its log."""

    code: int
    created: int
    successful: int
    failed: int
    retransmissions: int
    #: lines the scenario logged, in order
    log: list[str]
    errors: str

    def answered(self) -> list[str]:
        """Callers' numbers of the calls this side counts as answered."""
        return [line.split()[1] for line in self.log if line.startswith("answered ")]


class Sipp:
    """One sipp under `directory`; a caller when `remote` is given, otherwise a callee.

    `rows` become the injection file (caller;callee;media port, or media port for a callee),
    `words` replace @NAME@ in the scenario, `options` are passed on as they are.
    """

    def __init__(
        self,
        directory: Path,
        scenario: str,
        *,
        host: str,
        port: int,
        remote: str = "",
        rows: Sequence[Sequence[object]] = ((6000,),),
        words: Mapping[str, object] | None = None,
        calls: int = 0,
        rate: float = 10,
        hold_ms: int = 0,
        options: Sequence[str] = (),
    ) -> None:
        self.directory = directory / f"{scenario}-{port}-{time.monotonic_ns()}"
        self.directory.mkdir(parents=True)
        self.host, self.port = host, port
        text = (SCENARIOS / f"{scenario}.xml").read_text("utf-8")
        for name, value in (words or {}).items():
            text = text.replace(f"@{name}@", str(value))
        (self.directory / "scenario.xml").write_text(text, "utf-8")
        lines = ["SEQUENTIAL", *(";".join(map(str, row)) for row in rows)]
        (self.directory / "rows.csv").write_text("\n".join(lines) + "\n", "utf-8")
        command = ["sipp", "-sf", "scenario.xml", "-inf", "rows.csv", "-i", host, "-p", str(port)]
        command += ["-mi", host, "-nostdin", "-trace_stat", "-stf", "stat.csv", "-fd", "1"]
        command += ["-trace_logs", "-log_file", "log", "-trace_err", "-error_file", "errors"]
        if remote:
            command += ["-r", f"{rate:g}", "-d", str(hold_ms)]
        if calls:
            command += ["-m", str(calls)]
        command += [*options, *([remote] if remote else [])]
        self.stream = any(option in ("t1", "tn") for option in options)
        self.process = subprocess.Popen(
            command,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=(self.directory / "screen").open("wb"),
            stderr=subprocess.STDOUT,
        )
        if not remote:
            self._listening()

    def _listening(self) -> None:
        deadline = time.monotonic() + 5
        while not bound(self.host, self.port, self.stream):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"sipp did not start: {self._read('screen')[-500:]}")
            time.sleep(0.02)

    def wait(self, timeout_s: float = 60) -> Outcome:
        """Until every call is done; a sipp that takes longer is ended and its counts stand."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout_s)
        return self.end()

    def soft(self) -> None:
        """No new calls; the process ends when the last one has (SIGUSR1)."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGUSR1)

    def end(self, grace_s: float = 1.5) -> Outcome:
        """Stop now and read the counts. The last statistics row is at most a second old."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace_s)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        return self.outcome()

    def outcome(self) -> Outcome:
        rows = list(csv.DictReader(self._read("stat.csv").splitlines(), delimiter=";"))
        last = rows[-1] if rows else {}
        return Outcome(
            code=self.process.returncode if self.process.returncode is not None else -1,
            created=int(last.get("TotalCallCreated", 0) or 0),
            successful=int(last.get("SuccessfulCall(C)", 0) or 0),
            failed=int(last.get("FailedCall(C)", 0) or 0),
            retransmissions=int(last.get("Retransmissions(C)", 0) or 0),
            log=self._read("log").splitlines(),
            errors=self._read("errors"),
        )

    def _read(self, name: str) -> str:
        path = self.directory / name
        return path.read_text("utf-8", "replace") if path.exists() else ""


def bound(host: str, port: int, stream: bool = False) -> bool:
    """Whether somebody holds this UDP port, or this TCP port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
