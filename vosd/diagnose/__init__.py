# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a call, or a gateway's calls, went wrong: the cause, the proof, the one thing to change."""

from vosd.diagnose.bands import PROFILES
from vosd.diagnose.gateway import diagnose_gateway
from vosd.diagnose.report import diagnose_call

__all__ = ["PROFILES", "diagnose_call", "diagnose_gateway"]
