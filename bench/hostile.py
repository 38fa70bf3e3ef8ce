# SPDX-License-Identifier: GPL-2.0-or-later
"""`bench/hostile`: no message of 64 KiB costs more than 20 ms of CPU (reliability.md row 4)."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable

from tests.sdp.test_session import HEAD, OUR
from tests.sdp.test_session import HOSTILE as BODIES
from tests.sip.test_parse import HOSTILE as DATAGRAMS
from tests.sip.test_parse import look
from vosd.sdp.session import SdpError, Session, rewrite
from vosd.sip.errors import SipParseError
from vosd.sip.message import response
from vosd.sip.parse import parse

RUNS, LIMIT_MS = 5, 20.0


def datagram(data: bytes) -> None:
    try:
        look(parse(data[:65536]))
    except SipParseError as error:
        if error.message is not None:
            response(error.message, error.code)


def body(data: bytes) -> None:
    for use in (Session.parse, lambda body: rewrite(body, **OUR)):
        with contextlib.suppress(SdpError):
            use(data)


def cost_ms(read: Callable[[bytes], None], data: bytes) -> float:
    """The best of RUNS, in milliseconds of CPU."""
    spent = []
    for _ in range(RUNS):
        start = time.process_time()
        read(data)
        spent.append(time.process_time() - start)
    return min(spent) * 1000


def main() -> int:
    rows = [(cost_ms(datagram, data), f"SIP {name}") for name, data in DATAGRAMS.items()]
    for line in BODIES:
        data = (HEAD + "m=audio 5 RTP/AVP 0\r\n" + line + "\r\n").encode()
        rows.append((cost_ms(body, data), f"SDP {line[:16]!r}..."))
    rows.sort(reverse=True)
    for spent, name in rows[:10]:
        print(f"{spent:6.2f} ms  {name}")
    worst = rows[0][0]
    print(f"{len(rows)} messages, the worst {worst:.2f} ms of CPU, allowed {LIMIT_MS:g} ms")
    return int(worst > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
