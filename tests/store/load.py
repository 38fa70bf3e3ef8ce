# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call record costs: `python -m tests.store.load --rate 400 --seconds 20`.

Posts an open row and a final row with evidence for each call at a steady rate, as the engine
does, and prints the CPU per call over all threads (less that of the same loop without a store),
the writer thread's share, and how long answers wait.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import tempfile
import time
from collections import deque
from pathlib import Path

from vosd.store import Ack, Store, Tuning
from vosd.wire.records import Cdr

EVIDENCE = random.Random(0).randbytes(750).hex().encode()


def call(chance: random.Random, at: float) -> Cdr:
    return Cdr(
        id=f"{int(at * 1000):011x}{chance.getrandbits(52):013x}",
        node="edge-1",
        caller=f"49{chance.randrange(10**9):09d}",
        callee=f"44{chance.randrange(10**9):09d}",
        mapping=f"customer-{chance.randrange(20)}",
        routing=f"vendor-{chance.randrange(10)}",
        started_at=at,
        ringing_at=at + 1,
        answered_at=at + 2,
        state="open",
    )


def finish(row: Cdr, at: float) -> None:
    row.ended_at = at
    row.duration_s = 10.0
    row.end_reason = "normal"
    row.ended_by = "caller"
    row.sip_code = 200
    row.q850 = 16
    row.state = "closed"


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def drive(store: Store | None, rate: float, seconds: float, hold: float) -> list[float]:
    """Seconds from `opened` to its acknowledgement, for every call."""
    waits: list[float] = []

    def hop(acks: list[Ack]) -> None:
        for done, error in acks:
            done(error)

    if store is not None:
        store.writer.notify = hop
    chance = random.Random(1)
    running: deque[tuple[float, Cdr]] = deque()
    begin = due = time.monotonic()
    while due < begin + seconds:
        due += chance.expovariate(rate)
        time.sleep(max(0.0, due - time.monotonic()))
        row = call(chance, time.time())
        posted = time.monotonic()
        running.append((posted, row))
        if store is not None:
            store.cdr.opened(row, lambda _, at=posted: waits.append(time.monotonic() - at))
        while running and running[0][0] <= posted - hold:
            _, old = running.popleft()
            finish(old, time.time())
            if store is not None:
                store.cdr.closed(old, EVIDENCE)
    for _, old in running:
        finish(old, time.time())
        if store is not None:
            store.cdr.closed(old, EVIDENCE)
    return waits


def writer_cpu(store: Store) -> float:
    native = store.writer._thread.native_id
    fields = Path(f"/proc/self/task/{native}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def floor(where: Path, pause: float, times: int) -> tuple[float, list[float]]:
    """What the machine takes for three pages and an fdatasync after a pause, without a database:
    microseconds of CPU, and seconds that each took."""
    descriptor = os.open(where / "floor", os.O_RDWR | os.O_CREAT)
    for _ in range(300):
        os.write(descriptor, b"x" * 4096)
    os.fsync(descriptor)
    took = []
    before = time.thread_time()
    for number in range(times):
        time.sleep(pause)
        at = time.monotonic()
        for page in range(3):
            os.pwrite(descriptor, b"y" * 4096, (3 * number + page) % 300 * 4096)
        os.fdatasync(descriptor)
        took.append(time.monotonic() - at)
    used = time.thread_time() - before
    os.close(descriptor)
    return used / times * 1e6, sorted(took)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=400)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--hold", type=float, default=5)
    parser.add_argument("--gather", type=float, default=Tuning().gather_s)
    parser.add_argument("--lazy", type=float, default=Tuning().lazy_s)
    parser.add_argument("--checkpoint", type=int, default=Tuning().checkpoint_pages)
    given = parser.parse_args()
    tuning = Tuning(gather_s=given.gather, lazy_s=given.lazy, checkpoint_pages=given.checkpoint)
    before = cpu()
    drive(None, given.rate, given.seconds / 2, given.hold)
    idle = (cpu() - before) / (given.seconds / 2)
    with tempfile.TemporaryDirectory(dir=".") as where:
        store = Store.open(
            f"sqlite:///{Path(where).absolute()}/load.db", node="edge-1", tuning=tuning
        )
        before = cpu()
        waits = sorted(drive(store, given.rate, given.seconds, given.hold))
        store.writer.flush()
        used = cpu() - before - idle * given.seconds
        thread = writer_cpu(store)
        commits = store.writer.commits
        store.close()
        bare, took = floor(Path(where), given.gather, 500)
    calls = len(waits)
    print(
        f"{calls} calls at {given.rate:g}/s: {used / calls * 1e6:.1f} us of CPU each "
        f"(writer thread {thread / calls * 1e6:.1f}), {calls / commits:.2f} calls a commit, "
        f"answers p50 {waits[calls // 2] * 1e3:.2f} p99 {waits[calls * 99 // 100] * 1e3:.2f} "
        f"max {waits[-1] * 1e3:.2f} ms"
    )
    print(
        f"a commit: {thread / commits * 1e6:.0f} us of CPU; three pages and fdatasync alone: "
        f"{bare:.0f} us, p50 {took[250] * 1e3:.2f} p99 {took[495] * 1e3:.2f} ms"
    )


if __name__ == "__main__":
    main()
