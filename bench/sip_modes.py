# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked of the peers: capacity, half of it, one rate for all, a flat minute, held calls."""

from __future__ import annotations

import contextlib
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bench.sip_load import Load, Run, cpu_ns, measure, memory_kb
from bench.sip_peers import Peer, make

STEP = 1.3
MAX_STEPS = 10
WINDOW_S = 10
#: held calls are set up at this share of the capacity found
SETUP_RATE = 150.0
#: four sockets a relayed call
SOCKETS_PER_CALL = 4


class Held(msgspec.Struct, kw_only=True):
    """Cost of calls that stand while others come and go."""

    peer: str
    held: int
    memory_kb_per_held_call: float
    before: Run
    during: Run


class Flat(msgspec.Struct, kw_only=True):
    """CPU per call in consecutive windows of one run."""

    peer: str
    rate: float
    window_s: int
    us_per_call: list[float]
    memory_mb: list[float]


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def running(name: str, directory: Path) -> Iterator[Peer]:
    peer = make(name)
    peer.start(directory / f"{name}-{time.monotonic_ns()}")
    try:
        yield peer
    finally:
        peer.stop()


def capacity(name: str, directory: Path, seconds: float) -> Run:
    """The highest rate that stays clean, found in steps of 30 %; each step a fresh peer."""
    rate = float(make(name).guess)
    best: Run | None = None
    for _ in range(MAX_STEPS):
        with running(name, directory) as peer:
            run = measure(
                peer, directory, "capacity", round(rate), max(4.0, seconds / 2), seen=False
            )
        say(f"{run.peer} {rate:.0f}/s: {'clean' if run.clean else 'not clean'}"
            f" ({run.answered}/{run.calls}, p99 {run.caller_p99_ms:.0f} ms)")  # fmt: skip
        if run.clean:
            best, rate = run, rate * STEP
        elif best is not None:
            break
        else:
            rate /= STEP**2
    if best is None:
        raise RuntimeError(f"{name} is never clean, not even at {rate * STEP**2:.0f}/s")
    return best


def same_rate(
    names: Sequence[str], directory: Path, rate: float, seconds: float, rounds: int = 2
) -> list[Run]:
    """Every peer at one rate, alternating, so that a slow minute of the machine hits all."""
    runs = []
    for _ in range(rounds):
        for name in names:
            with running(name, directory) as peer:
                runs.append(measure(peer, directory, "same rate", rate, seconds))
            say(f"{runs[-1].peer} at {rate:.0f}/s: {runs[-1].cpu_us_per_call or 0:.0f} µs/call")
    return runs


def half_load(names: Sequence[str], directory: Path, found: dict[str, Run], seconds: float
              ) -> list[Run]:  # fmt: skip
    """Every peer at half of its own capacity, and the bare sipps at the same rates."""
    runs = []
    for name in names:
        rate = round(found[name].rate / 2)
        for one in (name, "none"):
            with running(one, directory) as peer:
                run = measure(peer, directory, f"half load of {name}", rate, seconds)
            runs.append(run)
    return runs


def flat(name: str, directory: Path, rate: float, seconds: int = 60) -> Flat:
    """CPU per call in windows of 10 s over a minute, memory at each window's end."""
    with running(name, directory) as peer:
        costs, memory = [], []
        calls = round(rate * (seconds + 2))
        with Load(directory, peer.address, rate=rate, calls=calls) as load:
            time.sleep(2)
            for _ in range(seconds // WINDOW_S):
                cpu, begun = cpu_ns(peer.pids()), _done(load)
                time.sleep(WINDOW_S)
                done = max(1, _done(load) - begun)
                costs.append((cpu_ns(peer.pids()) - cpu) / 1000 / done)
                memory.append(memory_kb(peer.pids()) / 1024)
        return Flat(
            peer=peer.name, rate=rate, window_s=WINDOW_S, us_per_call=costs, memory_mb=memory
        )


def _done(load: Load) -> int:
    return load.counts("uac")["TotalCallCreated"]


def held(name: str, directory: Path, count: int, rate: float, seconds: float) -> Held:
    """`count` calls stand; what each costs in memory, and calls beside them in CPU."""
    with running(name, directory) as peer:
        before = measure(peer, directory, "nothing held", rate, seconds)
        empty = memory_kb(peer.pids())
        hold_ms = round((count / SETUP_RATE + seconds + 120) * 1000)
        with Load(
            directory, peer.address, rate=SETUP_RATE, calls=count, hold_ms=hold_ms
        ) as standing:
            _await(standing, count)
            stood = standing.counts("uac")["TotalCallCreated"]
            full = memory_kb(peer.pids())
            during = measure(peer, directory, f"{stood} held", rate, seconds, guest=True)
    return Held(peer=peer.name, held=stood, before=before, during=during,
                memory_kb_per_held_call=(full - empty) / max(1, stood))  # fmt: skip


def _await(load: Load, count: int) -> None:
    deadline = time.monotonic() + count / SETUP_RATE + 15
    while load.counts("uac")["TotalCallCreated"] < count and time.monotonic() < deadline:
        time.sleep(0.5)
    time.sleep(2)


def room_for(count: int) -> int:
    """How many relayed calls this process's limit of open files lets a peer hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SOCKETS_PER_CALL * count + 1000
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, soft), max(wanted, hard)))
    with contextlib.suppress(OSError, ValueError):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(count, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1000) // SOCKETS_PER_CALL)
