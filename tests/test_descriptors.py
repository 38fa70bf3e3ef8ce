# SPDX-License-Identifier: GPL-2.0-or-later
"""File descriptors: the soft limit goes up to the hard one, and too few are told."""

from __future__ import annotations

import subprocess
import sys

from vosd.descriptors import shortage

RAISED = """
import resource
from vosd.descriptors import allow_all
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 300))
print(allow_all(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_soft_limit_becomes_the_hard_one() -> None:
    ran = subprocess.run([sys.executable, "-c", RAISED], capture_output=True, text=True, check=True)
    assert ran.stdout == "300 300 300\n"


def test_too_few_are_told_with_what_to_set() -> None:
    assert shortage(30000, 30000) is None
    assert shortage(4096, 28448) == (
        "cannot open more than 4096 files, and every RTP port and connection in use takes 28448: "
        "set LimitNOFILE=28448 in the service, or `ulimit -n 28448` before vosd"
    )
