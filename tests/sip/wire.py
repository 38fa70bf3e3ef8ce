# SPDX-License-Identifier: GPL-2.0-or-later
"""Raw messages of a peer that follows no rules of ours, for tests of the endpoint."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from tests.sim.world import summary
from vosd.sip.endpoint import Endpoint, Listen, Timing
from vosd.sip.events import Event
from vosd.sip.message import Message
from vosd.sip.parse import parse

US, PEER = ("192.0.2.10", 5060), ("192.0.2.20", 5060)
_copied = re.compile(rb"(?:Via|From|To|Call-ID|CSeq|Record-Route): [^\r]*\r\n").findall


def endpoint(*, seed: int = 1, timing: Timing | None = None, transport: str = "udp") -> Endpoint:
    return Endpoint([Listen(transport, *US)], random.Random(seed), timing or Timing())


def request(
    method: str = "INVITE",
    *,
    branch: str = "z9hG4bK1",
    cseq: int = 1,
    to_tag: str = "",
    from_tag: str = "p1",
    call_id: str = "call1",
    uri: str = "sip:100@192.0.2.10",
    headers: Sequence[str] = ("Contact: <sip:peer@192.0.2.20>",),
    body: bytes = b"",
) -> bytes:
    tag = f";tag={to_tag}" if to_tag else ""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.20:5060;rport{f';branch={branch}' if branch else ''}",
        f"From: <sip:peer@192.0.2.20>;tag={from_tag}",
        f"To: <sip:100@192.0.2.10>{tag}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
        *headers,
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def reply(
    data: bytes,
    code: int,
    *,
    tag: str = "u1",
    headers: Sequence[str] = ("Contact: <sip:peer@192.0.2.20>",),
    body: bytes = b"",
) -> bytes:
    """The peer's response to a request of ours."""
    lines = [f"SIP/2.0 {code} Whatever\r\n".encode()]
    for line in _copied(data):
        if line.startswith(b"To:") and tag and b";tag=" not in line:
            line = line[:-2] + f";tag={tag}\r\n".encode()
        lines.append(line)
    lines += [f"{header}\r\n".encode() for header in headers]
    return b"".join(lines) + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def sent(end: Endpoint) -> list[bytes]:
    """Take what the endpoint has queued."""
    queued = [data for data, _, _ in end.outgoing]
    end.outgoing.clear()
    return queued


def shorts(end: Endpoint) -> list[str]:
    """The same, in short."""
    return [summary(data) for data in sent(end)]


def names(events: Sequence[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def read(data: bytes) -> Message:
    return parse(data)
