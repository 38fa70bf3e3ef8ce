# SPDX-License-Identifier: GPL-2.0-or-later
"""How many files the system lets us have open: every connection and RTP port is one."""

from __future__ import annotations

import contextlib
import resource


def allow_all() -> int:
    """Raise the soft limit to the hard one; the file descriptors there are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return soft


def shortage(allowed: int, needed: int) -> str | None:
    """What to set when `needed` are more than are `allowed`."""
    if allowed >= needed:
        return None
    return (
        f"cannot open more than {allowed} files, and every RTP port and connection in use takes "
        f"{needed}: set LimitNOFILE={needed} in the service, or `ulimit -n {needed}` before vosd"
    )
