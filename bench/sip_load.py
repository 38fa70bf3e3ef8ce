# SPDX-License-Identifier: GPL-2.0-or-later
"""One run: sipp calls through a peer at a rate, and what it cost, as the kernel counts it."""

from __future__ import annotations

import contextlib
import csv
import os
import subprocess
import time
from pathlib import Path

import msgspec

from bench.sip_delay import Delays
from bench.sip_peers import CALLEE, CALLEE_PORT, CALLER, CALLER_PORT, GUEST_PORT, Peer
from tests.interop.capture import may_capture
from tests.interop.sipp import bound

SCENARIOS = Path(__file__).with_name("scenarios").resolve()
HOLD_MS = 100
#: sipp writes response times in blocks of this many calls; a rest would be lost
RTT_BLOCK = 20


class Run(msgspec.Struct, kw_only=True):
    """Figures of one run. CPU is schedstat of every thread of every process of the peer."""

    peer: str
    mode: str
    rate: float
    calls: int
    #: calls the callee saw through to their BYE; beside held calls, as the caller counts
    answered: int
    failed: int
    retransmissions: int
    cpu_us_per_call: float | None = None
    #: INVITE and 200 through the peer, seen on the wire; None where capturing is not allowed
    p50_ms: float | None = None
    p99_ms: float | None = None
    #: INVITE to 200 as the caller's sipp counts it, in steps of the kernel's tick
    caller_p99_ms: float = 0.0
    #: proportional set size of the peer's processes at the end
    memory_mb: float | None = None

    @property
    def clean(self) -> bool:
        """Every call arrived, none failed, and 99 of 100 were answered within 200 ms."""
        return self.answered == self.calls and self.failed == 0 and self.caller_p99_ms < 200


def cpu_ns(pids: list[int]) -> int:
    """CPU time of all live threads of these processes, ns."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                total += int((task / "schedstat").read_text().split()[0])
    return total


def memory_kb(pids: list[int]) -> int:
    """Proportional set size (shared pages divided among their users), kB."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


class Load:
    """A sipp callee and a sipp caller around a peer, both kept off the peer's cores.

    A guest calls the callee of another load, from another port.
    """

    def __init__(
        self, directory: Path, target: str, *, rate: float, calls: int, hold_ms: int = HOLD_MS,
        guest: bool = False, scenario: str = "uac",
    ) -> None:  # fmt: skip
        self._directory = directory / f"load-{time.monotonic_ns()}"
        self._directory.mkdir(parents=True)
        self.callee = None if guest else self._start_callee()
        patience = int(calls / rate + hold_ms / 1000 + 15)
        port = GUEST_PORT if guest else CALLER_PORT
        self.caller = self._sipp(
            scenario, CALLER, port, "-s", "4420", "-r", f"{rate:g}", "-m", str(calls),
            "-d", str(hold_ms), "-l", "15000", "-timeout", str(patience), "-trace_rtt",
            "-rtt_freq", str(RTT_BLOCK), target,
        )  # fmt: skip

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _start_callee(self) -> subprocess.Popen[bytes]:
        if bound(CALLEE, CALLEE_PORT):
            raise RuntimeError(f"cannot start the callee: {CALLEE}:{CALLEE_PORT} is taken")
        callee = self._sipp("uas", CALLEE, CALLEE_PORT)
        while not bound(CALLEE, CALLEE_PORT):
            if callee.poll() is not None:
                raise RuntimeError(f"sipp did not start: {self._directory}/uas.err")
            time.sleep(0.05)
        return callee

    def _sipp(self, scenario: str, host: str, port: int, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["taskset", "-c", "0", "sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"),
             "-i", host, "-mi", host, "-p", str(port), "-nostdin", "-buff_size", "4000000",
             "-max_socket", "100", "-trace_stat", "-stf", f"{scenario}.csv", "-fd", "1", *options],
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self._directory / f"{scenario}.err").open("wb"),
        )  # fmt: skip

    def end(self) -> None:
        for process in (self.caller, self.callee):
            if process is None or process.poll() is not None:
                continue
            # ended in peace it writes its last statistics row
            process.terminate()
            try:
                process.wait(1)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def counts(self, scenario: str) -> dict[str, int]:
        """Successful and failed calls and retransmissions of one side, from its last row."""
        path = self._directory / f"{scenario}.csv"
        text = path.read_text() if path.exists() else ""
        rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
        names = ("SuccessfulCall(C)", "FailedCall(C)", "Retransmissions(C)", "TotalCallCreated",
                 "FailedMaxUDPRetrans(C)")  # fmt: skip
        return {name: int(rows[-1][name]) if rows else 0 for name in names}

    def delays_ms(self) -> list[float]:
        """INVITE to 200 of every call, sorted."""
        found = []
        for path in self._directory.glob("*rtt.csv"):
            for line in path.read_text().splitlines()[1:]:
                found.append(float(line.split(";")[1]))
        return sorted(found)


def measure(
    peer: Peer,
    directory: Path,
    mode: str,
    rate: float,
    seconds: float,
    *,
    guest: bool = False,
    seen: bool = True,
) -> Run:
    """Calls at `rate` for `seconds` through a peer that runs already; `seen` watches delays."""
    calls = max(RTT_BLOCK, round(rate * seconds / RTT_BLOCK) * RTT_BLOCK)
    pids = peer.pids()
    watch = Delays(directory) if seen and pids and may_capture() else None
    before = cpu_ns(pids)
    with Load(directory, peer.address, rate=rate, calls=calls, guest=guest) as load:
        load.caller.wait()
        # the callee's last statistics row is up to a second late
        time.sleep(1.2)
        used = cpu_ns(pids) - before
        memory = memory_kb(pids) / 1024 if pids else None
    caller = load.counts("uac")
    callee = caller if guest else load.counts("uas")
    added = watch.added_ms() if watch else []
    return Run(
        peer=peer.name,
        mode=mode,
        rate=rate,
        calls=calls,
        answered=callee["SuccessfulCall(C)"],
        failed=caller["FailedCall(C)"],
        retransmissions=caller["Retransmissions(C)"],
        cpu_us_per_call=used / 1000 / calls if pids else None,
        p50_ms=percentile(added, 0.5) if added else None,
        p99_ms=percentile(added, 0.99) if added else None,
        caller_p99_ms=percentile(load.delays_ms() or [float("inf")], 0.99),
        memory_mb=memory,
    )


def percentile(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def leave_core_zero() -> None:
    """Core 0 is sipp's: everything started from here on runs on the others, where there are any."""
    cores = os.sched_getaffinity(0)
    if len(cores) > 1 and 0 in cores:
        os.sched_setaffinity(0, cores - {0})
