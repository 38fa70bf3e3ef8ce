# SPDX-License-Identifier: GPL-2.0-or-later
"""vosctl blacklist: what is asked of the daemon, and stdout, stderr and exit code whole."""

from __future__ import annotations

from collections.abc import Callable

from tests.vosctl.stub import Ran, Stub
from vosd.wire.records import (
    BlacklistCheck,
    BlacklistList,
    BlacklistRow,
)
from vosd.wire.requests import (
    BlacklistChanged,
)

Vosctl = Callable[..., Ran]

ROW = BlacklistRow(
    number="4687000", prefix=True, side="callee", expires_at=1795360000.0, why="fraud",
    created_at=1795356400.0, created_by="root",
)  # fmt: skip


def test_blacklist_add(daemon: Stub, vosctl: Vosctl) -> None:
    added = [ROW, BlacklistRow(number="100")]
    daemon.answer("POST /v1/blacklist", BlacklistChanged(added=added))
    ran = vosctl("blacklist", "add", "4687000", "100", "--prefix", "--side", "callee",
                 "--expires", "1.5h", "--why", "fraud")  # fmt: skip
    assert ran == (
        0,
        "blocked: prefix 4687000 as callee until 2026-11-22 15:06:40\n"
        "blocked: number 100 on both sides\n",
        "",
    )
    assert daemon.asked[0].body == {
        "numbers": ["4687000", "100"],
        "prefix": True,
        "side": "callee",
        "expires_s": 5400.0,
        "why": "fraud",
        "dry_run": False,
    }


def test_blacklist_bad_duration(daemon: Stub, vosctl: Vosctl) -> None:
    assert vosctl("blacklist", "add", "1", "--expires", "soon") == (
        2,
        "",
        "cannot use 'soon' as a length of time: a number with its unit such as "
        "90s 15m 2h 1d is accepted\n",
    )
    assert daemon.asked == []


def test_blacklist_list_and_remove(daemon: Stub, vosctl: Vosctl) -> None:
    daemon.answer("GET /v1/blacklist", BlacklistList(rows=[ROW]))
    daemon.answer("DELETE /v1/blacklist", BlacklistChanged(removed=[ROW]))
    assert vosctl("blacklist", "list").out == (
        "number   matches  side    expires              since                by    why\n"
        "4687000  prefix   callee  2026-11-22 15:06:40  2026-11-22 14:06:40  root  fraud\n"
    )
    assert vosctl("blacklist", "remove", "4687000").out == (
        "taken off the list: prefix 4687000 as callee until 2026-11-22 15:06:40\n"
    )


def test_blacklist_check(daemon: Stub, vosctl: Vosctl) -> None:
    reply = BlacklistCheck(number="4687000123", as_caller=True, as_callee=False, rows=[ROW])
    daemon.answer("GET /v1/blacklist/check", reply)
    assert vosctl("blacklist", "check", "4687000123", "--gateway", "acme").out == (
        "number     4687000123\n"
        "as caller  passes\n"
        "as callee  blocked\n"
        "\n"
        "number   matches  side    expires              since                by    why\n"
        "4687000  prefix   callee  2026-11-22 15:06:40  2026-11-22 14:06:40  root  fraud\n"
    )
    assert daemon.asked[0].path == "/v1/blacklist/check?number=4687000123&gateway=acme"
