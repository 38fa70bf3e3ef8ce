# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 3261 table 4 and 17.1: figures worked by hand."""

from __future__ import annotations

import itertools
import math

import pytest

from vosd.sip.timing import Timers, Timing


def at(gaps: tuple[float, ...]) -> list[float]:
    return [0.0, *itertools.accumulate(gaps)]


def test_derived_values_are_those_of_table_4() -> None:
    timing = Timing()
    assert (timing.b, timing.f, timing.h, timing.j) == (32.0, 32.0, 32.0, 32.0)
    assert (timing.d, timing.i, timing.k, timing.t100) == (32.0, 5.0, 5.0, 0.2)


def test_timer_d_is_never_below_32_seconds_on_udp() -> None:
    assert Timing(t1=0.1).d == 32.0
    assert Timing(t1=1.0).d == 64.0


@pytest.mark.parametrize(
    ("timing", "invites", "others"),
    [
        (
            Timing(),
            [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5],
            [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5],
        ),
        (
            Timing(t1=0.25, t2=1.0),
            [0, 0.25, 0.75, 1.75, 3.75, 7.75, 15.75],
            [0, 0.25, 0.75, *(1.75 + n for n in range(15))],
        ),
        (Timing(resend=(0.4, 0.4, 1.0)), [0, 0.4, 0.8, 1.8], [0, 0.4, 0.8, 1.8]),
    ],
)
def test_sendings(timing: Timing, invites: list[float], others: list[float]) -> None:
    assert at(timing.invites()) == pytest.approx(invites)
    assert at(timing.others()) == pytest.approx(others)


def test_timers_come_out_in_order_of_their_end() -> None:
    timers = Timers()
    timers.start(4.0, "a", "resend", 0.0)
    timers.start(0.5, "b", "resend", 1.0)
    timers.start(0.5, "c", "timeout", 1.25)
    timers.start(4.0, "d", "expire", 2.0)
    assert timers.deadline() == 1.5
    assert [(t.owner, t.kind, t.when) for t in timers.take(4.0)] == [
        ("b", "resend", 1.5), ("c", "timeout", 1.75), ("a", "resend", 4.0),
    ]  # fmt: skip
    assert (timers.deadline(), len(timers)) == (6.0, 1)
    assert [t.owner for t in timers.take(6.0)] == ["d"]
    assert (timers.deadline(), len(timers)) == (math.inf, 0)


def test_a_stopped_timer_never_comes_and_moves_the_deadline() -> None:
    timers = Timers()
    first = timers.start(0.5, "a", "resend", 0.0)
    timers.start(0.5, "b", "resend", 0.25)
    first.owner = None
    assert timers.deadline() == 0.75
    assert [t.owner for t in timers.take(9.0)] == ["b"]


def test_a_timer_due_exactly_now_comes() -> None:
    timers = Timers()
    timers.start(0.5, "a", "resend", 1000.1)
    assert timers.take(math.nextafter(1000.6, 0)) == []
    assert [t.owner for t in timers.take(timers.deadline())] == ["a"]
