# SPDX-License-Identifier: GPL-2.0-or-later
"""Fuzzing guided by coverage: python -m tests.fuzz.run TARGET SECONDS DIRECTORY [OPTION...]

The corpus grows in DIRECTORY; what breaks a target stays there as broke-*. OPTION is libFuzzer's.
libFuzzer.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

PACKAGES = ["vosd.sip", "vosd.sdp", "vosd.switch.leg"]


def main(target: str, seconds: int, corpus: Path, *options: str) -> None:
    with atheris.instrument_imports(include=PACKAGES):
        from tests.fuzz.targets import TARGETS, seeds

    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(seeds(target)):
        (corpus / f"seed{number}").write_bytes(seed)
    arguments = [
        sys.argv[0], str(corpus), f"-max_total_time={seconds}", "-max_len=4096", "-timeout=10",
        "-rss_limit_mb=1024", "-verbosity=0", f"-artifact_prefix={corpus}/broke-", *options,
    ]  # fmt: skip
    atheris.Setup(arguments, TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
