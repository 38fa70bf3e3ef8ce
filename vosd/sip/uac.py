# SPDX-License-Identifier: GPL-2.0-or-later
"""The calling role: what answers, timers and transport failures do to requests of ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vosd.sip.auth import answer
from vosd.sip.core import COOKIE
from vosd.sip.dialog import Dialog
from vosd.sip.events import (
    Address,
    Answered,
    Cause,
    Event,
    Failed,
    Progress,
    ReinviteAnswered,
    ReinviteFailed,
    Response,
    Trying,
)
from vosd.sip.message import Message
from vosd.sip.requests import Requester
from vosd.sip.transaction import ClientTransaction, InviteClient

Act = Callable[..., None]

# More realms than this on one request is a peer that plays with us.
MAX_CHALLENGES: Final = 4
_realm = re.compile(r'\brealm[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"', re.I).search
_stale = re.compile(r'\bstale[ \t]*=[ \t]*"?true', re.I).search


class Caller(Requester):
    """Actions of the two client tables; each is named in a cell."""

    def _step_client(
        self, tx: ClientTransaction, cause: str, message: Message | None, now: float
    ) -> None:
        tx.state, action = tx.table[tx.state][cause]
        if action != "-":
            CLIENT_ACTS[action](self, tx, message, now)

    def _on_response(self, message: Message, source: Address, now: float) -> None:
        key = message.via.branch
        method = message.method
        if method == "CANCEL":
            key = f"{key} CANCEL"
        tx = self.clients.get(key)
        if tx is None or tx.method != method:
            self.stray += 1
            return
        code = message.code
        cause = "1xx" if code < 200 else "2xx" if code < 300 else "final"
        if method != "INVITE":
            self._step_client(tx, cause, message, now)
            return
        tx.state, action = tx.table[tx.state][cause]
        if action != "-":
            tx.source = source
            INVITE_ACTS[action](self, tx, message, now)
