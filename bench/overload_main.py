# SPDX-License-Identifier: GPL-2.0-or-later
"""`bench/overload`: what becomes of calls when there are too many, or junk beside them.

Capacity first, then multiples of it. Goodput is the rate of calls the callee saw through to their
BYE, over the time callers were started; it is compared with the best rate found. Afterwards calls
at half of the capacity are watched second by second until none is refused.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import sip_modes as modes
from bench.sip_load import Load, leave_core_zero
from bench.sip_peers import HOST, PORT, Peer
from tests.interop.programs import path_of

PEER = "vosd-off"
TIMES = (1.0, 2.0, 5.0)
RECOVERY_S = 15
JUNK_FROM = "127.0.0.9"
JUNK_PER_S = 20_000
_BURST = 100
_JUNK = (
    b"OPTIONS sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bK-%d\r\n"
    b"From: <sip:100@1.1.1.1>;tag=1\r\nTo: <sip:100@1.1.1.1>\r\nCall-ID: %d@x\r\n"
    b"CSeq: 1 OPTIONS\r\nUser-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n"
)
COLUMNS = ("load", "offered/s", "carried/s", "of best", "failed", "refused", "p99 answer ms",
           "BYEs unanswered")  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="length of one load (15)")
    parser.add_argument("--capacity", type=float, default=0, help="calls/s; 0 searches it (0)")
    parser.add_argument("--modes", default="load,recovery,junk", help="of load,recovery,junk")
    return parser.parse_args()


class Seen:
    """One load and what became of it."""

    def __init__(self, peer: Peer, directory: Path, rate: float, seconds: float) -> None:
        before = counters(peer)
        calls = round(rate * seconds)
        with Load(directory, peer.address, rate=rate, calls=calls,
                  scenario="uac_overload") as load:  # fmt: skip
            begun = time.monotonic()
            load.caller.wait()
            self.took = time.monotonic() - begun
            time.sleep(1.2)
        caller, callee = load.counts("uac_overload"), load.counts("uas")
        after = counters(peer)
        self.offered = rate
        self.refused = after["overload_rejects"] - before["overload_rejects"]
        self.failed = caller["FailedCall(C)"]
        self.unanswered = caller["FailedMaxUDPRetrans(C)"]
        self.carried = callee["SuccessfulCall(C)"] / max(seconds, self.took)
        delays = load.delays_ms()
        self.p99_ms = delays[int(len(delays) * 0.99)] if delays else 0.0

    def row(self, name: str, best: float) -> str:
        cells = (name, f"{self.offered:.0f}", f"{self.carried:.0f}", f"{self.carried / best:.2f}",
                 str(self.failed), str(self.refused), f"{self.p99_ms:.0f}",
                 str(self.unanswered))  # fmt: skip
        return "| " + " | ".join(cells) + " |"


def counters(peer: Peer) -> dict[str, int]:
    found: dict[str, int] = peer.switch.json("status")["counters"]  # type: ignore[attr-defined]
    return found


def loads(directory: Path, best: float, seconds: float) -> list[str]:
    rows = []
    for times in TIMES:
        with modes.running(PEER, directory) as peer:
            seen = Seen(peer, directory, best * times, seconds)
        rows.append(seen.row(f"{times:g} x capacity", best))
        modes.say(rows[-1])
    return rows


def recovery(directory: Path, best: float, seconds: float) -> str:
    """Seconds from the end of a fivefold load to the first with no call refused or failed."""
    with modes.running(PEER, directory) as peer:
        with Load(directory, peer.address, rate=5 * best, calls=round(5 * best * seconds),
                  scenario="uac_overload"):  # fmt: skip
            time.sleep(seconds)
        ended = time.monotonic()
        quiet = None
        while quiet is None and time.monotonic() < ended + RECOVERY_S:
            seen = Seen(peer, directory, best / 2, 1)
            if not seen.refused and not seen.failed:
                quiet = time.monotonic() - ended
    return "never" if quiet is None else f"{quiet:.1f} s"


class Junk:
    """A stranger's flood, from a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["taskset", "-c", "0", sys.executable, "-m", "bench.overload_main", "--flood"]
        )

    def __enter__(self) -> Junk:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def flood() -> None:
    """JUNK_PER_S datagrams a second from JUNK_FROM until ended."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind((JUNK_FROM, 0))
    due, number = time.monotonic(), 0
    while True:
        for _ in range(_BURST):
            number += 1
            sender.sendto(_JUNK % (number, number), (HOST, PORT))
        due += _BURST / JUNK_PER_S
        time.sleep(max(0.0, due - time.monotonic()))


def junk(directory: Path, best: float, seconds: float) -> list[str]:
    """Calls at half of the capacity, alone and beside the flood."""
    rows = []
    for name in ("half, alone", f"half, beside {JUNK_PER_S} junk/s"):
        with modes.running(PEER, directory) as peer:
            if "junk" in name:
                with Junk():
                    seen = Seen(peer, directory, best / 2, seconds)
                modes.say(f"dropped unread: {counters(peer)['overload_drops']}")
            else:
                seen = Seen(peer, directory, best / 2, seconds)
        rows.append(seen.row(name, best))
        modes.say(rows[-1])
    return rows


def main() -> int:
    if "--flood" in sys.argv:
        flood()
    options = arguments()
    missing = [name for name in ("sipp", "taskset") if path_of(name) is None]
    if missing:
        print(f"cannot run: not installed: {', '.join(missing)}", file=sys.stderr)
        return 1
    leave_core_zero()
    directory = Path(tempfile.mkdtemp(prefix="vosd-bench-"))
    try:
        best = options.capacity or modes.capacity(PEER, directory, options.seconds).rate
        print("| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS))
        if "load" in options.modes:
            print(*loads(directory, best, options.seconds), sep="\n")
        if "junk" in options.modes:
            print(*junk(directory, best, options.seconds), sep="\n")
        if "recovery" in options.modes:
            print(f"\nback to normal after 5 x capacity: {recovery(directory, best, 5)}")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
