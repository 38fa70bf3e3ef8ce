# SPDX-License-Identifier: GPL-2.0-or-later
"""`bench/sip`: vosd against its peers in one go."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import msgspec

from bench import sip_modes as modes
from bench.sip_load import Run, leave_core_zero
from bench.sip_report import Report, table
from tests.interop.programs import path_of

ROOT = Path(__file__).resolve().parent.parent
MODES = ("same", "capacity", "half", "flat", "held")
HELD = 10_000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/sip", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="length of one run (10)")
    parser.add_argument("--rate", type=float, default=100, help="calls/s of `same` (100)")
    parser.add_argument("--held", type=int, default=HELD, help=f"calls to hold ({HELD})")
    parser.add_argument("--peers", default="vosd,vosd-off,sippy,kamailio",
                        help="of none,vosd,vosd-off,sippy,kamailio")  # fmt: skip
    parser.add_argument("--modes", default=",".join(MODES), help=f"of {','.join(MODES)}")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench-sip.json")
    return parser.parse_args()


def run(options: argparse.Namespace, directory: Path, report: Report) -> None:
    """Every mode asked for; what is measured stands in `report` at once."""
    peers, wanted = options.peers.split(","), options.modes.split(",")
    if "same" in wanted:
        names = ["none", *(name for name in peers if name != "none")]
        report.runs += modes.same_rate(names, directory, options.rate, options.seconds)
    found: dict[str, Run] = {}
    if {"capacity", "half"} & set(wanted):
        found = {name: modes.capacity(name, directory, options.seconds) for name in peers}
        report.runs += found.values()
    if "half" in wanted:
        report.runs += modes.half_load(peers, directory, found, options.seconds)
    if "flat" in wanted and "vosd" in peers:
        rate = found["vosd"].rate / 2 if "vosd" in found else options.rate
        report.flat.append(modes.flat("vosd", directory, rate))
    if "held" in wanted and "vosd" in peers:
        report.held += hold(options, directory)


def hold(options: argparse.Namespace, directory: Path) -> list[modes.Held]:
    """As many relayed calls as open files allow, and the full number with the proxy off."""
    room = modes.room_for(options.held)
    found = []
    if room < options.held:
        modes.say(f"open files allow {room} relayed calls (ulimit -n); {options.held} run direct")
        found.append(modes.held("vosd-off", directory, options.held, options.rate, options.seconds))
    return [modes.held("vosd", directory, room, options.rate, options.seconds), *found]


def main() -> int:
    options = arguments()
    missing = [name for name in ("sipp", "kamailio", "taskset") if path_of(name) is None]
    if missing:
        print(f"cannot run: not installed: {', '.join(missing)} (script/test installs them)",
              file=sys.stderr)  # fmt: skip
        return 1
    leave_core_zero()
    directory = Path(tempfile.mkdtemp(prefix="vosd-bench-"))
    report = Report()
    try:
        run(options, directory, report)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
        print(table(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
