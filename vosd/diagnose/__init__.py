# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a call, or a gateway's calls, went wrong: the cause, the proof, the one thing to change."""

from vosd.diagnose.bands import PROFILES
from vosd.diagnose.gateway import diagnose_gateway
from vosd.diagnose.recent import bad_calls, worst_call
from vosd.diagnose.report import diagnose_call, diagnose_session
from vosd.diagnose.trace import Here

__all__ = [
    "PROFILES", "Here", "bad_calls", "diagnose_call", "diagnose_gateway", "diagnose_session",
    "worst_call",
]  # fmt: skip
