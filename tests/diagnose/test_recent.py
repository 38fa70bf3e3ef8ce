# SPDX-License-Identifier: GPL-2.0-or-later
"""bad_calls: only what is wrong, the worst first; worst_call picks the same one."""

from __future__ import annotations

from tests.diagnose.scenarios import of
from tests.diagnose.test_gateway import numbered
from vosd.diagnose import bad_calls, worst_call


def test_ranking() -> None:
    """Severity, then how many faults, then the newest; info makes no call bad."""
    names = ("clean", "busy", "loss from A, marked", "one-way: nothing from B", "direct",
             "loss and jitter: loss first even if it is the lesser (CC-12)", "jitter from A")
    views = numbered(*(of(name) for name in names))
    views[6].started_at += 10
    rows = bad_calls(views)
    assert [(row.id, row.severity, row.code, row.side) for row in rows] == [
        ("c5", "critical", "loss", "a"),
        ("c3", "critical", "one_way", "b"),
        ("c6", "warning", "jitter", "a"),
        ("c2", "warning", "loss", "a"),
    ]
    assert rows[1].verdict == "One-way audio: nothing comes from B (gateway carrier)."
    assert (rows[1].caller, rows[1].callee, rows[1].mapping, rows[1].routing, rows[1].live) == (
        "4420", "4930", "acme", "carrier", False,
    )  # fmt: skip
    worst = worst_call(views).call
    assert worst is not None
    assert worst.id == "c5"


def test_a_live_call_is_marked() -> None:
    view = of("one-way: nothing from B")
    view.state = "connected"
    assert bad_calls([view])[0].live
