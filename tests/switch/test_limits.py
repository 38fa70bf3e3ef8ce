# SPDX-License-Identifier: GPL-2.0-or-later
"""Concurrent calls and calls a second (SS_MAX_CPS)."""

import random

import msgspec
import pytest

from vosd.switch.limits import StartRate, full, refusal


@pytest.mark.parametrize(
    ("capacity", "calls", "is_full"),
    [
        (0, 10**6, False),
        (1, 0, False),
        (1, 1, True),
        (10, 9, False),
        (10, 10, True),
        (10, 11, True),
    ],
)
def test_capacity(capacity: int, calls: int, is_full: bool) -> None:
    assert full(capacity, calls) is is_full


def test_starts_in_any_one_second() -> None:
    rate = StartRate(limit=3)
    times = [0.0, 0.1, 0.9, 0.95, 1.0, 1.05, 1.1, 1.5, 1.95]
    assert [now for now in times if rate.admit(now)] == [0.0, 0.1, 0.9, 1.0, 1.1, 1.95]


def test_no_limit_counts_nothing() -> None:
    rate = StartRate()
    assert all(rate.admit(0.0) for _ in range(1000))
    assert rate.times == []


def test_a_refused_start_does_not_prolong_the_wait() -> None:
    rate = StartRate(limit=1)
    assert rate.admit(0.0)
    assert not any(rate.admit(tenth / 10) for tenth in range(1, 10))
    assert rate.admit(1.0)


@pytest.mark.parametrize(
    ("limit", "admitted"),
    # three were admitted at 0.0 0.1 0.2; at 0.3 the new limit holds at once
    [(2, 0), (3, 0), (5, 2), (0, 10)],
)
def test_a_new_limit_holds_at_once(limit: int, admitted: int) -> None:
    rate = StartRate(limit=3)
    for now in (0.0, 0.1, 0.2):
        assert rate.admit(now)
    rate.resize(limit)
    assert sum(rate.admit(0.3) for _ in range(10)) == admitted


def test_never_more_than_the_limit_in_a_second_through_changes() -> None:
    chance = random.Random(3)
    rate, now, admitted = StartRate(limit=4), 0.0, []
    limits, changed = [], 0.0
    for _ in range(3000):
        now += chance.choice((0.0, 0.01, 0.2, 0.7))
        # twice within a second would forget what the smaller limit dropped
        if now - changed >= 1.0 and chance.random() < 0.05:
            rate.resize(chance.randint(1, 6))
            changed = now
        if rate.admit(now):
            admitted.append(now)
            limits.append(rate.limit)
    for index, (at, limit) in enumerate(zip(admitted, limits, strict=True)):
        assert sum(1 for other in admitted[: index + 1] if at - other < 1.0) <= limit


def test_order_of_refusals() -> None:
    rate = StartRate(limit=1)
    assert refusal(2, 2, rate, 0.0) == "limit_capacity"
    assert refusal(2, 1, rate, 0.0) is None
    assert refusal(2, 1, rate, 0.5) == "limit_cps"
    assert refusal(0, 99, rate, 1.0) is None


def test_it_is_plain_data() -> None:
    rate = StartRate(limit=2)
    for now in (0.0, 0.5, 1.0):
        assert rate.admit(now)
    again = msgspec.json.decode(msgspec.json.encode(rate), type=StartRate)
    assert again == rate
    assert not again.admit(1.4)
    assert again.admit(1.5)
