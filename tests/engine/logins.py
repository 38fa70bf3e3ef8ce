# SPDX-License-Identifier: GPL-2.0-or-later
"""Log-ins in raw SIP: requests as phones send them, what comes back, and guesses."""

from __future__ import annotations

import itertools
import re

from tests.engine.switchboard import SWITCH, Switchboard
from tests.sim.world import Entry
from vosd.sip import auth

PHONE, OTHER = ("10.0.0.9", 5060), ("10.0.0.8", 5060)
URI = "sip:10.0.0.1"
_challenge = re.compile(rb"\r\n(?:WWW|Proxy)-Authenticate: ([^\r]*)").findall
numbers = itertools.count(1)


def raw(
    method: str, user: str = "300", *headers: str, source: tuple[str, int] = PHONE,
    branch: str = "", body: str = "", to: str = "",
) -> bytes:  # fmt: skip
    """A request as phones send it, User-Agent and all."""
    number = next(numbers)
    host, port = source
    uri = URI if method in ("REGISTER", "OPTIONS") else "sip:200@10.0.0.1"
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP {host}:{port};branch={branch or f'z9hG4bK{number:06d}'};rport",
        "Max-Forwards: 70",
        f"From: <sip:{user}@10.0.0.1>;tag=f{number:06d}",
        f"To: <sip:{to or user}@10.0.0.1>",
        f"Call-ID: {number:06d}",
        f"CSeq: 1 {method}",
        f"Contact: <sip:{user}@{host}:{port}>",
        "User-Agent: Example Phone 2.7.1 (0004f2001122)",
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE",
        "Expires: 300",
        *headers,
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def ask(board: Switchboard, data: bytes, source: tuple[str, int] = PHONE) -> list[Entry]:
    """What comes back to `source` within 100 ms."""
    since = len(board.world.ladder)
    board.world.inject(data, source, SWITCH)
    board.world.advance(0.1)
    back = f"{source[0]}:{source[1]}"
    return [e for e in board.world.ladder[since:] if e.source == "switch" and e.target == back]


def code(entries: list[Entry]) -> int:
    (entry,) = entries
    return int(entry.text.split()[0])


def challenges(entries: list[Entry]) -> list[str]:
    return [value.decode() for value in _challenge(entries[-1].data)]


def proof(
    board: Switchboard, method: str = "REGISTER", user: str = "300", password: str = "secret",
    source: tuple[str, int] = PHONE, offered: list[str] | None = None, cnonce: str = "c",
) -> str:  # fmt: skip
    """An Authorization line for a fresh challenge."""
    offered = offered or challenges(ask(board, raw(method, user, source=source), source))
    return f"Authorization: {auth.answer(offered, method, URI, user, password, cnonce)}"


def guess(board: Switchboard, user: str = "300", source: tuple[str, int] = PHONE) -> int:
    """One wrong password."""
    line = proof(board, user=user, password=f"guess{next(numbers)}", source=source)
    return code(ask(board, raw("REGISTER", user, line, source=source), source))
