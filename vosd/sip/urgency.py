# SPDX-License-Identifier: GPL-2.0-or-later
"""How urgent a message is, told from its octets before it is parsed.

For a switch that has more to do than it can: what ends or carries on a call comes before what
begins one (RFC 5390 4, RFC 6357 3). A CANCEL keeps its place behind the INVITE it may end.
"""

from __future__ import annotations

import re
from typing import Final

#: in a dialog, or an answer; a registration; a new call; everything else
DIALOG, REGISTER, CALL, REST = range(4)

_METHODS: Final = {
    b"SIP/2.0": DIALOG,
    b"ACK": DIALOG,
    b"BYE": DIALOG,
    b"PRACK": DIALOG,
    b"UPDATE": DIALOG,
    b"INFO": DIALOG,
    b"REGISTER": REGISTER,
    b"INVITE": CALL,
    b"CANCEL": CALL,
}
_in_dialog = re.compile(rb"\n(?:to|t)[ \t]*:[^\r\n]*;[ \t]*tag[ \t]*=", re.IGNORECASE).search


def urgency(data: bytes) -> int:
    """DIALOG, REGISTER, CALL or REST; never raises."""
    method = data[:9].partition(b" ")[0]
    found = _METHODS.get(method, REST)
    if found == CALL and method == b"INVITE" and _in_dialog(data):
        return DIALOG
    return found
