# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl status: what is asked of the daemon, and stdout, stderr and exit code whole."""

from __future__ import annotations

from collections.abc import Callable

from tests.control.standin import status
from tests.vosctl.stub import Ran, Stub

Vosctl = Callable[..., Ran]


def test_status(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/status", status())
    assert vosctl("status") == (
        0,
        """\
node           edge-1, vosd 0.1.0, pid 4711
state          running
uptime         1d 2h
listening on   0.0.0.0:5060/udp
calls          12 now, 3.4 new per second; 1000 attempts, 800 answered since start
registrations  42
gateways       5 up, 1 down, 2 not tried yet
relay          userspace: the kernel relay is not built into this version
RTP ports      48 of 50000 in use
loop lag       0.4 ms
record queue   0 waiting
alarms         none
counted since start, what is not 0:
  call_attempts  1000
""",
        "",
    )


def test_status_colours_what_is_wrong_only(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer(
        "GET /v1/status",
        status(gateways_down=0, record_error="disk full", alarms=["records cannot be written"]),
    )
    painted = [line for line in vosctl("--color", "always", "status").out.splitlines()
               if "\x1b" in line]  # fmt: skip
    assert painted == [
        "record queue   \x1b[31m0 waiting, cannot be written: disk full\x1b[0m",
        "\x1b[31malarm: records cannot be written\x1b[0m",
    ]
