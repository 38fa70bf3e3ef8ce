# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors of the SIP layer: a status code for the wire and a sentence for people."""

from __future__ import annotations

import typing

if typing.TYPE_CHECKING:
    from vosd.sip.message import Message


class SipError(Exception):
    """Something SIP refuses; `code` is the status that says so, `reason` a sentence."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class SipParseError(SipError):
    """Text that is no SIP; the only exception that leaves the parsers of this package.

    `message` holds what could be read, enough for `message.response` to answer with. It is None
    where nothing may be sent: a response, an ACK, noise, or a request without a readable Via.
    """

    def __init__(self, code: int, reason: str, message: Message | None = None) -> None:
        super().__init__(code, reason)
        self.message = message
