# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU of the whole switch without sockets and disk: `python -m bench.exchange [--profile]`.

Two peers written as text call through an `Exchange`; only the time inside it is counted. What
`bench/sip` adds to this figure is system calls, the record on disk and a processor that went cold.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import re
import time

from tests.engine.switchboard import ALICE, BOB, Switchboard

SDP = (
    "v=0\r\no=user1 53655765 2353687637 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)
_FIELD = re.compile(rb"^(Via|From|To|Call-ID|CSeq): .*\r\n", re.M)
_TO = re.compile(rb"^To: (.*)\r\n", re.M)


class Bench:
    """One switch and the time it took."""

    def __init__(self, mode: str) -> None:
        board = Switchboard(SS_MEDIAPROXYMODE=mode)
        board.shelf.opened = lambda row, done: done(None)  # type: ignore[method-assign]
        board.shelf.closed = lambda row, evidence: None  # type: ignore[method-assign]
        self.switch = board.switch
        self.switch.settle = lambda: None
        self.world = board.world
        self.spent = 0.0
        self.profile: cProfile.Profile | None = None

    def give(self, data: bytes, source: tuple[str, int]) -> list[bytes]:
        """One datagram in; what the switch says to it."""
        self.world.now += 0.0001
        began = time.perf_counter()
        if self.profile is not None:
            self.profile.enable()
        self.switch.receive(data, source, 0, self.world.now)
        self.switch.deadline()
        if self.profile is not None:
            self.profile.disable()
        self.spent += time.perf_counter() - began
        out = [datagram[0] for datagram in self.switch.outgoing]
        self.switch.outgoing.clear()
        return out

    def call(self, number: int) -> None:
        """INVITE 100 180 200 ACK BYE 200 on both legs: 13 messages."""
        _, invite = self.give(_request("INVITE", number, 1, SDP.format(ALICE[0])), ALICE)
        self.give(_reply(invite, "180 Ringing"), BOB)
        out = self.give(_reply(invite, "200 OK", SDP.format(BOB[0])), BOB)
        answer = next(data for data in out if data.startswith(b"SIP/2.0 200"))
        tag = _TO.search(answer)
        assert tag is not None
        to = tag[1].decode()
        self.give(_request("ACK", number, 1, to=to), ALICE)
        out = self.give(_request("BYE", number, 2, to=to), ALICE)
        bye = next(data for data in out if data.startswith(b"BYE"))
        self.give(_reply(bye, "200 OK"), BOB)
        # what waits out its time is freed as in life, where seconds pass
        self.world.now += 0.001
        self.switch.due(self.world.now)


def _request(method: str, number: int, cseq: int, body: str = "", to: str = "") -> bytes:
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"{method} sip:12025550123@10.0.0.1:5060 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {ALICE[0]}:5060;branch=z9hG4bK-{number}-{cseq}-{method}\r\n"
        f"From: sipp <sip:sipp@{ALICE[0]}:5060>;tag=17SIPpTag00{number}\r\n"
        f"To: {to or '12025550123 <sip:12025550123@10.0.0.1:5060>'}\r\n"
        f"Call-ID: {number}-16683@{ALICE[0]}\r\nCSeq: {cseq} {method}\r\n"
        f"Contact: <sip:sipp@{ALICE[0]}:5060>\r\nMax-Forwards: 70\r\nSubject: bench\r\n"
        f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _reply(request: bytes, status: str, body: str = "") -> bytes:
    head = request.partition(b"\r\n\r\n")[0] + b"\r\n"
    fields = b"".join(match[0] for match in _FIELD.finditer(head))
    if b";tag=" not in (_TO.search(fields) or [b"", b""])[1]:
        fields = _TO.sub(lambda to: b"To: " + to[1] + b";tag=bobtag\r\n", fields)
    kind = "Content-Type: application/sdp\r\n" if body else ""
    tail = f"Contact: <sip:{BOB[0]}:5060>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}"
    return f"SIP/2.0 {status}\r\n".encode() + fields + tail.encode()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=3000)
    options.add_argument("--mode", default="off", choices=("off", "must_on"))
    options.add_argument("--profile", action="store_true")
    chosen = options.parse_args()
    bench = Bench(chosen.mode)
    for number in range(300):
        bench.call(number)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    if chosen.profile:
        bench.profile = cProfile.Profile()
    bench.spent = 0.0
    for number in range(300, 300 + chosen.calls):
        bench.call(number)
    spent = bench.spent / chosen.calls * 1e6
    print(f"media {chosen.mode}: {spent:.0f} µs a call, {spent / 13:.1f} µs a message")
    if bench.profile is not None:
        pstats.Stats(bench.profile).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
