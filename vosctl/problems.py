# SPDX-License-Identifier: GPL-2.0-or-later
"""Every way a command ends without doing its work, with the program's exit code.

What was typed is wrong, in form, in range, or as a name no vosd knows (a parameter, a reason): 2.
It is right and cannot be done here, as with a gateway this switch has not: 1. The daemon's kinds
of refusal follow the same rule.
"""

from __future__ import annotations

#: cli.md; the numbers are a promise to scripts
EXIT_CODES = {
    0: "done", 1: "refused or failed", 2: "usage or bad value", 3: "daemon not reachable",
    4: "not permitted", 5: "checked and found wanting", 6: "timed out", 7: "rolled back",
}  # fmt: skip
#: exit code by the kind of a refusal (`vosd.wire.records.Failure`)
OF_KIND = {
    "bad_request": 2, "bad_value": 2,
    "not_found": 1, "exists": 1, "conflict": 1, "unavailable": 1, "internal": 1, "denied": 4,
}  # fmt: skip


class Problem(Exception):
    """A sentence beginning "cannot", and what the operator could try."""

    exit_code = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class Usage(Problem):
    """A bad value on the command line."""

    exit_code = 2


class Unreachable(Problem):
    exit_code = 3


class Denied(Problem):
    exit_code = 4


class TimedOut(Problem):
    exit_code = 6
