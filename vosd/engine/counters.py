# SPDX-License-Identifier: GPL-2.0-or-later
"""What is counted: one row per counter, shown by `vosctl status --json`."""

from __future__ import annotations

COUNTERS: dict[str, str] = {
    "call_attempts": "INVITEs that were let in",
    "calls_answered": "calls whose answer was recorded and passed on",
    "calls_refused": "calls turned away before any route was tried",
    "calls_failed": "calls that ended unanswered after a route was tried",
    "auth_challenges": "requests answered 401 or 407",
    "auth_failures": "wrong credentials for a nonce of ours",
    "registers": "REGISTER requests",
    "options": "OPTIONS requests outside calls",
    "sip_malformed": "datagrams that were no usable SIP",
    "sip_unsent": "SIP messages the system would not send",
    "rtp_timeouts": "calls ended because one side fell silent",
    "rtp_foreign": "sides on which packets of a stranger were dropped",
    "records_refused": "calls refused because no record could be written",
}


class Counters:
    """Plain integers, all of the table from the start."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values = dict.fromkeys(COUNTERS, 0)

    def add(self, name: str) -> None:
        self.values[name] += 1
