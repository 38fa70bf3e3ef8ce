# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that come back: every INVITE of leg b tells which switches it passed, and for which number.

Via cannot tell, for each leg is a dialog of its own. A call that returns for another number has
been forwarded and may pass a few times; one that returns for the same number would do so for ever
(the loops and spirals of RFC 5393 4.2).
"""

from __future__ import annotations

import re
from typing import Final
from zlib import crc32

from vosd.sip.message import Message

NAME: Final = "X-VOS-Node"
#: passes of one call through one switch that are no loop yet
_MOST_PASSES: Final = 4
_trail = re.compile(r"[0-9a-f]{8}\.[0-9a-f]{8}(?:, ?[0-9a-f]{8}\.[0-9a-f]{8}){0,69}").fullmatch


def node(text: str) -> str:
    """What a switch calls itself in the trail; tells nothing about `text`."""
    return f"{crc32(text.encode()):08x}"


def mark(node: str, callee: str) -> str:
    """One step of the trail."""
    return f"{node}.{crc32(callee.encode('utf-8', 'replace')):08x}"


def looped(message: Message, node: str, callee: str) -> bool:
    """Whether the call was here before, on its way to the same number, or all too often."""
    text = message.get("x-vos-node")
    if text is None or node not in text:
        return False
    return mark(node, callee) in text or text.count(f"{node}.") >= _MOST_PASSES


def trail(message: Message, node: str, callee: str) -> tuple[str, str]:
    """The header field of leg b's INVITE: what came, if it is a trail, and this step."""
    text = message.get("x-vos-node")
    here = mark(node, callee)
    return NAME, f"{text}, {here}" if text is not None and _trail(text) else here
