# SPDX-License-Identifier: GPL-2.0-or-later
"""Every way a command ends without doing its work, with the program's exit code."""

from __future__ import annotations


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
