# SPDX-License-Identifier: GPL-2.0-or-later
"""`bench/start`: CPU of `vosctl --help` and `vosctl status`, and how soon vosd is ready."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from script.private_switch import PrivateSwitch

RUNS = 5


def cpu(switch: PrivateSwitch, *words: str) -> float:
    """CPU seconds of one run of vosctl in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"VOSCTL_SOCKET": str(switch.socket)}
    subprocess.run(
        [sys.executable, "-m", "vosctl", *words],
        env=environment, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="vosd-start-") as text:
        took = []
        for run in range(RUNS):
            switch = PrivateSwitch(Path(text) / str(run))
            took.append(switch.start())
            if run < RUNS - 1:
                switch.stop()
        help_s = min(cpu(switch, "--help") for _ in range(RUNS))
        status_s = min(cpu(switch, "status") for _ in range(RUNS))
        switch.stop()
    print("| what | best of 5 |\n| --- | --- |")
    print(f"| `vosctl --help`, CPU | {help_s:.3f} s |")
    print(f"| `vosctl status`, CPU | {status_s:.3f} s |")
    print(f"| vosd ready | {min(took):.2f} s |")


if __name__ == "__main__":
    main()
