# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables people read and the JSON programs read."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

import msgspec

from bench.sip_load import Run
from bench.sip_modes import Flat, Held

COLUMNS = ("peer", "mode", "calls/s", "answered", "failed", "µs/call", "ratio",
           "added p50 ms", "p99 ms", "MB")  # fmt: skip


class Report(msgspec.Struct, kw_only=True):
    """Everything one invocation measured."""

    version: int = 1
    machine: str = f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"
    python: str = platform.python_version()
    runs: list[Run] = []
    flat: list[Flat] = []
    held: list[Held] = []


def cells(runs: Sequence[Run]) -> list[tuple[str, ...]]:
    """One row per run; ratio is its CPU per call over vosd's in the same mode, averaged."""
    rows: list[tuple[str, ...]] = []
    for run in runs:
        ours = [one.cpu_us_per_call for one in runs if one.peer == "vosd" and one.mode == run.mode]
        base = sum(filter(None, ours)) / len(ours) if ours else None
        cost = run.cpu_us_per_call
        rows.append((
            run.peer, run.mode, f"{run.rate:.0f}", f"{run.answered}/{run.calls}", str(run.failed),
            "-" if cost is None else f"{cost:.0f}",
            f"{cost / base:.2f}" if cost and base else "-",
            _ms(run.p50_ms), _ms(run.p99_ms),
            "-" if run.memory_mb is None else f"{run.memory_mb:.0f}",
        ))  # fmt: skip
    return rows


def table(report: Report) -> str:
    """Markdown, ready for docs/performance.md."""
    rows = cells(report.runs)
    lines = [f"{report.machine}, Python {report.python}", ""]
    lines += [_line(COLUMNS), _line(["---"] * len(COLUMNS)), *map(_line, rows)]
    for one in report.flat:
        costs = " ".join(f"{cost:.0f}" for cost in one.us_per_call)
        sizes = " ".join(f"{size:.0f}" for size in one.memory_mb)
        lines += ["", f"{one.peer} at {one.rate:.0f}/s, windows of {one.window_s} s: "
                      f"µs/call {costs}; MB {sizes}"]  # fmt: skip
    for stood in report.held:
        before, during = stood.before.cpu_us_per_call or 0, stood.during.cpu_us_per_call or 0
        delays = f"{_ms(stood.before.p99_ms)} and {_ms(stood.during.p99_ms)} ms"
        lines += [
            "",
            f"{stood.peer} with {stood.held} held calls: "
            f"{stood.memory_kb_per_held_call:.1f} kB per held call; "
            f"µs/call {before:.0f} before, {during:.0f} with them held; added p99 {delays}",
        ]
    return "\n".join(lines)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
