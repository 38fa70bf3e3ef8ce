# SPDX-License-Identifier: GPL-2.0-or-later
"""What the SIP endpoint costs: both legs of a B2BUA call, in memory, without sockets.

    python bench/endpoint.py [--calls 2000] [--rounds 5] [--held 10000] [--memory] [--profile]

A call is 14 messages: INVITE 100 180 200 ACK BYE 200 on either leg. Its steps run in phases over
all calls of a round, so the clock is read per phase; messages are parsed before, and timed apart.
`--held` keeps that many answered calls open meanwhile. `--memory` reports a held dialog's size.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import random
import re
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vosd.sip import endpoint as module
from vosd.sip.endpoint import Dialog, Endpoint, Invite, Listen
from vosd.sip.events import Answered, Ended, Invited, Progress
from vosd.sip.parse import parse

MESSAGES, RECEIVED = 14, 7
A, B = ("192.0.2.1", 5060), ("198.51.100.2", 5060)
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
)
REQUEST = (
    "{method} sip:8613800138000@203.0.113.1:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-{call}-{branch};rport\r\n"
    'Max-Forwards: 70\r\nFrom: "2001" <sip:2001@192.0.2.1>;tag={call}a\r\n'
    "To: <sip:8613800138000@203.0.113.1>{to}\r\nCall-ID: {call}@192.0.2.1\r\n"
    "CSeq: {cseq} {method}\r\nContact: <sip:2001@192.0.2.1:5060>\r\n"
    "User-Agent: bench\r\n{kind}Content-Length: {length}\r\n\r\n"
)
_tag = re.compile(rb"\r\nTo: [^\r]*;tag=([^\r;]+)").search
_copied = re.compile(rb"(?:Via|From|To|Call-ID|CSeq): [^\r]*\r\n").findall


def request(
    method: str, call: str, branch: int, cseq: int, to: str = "", body: bytes = b""
) -> bytes:
    kind = "Content-Type: application/sdp\r\n" if body else ""
    text = REQUEST.format(
        method=method, call=call, branch=branch, cseq=cseq, to=to, kind=kind, length=len(body)
    )
    return text.encode() + body


def reply(data: bytes, line: str, tag: str, body: bytes = b"") -> bytes:
    """A response to a request of ours as a vendor would write it."""
    lines = b"".join(
        part[:-2] + f";tag={tag}\r\n".encode()
        if part.startswith(b"To:") and tag and b";tag=" not in part
        else part
        for part in _copied(data)
    )
    kind = b"Content-Type: application/sdp\r\n" if body else b""
    contact = b"Contact: <sip:vendor@198.51.100.2:5060>\r\n" if tag else b""
    return (
        f"SIP/2.0 {line}\r\n".encode() + lines + contact + kind
        + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    )  # fmt: skip


class Bench:
    """Both legs of many calls on one endpoint; far ends are templates."""

    def __init__(self) -> None:
        listen = Listen("udp", "203.0.113.1", 5060)
        self.endpoint = Endpoint([listen], random.Random(1), advertise=lambda _l, _r: listen_at)
        self.now = 1000.0
        self.serial = 0
        self.spent = self.parsing = 0.0

    def feed(self, datagrams: list[bytes], source: tuple[str, int],
             act: Callable[[object], None] | None = None) -> list[bytes]:  # fmt: skip
        """Give the endpoint datagrams as a socket would, time that, and return what it sent."""
        endpoint, now = self.endpoint, self.now
        start = process_time()
        ready = {data: parse(data) for data in datagrams}
        self.parsing += process_time() - start
        module.__dict__["parse"] = ready.__getitem__
        start = process_time()
        for data in datagrams:
            for event in endpoint.receive(data, source, 0, now):
                if act is not None:
                    act(event)
            endpoint.deadline()
        self.spent += process_time() - start
        module.__dict__["parse"] = parse
        sent = [data for data, _, _ in endpoint.outgoing]
        endpoint.outgoing.clear()
        return sent

    def setup(self, calls: int) -> tuple[list[str], list[str], dict[Dialog, Dialog]]:
        """Bring `calls` up to their ACK; returns names, leg A's To tags and leg A to leg B."""
        endpoint, now = self.endpoint, self.now
        names = [f"c{self.serial + i}" for i in range(calls)]
        self.serial += calls
        pairs: dict[Dialog, Dialog] = {}

        def act(event: object) -> None:
            if type(event) is Invited:
                leg = event.dialog
                other = endpoint.invite(
                    Invite(
                        "sip:8613800138000@198.51.100.2", B, 0, '"2001" <sip:2001@203.0.113.1>',
                        "<sip:8613800138000@198.51.100.2>", body=SDP, contact_user="2001",
                    ), now,
                )  # fmt: skip
                leg.owner, other.owner = other, leg
                pairs[leg] = other
            elif type(event) is Progress:
                endpoint.ring(event.dialog.owner, 180, now)
            elif type(event) is Answered:
                endpoint.acknowledge(event.dialog, now)
                endpoint.accept(event.dialog.owner, now, body=SDP)

        sent = self.feed([request("INVITE", n, 0, 1, body=SDP) for n in names], A, act)
        invites = [data for data in sent if data.startswith(b"INVITE")]
        self.feed([reply(data, "100 Trying", "") for data in invites], B, act)
        tags = [f"b{name}" for name in names]
        ring = [reply(d, "180 Ringing", t) for d, t in zip(invites, tags, strict=True)]
        self.feed(ring, B, act)
        oks = [reply(d, "200 OK", t, SDP) for d, t in zip(invites, tags, strict=True)]
        sent = self.feed(oks, B, act)
        found = [_tag(data) for data in sent if data.startswith(b"SIP/2.0 200")]
        to = [";tag=" + match[1].decode() for match in found if match]
        acks = [request("ACK", n, 1, 1, t) for n, t in zip(names, to, strict=True)]
        self.feed(acks, A, act)
        return names, to, pairs

    def finish(self, names: list[str], to: list[str]) -> None:
        """Leg A hangs up; then the wait states run out."""
        endpoint, now = self.endpoint, self.now

        def act(event: object) -> None:
            if type(event) is Ended:
                other = event.dialog.owner
                event.dialog.owner = other.owner = None
                endpoint.bye(other, now)

        byes = [request("BYE", n, 2, 2, t) for n, t in zip(names, to, strict=True)]
        sent = self.feed(byes, A, act)
        byes = [data for data in sent if data.startswith(b"BYE")]
        self.feed([reply(data, "200 OK", "") for data in byes], B)
        self.now += 33.0
        start = process_time()
        endpoint.due(self.now)
        endpoint.deadline()
        self.spent += process_time() - start


listen_at = ("203.0.113.1", 5060)


def measure(calls: int, rounds: int, held: int) -> None:
    bench = Bench()
    keep = bench.setup(held) if held else None
    spent, parsing = [], []
    for _ in range(rounds):
        bench.spent = bench.parsing = 0.0
        gc.collect()
        gc.disable()
        names, to, _ = bench.setup(calls)
        bench.finish(names, to)
        gc.enable()
        spent.append(bench.spent * 1e6 / calls)
        parsing.append(bench.parsing * 1e6 / calls)
    print(f"calls {calls}, held {held}, CPU microseconds, best of {rounds}")
    print(f"endpoint  {min(spent):8.1f} a call  {min(spent) / MESSAGES:6.2f} a message")
    each = min(parsing) / RECEIVED
    print(f"parse     {min(parsing):8.1f} a call  {each:6.2f} a message received")
    left = bench.endpoint
    print(f"left: {left.transactions} transactions, {left.dialogs} dialogs")
    del keep


def memory(held: int) -> None:
    bench = Bench()
    names, to, pairs = bench.setup(10)
    bench.finish(names, to)
    del names, to, pairs
    gc.collect()
    tracemalloc.start()
    kept = bench.setup(held)
    bench.now += 33.0
    bench.endpoint.due(bench.now)
    for leg in kept[2]:
        leg.owner = None
    del kept, leg
    gc.collect()
    used = tracemalloc.get_traced_memory()[0]
    count = bench.endpoint.dialogs
    print(f"{count} held dialogs: {used / count:.0f} octets each")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--held", type=int, default=0)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    if given.memory:
        memory(given.held or 5000)
    elif given.profile:
        profile = cProfile.Profile()
        profile.runcall(measure, given.calls, 1, given.held)
        profile.print_stats("tottime")
    else:
        measure(given.calls, given.rounds, given.held)


if __name__ == "__main__":
    main()
